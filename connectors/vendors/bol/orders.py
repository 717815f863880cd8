"""An order of bol as it is now: the facts that it tells."""

from collections.abc import Iterator

from connectors.protocol import people, values
from connectors.protocol.channel import Source
from connectors.protocol.facts import Facts
from connectors.vendors.bol.payload import Order, OrderItem, Party
from schemas.events.lines import Delivery, DeliveryPromise, Line, LineQuantity, Totals
from schemas.events.orders import CancellationRequested, OrderCancelled, OrderPlaced, OrderReported
from schemas.events.people import Address, Customer
from schemas.meta import Event, Identifier, Instant

ZONE, CURRENCY = "Europe/Amsterdam", "EUR"
LAST_MINUTE = "T23:59:59"


def order_events(made: Facts, source: Source, order: Order) -> Iterator[Event]:
    """The order, how it is now, and what was asked to be cancelled or was. A line that is cancelled in part is shorter
    in the report: how it came to be so is for whoever knows the report before. Raises Unfit.
    """
    yield _placed(made, source, order)
    for item in order.order_items:
        yield from _cancellations(made, order, item)
    yield _reported(made, source, order)


def changed_at(order: Order) -> Instant:
    """When any part of it changed last. Raises Unfit."""
    return max((values.moment(item.latest_changed_date_time, ZONE) for item in order.order_items), default=0)


def _placed(made: Facts, source: Source, order: Order) -> Event:
    at = values.moment(order.order_placed_date_time, ZONE)
    lines = [_line(item, item.quantity) for item in order.order_items]
    return OrderPlaced(
        meta=made.meta(OrderPlaced, order.order_id, at, _who(source, order)),
        order_id=order.order_id,
        number=order.order_id,
        currency=CURRENCY,
        lines=lines,
        totals=_totals(lines),
        customer=_customer(source, order),
        delivery=_delivery(order),
        delivery_promise=_promise(order),
    )


def _reported(made: Facts, source: Source, order: Order) -> Event:
    at = changed_at(order)
    left = [(item, item.quantity - item.quantity_cancelled) for item in order.order_items]
    lines = [_line(item, quantity) for item, quantity in left if quantity > 0]
    return OrderReported(
        meta=made.meta(OrderReported, f"{order.order_id}:{at}", at, _who(source, order)),
        order_id=order.order_id,
        number=order.order_id,
        status=_status(order),
        updated_at=at,
        currency=CURRENCY,
        lines=lines,
        totals=_totals(lines),
        customer=_customer(source, order),
    )


def _cancellations(made: Facts, order: Order, item: OrderItem) -> Iterator[Event]:
    at = values.moment(item.latest_changed_date_time, ZONE)
    lines = [LineQuantity(line_id=item.order_item_id, sku=_sku(item), quantity=item.quantity)]
    if item.cancellation_request:
        yield CancellationRequested(
            meta=made.meta(CancellationRequested, item.order_item_id, at),
            order_id=order.order_id,
            lines=lines,
            by="customer",
        )
    if 0 < item.quantity <= item.quantity_cancelled:
        yield OrderCancelled(
            meta=made.meta(OrderCancelled, item.order_item_id, at),
            order_id=order.order_id,
            lines=lines,
            by="customer" if item.cancellation_request else None,
        )


def _status(order: Order) -> str:
    wanted = sum(item.quantity - item.quantity_cancelled for item in order.order_items)
    shipped = sum(item.quantity_shipped for item in order.order_items)
    if wanted <= 0:
        return "cancelled"
    if shipped >= wanted:
        return "shipped"
    return "partially_shipped" if shipped else "open"


def _line(item: OrderItem, quantity: int) -> Line:
    price = values.amount(item.unit_price)
    paid = price * item.quantity if item.total_price is None else values.amount(item.total_price)
    total = paid if quantity == item.quantity else paid * quantity // item.quantity
    return Line(
        line_id=item.order_item_id,
        sku=_sku(item),
        gtin=item.product.ean,
        quantity=quantity,
        unit_price=price,
        discount=max(0, price * quantity - total),
        total=total,
    )


def _sku(item: OrderItem) -> str:
    return (item.offer.reference if item.offer else None) or item.product.ean


def _totals(lines: list[Line]) -> Totals:
    return Totals(total=sum(each.total for each in lines), discount=sum(each.discount for each in lines))


def _who(source: Source, order: Order) -> list[Identifier]:
    """By a phone number only: the e-mail address is another one for each order, and no customer's id is told."""
    party = order.shipment_details or Party()
    return people.known_as(source.name, phone=party.delivery_phone_number, region=source.region)


def _customer(source: Source, order: Order) -> Customer:
    party = order.shipment_details or order.billing_details or Party()
    both = (("delivery", order.shipment_details), ("billing", order.billing_details))
    return Customer(
        email=people.address_of(party.email),
        phone=people.number_of(party.delivery_phone_number, source.region),
        name=_name(party),
        company=party.company,
        addresses=[_address(each, kind) for kind, each in both if each is not None],
    )


def _delivery(order: Order) -> Delivery:
    party = order.shipment_details
    return Delivery(
        method="pickup" if order.pickup_point else "delivery",
        address=None if party is None else _address(party, "delivery"),
    )


def _promise(order: Order) -> DeliveryPromise | None:
    days = [item.fulfilment.latest_delivery_date for item in order.order_items if item.fulfilment]
    latest = max(filter(None, days), default=None)
    return DeliveryPromise(latest_at=values.moment(latest + LAST_MINUTE, ZONE)) if latest else None


def _address(party: Party, kind: str) -> Address:
    number = "".join(filter(None, [party.house_number, party.house_number_extension]))
    return Address(
        kind=kind,
        name=_name(party),
        company=party.company,
        line_1=" ".join(filter(None, [party.street_name, number])) or party.pickup_point_name,
        line_2=party.extra_address_information,
        postal_code=party.zip_code,
        city=party.city,
        country=party.country_code,
    )


def _name(party: Party) -> str | None:
    return " ".join(filter(None, [party.first_name, party.surname])) or None
