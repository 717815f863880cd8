"""Orders of the shop, and receipts of its tills."""

from collections.abc import Iterator

import msgspec

from connectors.protocol import documents, people, values
from connectors.protocol.channel import Fetch, Verdict
from connectors.vendors.shopify.payload import Buyer, Order, OrderEdit, OrderLine
from connectors.vendors.shopify.refunds import refund_events, refund_of
from connectors.vendors.shopify.shipments import shipment_events
from connectors.vendors.shopify.shop import POS, Shop, address_of, money, name_of
from schemas.events.lines import Line, Payment, Tender, Totals
from schemas.events.orders import OrderCancelled, OrderPlaced, OrderReported, SoldInStore
from schemas.events.people import Customer
from schemas.meta import Event


def placed(shop: Shop, body: bytes) -> Verdict:
    return Verdict([_bought(shop, documents.read(body, Order))])


def reported(shop: Shop, body: bytes) -> Verdict:
    return Verdict([_reported(shop, documents.read(body, Order))])


def edited(shop: Shop, body: bytes) -> Verdict:
    """The edit says what was added, not what the order is now: the order is asked for."""
    return Verdict(fetches=[Fetch("order", str(documents.read(body, OrderEdit).order_edit.order_id))])


def cancelled(shop: Shop, body: bytes) -> Verdict:
    order = documents.read(body, Order)
    return Verdict([_cancelled(shop, order), _reported(shop, order)])


def order_events(shop: Shop, order: Order) -> Iterator[Event]:
    """All that an order as it is now tells: the same facts, with the same ids, as the shop's webhooks about it."""
    yield _bought(shop, order)
    for shipment in order.fulfillments:
        yield from shipment_events(shop, shipment)
    for refund in order.refunds:
        yield from refund_events(shop, refund)
    if order.cancelled_at is not None:
        yield _cancelled(shop, order)
    yield _reported(shop, order)


def _bought(shop: Shop, order: Order) -> Event:
    return _sold(shop, order) if order.source_name == POS else _placed(shop, order)


def _cancelled(shop: Shop, order: Order) -> Event:
    at = shop.at(order.cancelled_at or order.updated_at)
    return OrderCancelled(
        meta=shop.meta(OrderCancelled, str(order.id), at, shop.who(order)),
        order_id=str(order.id),
        reason=order.cancel_reason,
        by="customer" if order.cancel_reason == "customer" else "shop",
    )


def _placed(shop: Shop, order: Order) -> Event:
    at = shop.at(order.processed_at or order.created_at)
    context = {"landing_url": order.landing_site or "", "referrer": order.referring_site or ""}
    return OrderPlaced(
        meta=shop.meta(OrderPlaced, str(order.id), at, shop.who(order), context),
        order_id=str(order.id),
        number=order.name,
        currency=order.currency,
        lines=[_line(line) for line in order.line_items],
        totals=_totals(order),
        customer=_buyer(shop, order),
        cart_id=order.cart_token,
        coupon_codes=[each.code for each in order.discount_codes],
        location_id=None if order.location_id is None else shop.location(order.location_id),
    )


def _sold(shop: Shop, order: Order) -> Event:
    """A till of the shop sold: the order is a receipt."""
    at = values.moment(order.processed_at or order.created_at, shop.source.zone)
    totals = _totals(order)
    return SoldInStore(
        meta=shop.meta(SoldInStore, str(order.id), at, shop.who(order)),
        receipt_id=str(order.id),
        store_id=shop.location(order.location_id or POS),
        till_id=None if order.user_id is None else str(order.user_id),
        business_date=values.local_day(at, shop.zone()),
        currency=order.currency,
        lines=[_line(line) for line in order.line_items],
        tenders=[Tender(kind=name, amount=totals.total) for name in order.payment_gateway_names[:1]],
        totals=totals,
    )


def _reported(shop: Shop, order: Order) -> Event:
    at = shop.at(order.updated_at)
    return OrderReported(
        meta=shop.meta(OrderReported, f"{order.id}:{order.updated_at}", at, shop.who(order)),
        order_id=str(order.id),
        number=order.name,
        status=_status(order),
        updated_at=at,
        currency=order.currency,
        lines=[_line(line) for line in order.line_items],
        totals=_totals(order),
        customer=_buyer(shop, order),
        payments=_payments(order),
        fulfilments=[],
        refunds=[refund_of(shop, refund) for refund in order.refunds],
        location_id=None if order.location_id is None else shop.location(order.location_id),
    )


def _buyer(shop: Shop, order: Order) -> Customer:
    buyer = order.customer or Buyer()
    places = [
        msgspec.structs.replace(address_of(place), kind=kind)
        for kind, place in (("delivery", order.shipping_address), ("billing", order.billing_address))
        if place is not None
    ]
    return Customer(
        customer_id=None if buyer.id is None else str(buyer.id),
        email=people.address_of(order.email or buyer.email),
        phone=people.number_of(order.phone or buyer.phone, shop.source.region),
        name=name_of(buyer),
        addresses=places,
    )


def _line(line: OrderLine) -> Line:
    price = money(line.price_set, line.price)
    discount = sum(money(each.amount_set) for each in line.discount_allocations)
    return Line(
        line_id=str(line.id),
        sku=line.sku or str(line.variant_id or line.id),
        product_id=None if line.product_id is None else str(line.product_id),
        quantity=line.quantity,
        unit_price=price,
        discount=discount,
        tax=sum(money(each.price_set) for each in line.tax_lines),
        total=price * line.quantity - discount,
    )


def _totals(order: Order) -> Totals:
    return Totals(
        total=money(order.current_total_price_set or order.total_price_set, order.total_price),
        discount=money(order.total_discounts_set, order.total_discounts),
        tax=money(order.total_tax_set, order.total_tax),
        shipping=money(order.total_shipping_price_set),
        is_tax_included=order.taxes_included,
    )


def _payments(order: Order) -> list[Payment]:
    """The order says how much of it is paid, not by which payment."""
    if order.financial_status is None:
        return []
    total = _totals(order).total
    method = next(iter(order.payment_gateway_names), "unknown")
    return [Payment(payment_id=f"{order.id}", method=method, status=order.financial_status, amount=total)]


def _status(order: Order) -> str:
    if order.cancelled_at is not None:
        return "cancelled"
    return order.fulfillment_status or order.financial_status or "placed"
