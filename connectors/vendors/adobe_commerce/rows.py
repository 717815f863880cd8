"""Rows of a shop as events: orders, refunds, shipments, customers, products, stock."""

from collections.abc import Iterator
from typing import Any

from connectors.protocol import documents, people, values
from connectors.protocol.channel import Source
from connectors.protocol.facts import Facts
from connectors.vendors.adobe_commerce.payload import (
    CreditItem,
    CreditMemo,
    Item,
    Order,
    Person,
    Place,
    Product,
    Shipment,
)
from schemas.events.activity import CustomerReported
from schemas.events.lines import Line, LineQuantity, Totals
from schemas.events.orders import OrderPlaced, OrderReported, OrderShipped, RefundIssued
from schemas.events.parcels import ParcelLinked
from schemas.events.people import Address, Customer
from schemas.events.products import ProductReported
from schemas.meta import Event, Identifier

ZONE = "UTC"


def order(made: Facts, source: Source, row: Any) -> Iterator[Event]:
    """The order as it is now; and that it was placed, with the same id each time. Raises Unfit."""
    found = documents.fit(row, Order)
    who, lines = _who(source, found), [_line(each) for each in found.items if each.parent_item_id is None]
    placed, changed = values.moment(found.created_at, ZONE), values.moment(found.updated_at, ZONE)
    yield OrderPlaced(
        meta=made.meta(OrderPlaced, str(found.entity_id), placed, who),
        order_id=str(found.entity_id),
        number=found.increment_id,
        currency=found.order_currency_code,
        lines=lines,
        totals=_totals(found),
        customer=_customer(source, found),
        cart_id=None if found.quote_id is None else str(found.quote_id),
        coupon_codes=[found.coupon_code] if found.coupon_code else [],
    )
    yield OrderReported(
        meta=made.meta(OrderReported, f"{found.entity_id}:{found.updated_at}:{found.status}", changed, who),
        order_id=str(found.entity_id),
        number=found.increment_id,
        status=found.status,
        updated_at=changed,
        currency=found.order_currency_code,
        lines=lines,
        totals=_totals(found),
        customer=_customer(source, found),
    )


def refund(made: Facts, _: Source, row: Any) -> Iterator[Event]:
    """A credit memo. Raises Unfit."""
    found = documents.fit(row, CreditMemo)
    yield RefundIssued(
        meta=made.meta(RefundIssued, str(found.entity_id), values.moment(found.created_at, ZONE)),
        order_id=str(found.order_id),
        refund_id=str(found.entity_id),
        lines=_quantities(found.items),
        currency=found.order_currency_code,
        amount=values.amount(found.grand_total),
        shipping=values.amount(found.shipping_amount),
    )


def shipment(made: Facts, _: Source, row: Any) -> Iterator[Event]:
    """A shipment, and the parcels that it is. Raises Unfit."""
    found = documents.fit(row, Shipment)
    at = values.moment(found.created_at, ZONE)
    tracks = {each.track_number: (each.carrier_code or "unknown").lower() for each in found.tracks}
    parcels = [(number, carrier) for number, carrier in tracks.items() if number]
    number, carrier = parcels[0] if parcels else (None, None)
    yield OrderShipped(
        meta=made.meta(OrderShipped, str(found.entity_id), at),
        order_id=str(found.order_id),
        shipment_id=str(found.entity_id),
        lines=_quantities(found.items),
        carrier=carrier,
        tracking_number=number,
    )
    for named, by in parcels:
        yield ParcelLinked(
            meta=made.meta(ParcelLinked, f"{by}:{named}", at),
            carrier=by,
            tracking_number=named,
            order_id=str(found.order_id),
            shipment_id=str(found.entity_id),
        )


def person(made: Facts, source: Source, row: Any) -> Iterator[Event]:
    """A customer's account. Raises Unfit."""
    found = documents.fit(row, Person)
    at = values.moment(found.updated_at, ZONE)
    who = people.known_as(source.name, customer_id=found.entity_id, email=found.email)
    yield CustomerReported(
        meta=made.meta(CustomerReported, f"{found.entity_id}:{found.updated_at}", at, who),
        customer_id=str(found.entity_id),
        updated_at=at,
        email=people.address_of(found.email),
        name=_name(found.firstname, found.lastname),
    )


def product(made: Facts, _: Source, row: Any) -> Iterator[Event]:
    """A product. Raises Unfit."""
    found = documents.fit(row, Product)
    at = values.moment(found.updated_at, ZONE)
    yield ProductReported(
        meta=made.meta(ProductReported, f"{found.sku}:{found.updated_at}", at),
        sku=found.sku,
        product_id=str(found.entity_id),
        name=found.name,
        updated_at=at,
    )


def _line(item: Item) -> Line:
    quantity = values.whole(item.qty_ordered)
    tax, discount = values.amount(item.tax_amount), values.amount(item.discount_amount)
    gross = (
        values.amount(item.row_total) + tax
        if item.row_total_incl_tax is None
        else values.amount(item.row_total_incl_tax)
    )
    return Line(
        line_id=str(item.item_id),
        sku=item.sku,
        product_id=None if item.product_id is None else str(item.product_id),
        quantity=quantity,
        unit_price=values.amount(item.price if item.price_incl_tax is None else item.price_incl_tax),
        discount=discount,
        tax=tax,
        total=gross - discount,
    )


def _totals(found: Order) -> Totals:
    shipping = found.shipping_amount if found.shipping_incl_tax is None else found.shipping_incl_tax
    return Totals(
        total=values.amount(found.grand_total),
        discount=abs(values.amount(found.discount_amount)),
        tax=values.amount(found.tax_amount),
        shipping=values.amount(shipping),
    )


def _quantities(items: list[CreditItem]) -> list[LineQuantity]:
    return [
        LineQuantity(line_id=str(each.order_item_id), sku=each.sku, quantity=values.whole(each.qty))
        for each in items
        if each.qty
    ]


def _who(source: Source, found: Order) -> list[Identifier]:
    phone = next((each.telephone for each in found.addresses if each.telephone), None)
    return people.known_as(
        source.name,
        customer_id=found.customer_id,
        email=found.customer_email,
        phone=phone,
        region=source.region,
    )


def _customer(source: Source, found: Order) -> Customer:
    phone = next((each.telephone for each in found.addresses if each.telephone), None)
    return Customer(
        customer_id=None if found.customer_id is None else str(found.customer_id),
        email=people.address_of(found.customer_email),
        phone=people.number_of(phone, source.region),
        name=_name(found.customer_firstname, found.customer_lastname),
        addresses=[_address(each) for each in found.addresses],
    )


def _address(place: Place) -> Address:
    street = place.street if isinstance(place.street, list) else (place.street or "").split("\n")
    lines = [line for line in street if line]
    return Address(
        kind="delivery" if place.address_type == "shipping" else place.address_type,
        name=_name(place.firstname, place.lastname),
        company=place.company,
        line_1=lines[0] if lines else None,
        line_2=", ".join(lines[1:]) or None,
        postal_code=place.postcode,
        city=place.city,
        region=place.region,
        country=place.country_id,
    )


def _name(first: str | None, last: str | None) -> str | None:
    return " ".join(filter(None, [first, last])) or None
