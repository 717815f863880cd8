"""An order of the shop: that it was placed, and how it is now."""

from collections.abc import Iterator

from connectors.protocol import values
from connectors.protocol.channel import Source
from connectors.protocol.facts import Facts
from connectors.vendors.woocommerce.parts import (
    customer_of,
    line_of,
    moment_of,
    payments_of,
    totals_of,
    who,
)
from connectors.vendors.woocommerce.payload import Order
from schemas.events.lines import Refund
from schemas.events.orders import OrderPlaced, OrderReported, RefundIssued
from schemas.meta import Event

ATTRIBUTION = "_wc_order_attribution_"
"""Before what the shop knows of how a customer came, among the meta data of an order."""


def placed(made: Facts, source: Source, order: Order) -> Event:
    """That it was placed. Raises Unfit."""
    context = {
        each.key.removeprefix(ATTRIBUTION): str(each.value)
        for each in order.meta_data
        if each.key.startswith(ATTRIBUTION) and isinstance(each.value, str | int)
    }
    return OrderPlaced(
        meta=made.meta(
            OrderPlaced, str(order.id), moment_of(order.date_created_gmt), who(source, order), context
        ),
        order_id=str(order.id),
        number=order.number,
        currency=order.currency,
        lines=[line_of(line) for line in order.line_items],
        totals=totals_of(order),
        customer=customer_of(source, order),
        cart_id=order.cart_hash or None,
        coupon_codes=[each.code for each in order.coupon_lines],
    )


def reported(made: Facts, source: Source, order: Order) -> Iterator[Event]:
    """How it is now, and each of its refunds. Raises Unfit."""
    at = moment_of(order.date_modified_gmt)
    refunds = [
        Refund(refund_id=str(each.id), amount=abs(values.amount(each.total)), updated_at=at)
        for each in order.refunds
    ]
    yield OrderReported(
        meta=made.meta(OrderReported, f"{order.id}:{order.date_modified_gmt}", at, who(source, order)),
        order_id=str(order.id),
        number=order.number,
        status=order.status,
        updated_at=at,
        currency=order.currency,
        lines=[line_of(line) for line in order.line_items],
        totals=totals_of(order),
        customer=customer_of(source, order),
        payments=payments_of(order),
        refunds=refunds,
    )
    for each in order.refunds:
        yield RefundIssued(
            meta=made.meta(RefundIssued, str(each.id), at, who(source, order)),
            order_id=str(order.id),
            refund_id=str(each.id),
            currency=order.currency,
            amount=abs(values.amount(each.total)),
        )
