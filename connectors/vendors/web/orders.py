"""What a page says about orders, in the words of Segment's ecommerce spec."""

from collections.abc import Iterator

from connectors.protocol.documents import Unfit
from connectors.vendors.web.baskets import coupons_of, customer_of, lines_of, quantities_of, totals_of
from connectors.vendors.web.hits import Hit
from connectors.vendors.web.properties import Properties
from schemas.events.orders import OrderCancelled, OrderPlaced, OrderReported, RefundIssued
from schemas.meta import Event

Made = Iterator[Event]


def completed(hit: Hit, told: Properties) -> Made:
    """The order as it was placed: the same one has the same id, whoever reports it."""
    order, lines = told.needed("order_id"), lines_of(told.each("products"))
    yield OrderPlaced(
        meta=hit.known_by(OrderPlaced, order),
        order_id=order,
        currency=hit.currency(told.text("currency")),
        lines=lines,
        totals=totals_of(told, lines),
        customer=customer_of(hit),
        cart_id=told.text("cart_id"),
        coupon_codes=coupons_of(told),
    )


def updated(hit: Hit, told: Properties) -> Made:
    """The order as it is now."""
    order, lines = told.needed("order_id"), lines_of(told.each("products"))
    meta = hit.meta(OrderReported)
    yield OrderReported(
        meta=meta,
        order_id=order,
        status=told.text("status") or "unknown",
        updated_at=meta.occurred_at,
        currency=hit.currency(told.text("currency")),
        lines=lines,
        totals=totals_of(told, lines),
        customer=customer_of(hit),
    )


def refunded(hit: Hit, told: Properties) -> Made:
    """Without a sum it is what the lines cost; without those nobody knows how much it is."""
    lines = lines_of(told.each("products"))
    amount = told.amount("total", "revenue", "value") or sum(line.total for line in lines)
    if not amount:
        raise Unfit("a refund has neither `total` nor products with a price")
    yield RefundIssued(
        meta=hit.meta(RefundIssued),
        order_id=told.needed("order_id"),
        refund_id=told.text("refund_id") or hit.id,
        lines=quantities_of(told.each("products")),
        currency=hit.currency(told.text("currency")),
        amount=amount,
        shipping=told.amount("shipping") or 0,
    )


def cancelled(hit: Hit, told: Properties) -> Made:
    """The end of an order."""
    order = told.needed("order_id")
    yield OrderCancelled(
        meta=hit.known_by(OrderCancelled, order), order_id=order, reason=told.text("reason", "cancel_reason")
    )
