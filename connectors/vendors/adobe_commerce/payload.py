"""What Adobe Commerce sends, as far as it is read here: rows of its own tables, numbers as texts, times in UTC.

Which fields an event carries the shop chose when it subscribed: what is not there is asked for.
"""

from decimal import Decimal

import msgspec

NOTHING = Decimal(0)


class Item(msgspec.Struct):
    """A line. The parts of a bundle or of a configured product name their parent, which carries the price."""

    item_id: int
    sku: str
    qty_ordered: Decimal
    product_id: int | None = None
    parent_item_id: int | None = None
    price_incl_tax: Decimal | None = None
    price: Decimal = NOTHING
    row_total: Decimal = NOTHING
    row_total_incl_tax: Decimal | None = None
    tax_amount: Decimal = NOTHING
    discount_amount: Decimal = NOTHING


class Place(msgspec.Struct):
    address_type: str | None = None
    firstname: str | None = None
    lastname: str | None = None
    company: str | None = None
    street: str | list[str] | None = None
    postcode: str | None = None
    city: str | None = None
    region: str | None = None
    country_id: str | None = None
    telephone: str | None = None


class Order(msgspec.Struct):
    entity_id: int
    increment_id: str
    status: str
    created_at: str
    updated_at: str
    order_currency_code: str
    items: list[Item]
    grand_total: Decimal
    tax_amount: Decimal = NOTHING
    discount_amount: Decimal = NOTHING
    shipping_amount: Decimal = NOTHING
    shipping_incl_tax: Decimal | None = None
    quote_id: int | None = None
    coupon_code: str | None = None
    customer_id: int | None = None
    customer_email: str | None = None
    customer_firstname: str | None = None
    customer_lastname: str | None = None
    addresses: list[Place] = []


class Thin(msgspec.Struct):
    """A row of which no more is known than which one it is."""

    entity_id: int | None = None
    id: int | None = None


class CreditItem(msgspec.Struct):
    order_item_id: int
    qty: Decimal
    sku: str | None = None


class CreditMemo(msgspec.Struct):
    entity_id: int
    order_id: int
    order_currency_code: str
    grand_total: Decimal
    created_at: str
    shipping_amount: Decimal = NOTHING
    items: list[CreditItem] = []


class Track(msgspec.Struct):
    carrier_code: str | None = None
    track_number: str | None = None


class Shipment(msgspec.Struct):
    entity_id: int
    order_id: int
    created_at: str
    items: list[CreditItem] = []
    tracks: list[Track] = []


class Person(msgspec.Struct):
    entity_id: int
    updated_at: str
    email: str | None = None
    firstname: str | None = None
    lastname: str | None = None


class Product(msgspec.Struct):
    entity_id: int
    sku: str
    updated_at: str
    name: str | None = None


class StockItem(msgspec.Struct):
    product_id: int
    qty: Decimal
