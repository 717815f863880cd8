"""What is read of the objects that a shop of Lightspeed eCom (C-Series) sends."""

from decimal import Decimal
from typing import Any

import msgspec

NOTHING = Decimal(0)


class Linked(msgspec.Struct):
    """Another object: `embedded` where it came along, else only its id or its address."""

    id: int | bool | None = None
    embedded: Any = None


class Link(msgspec.Struct):
    resource: Linked


class Bought(msgspec.Struct, rename="camel"):
    id: int
    quantity_ordered: int
    price_incl: Decimal
    article_code: str | None = None
    sku: str | None = None
    ean: str | None = None
    discount_incl: Decimal = NOTHING
    product: Link | None = None


class Order(msgspec.Struct, rename="camel"):
    id: int
    number: str
    status: str
    created_at: str
    updated_at: str
    price_incl: Decimal
    price_excl: Decimal | None = None
    shipment_price_incl: Decimal = NOTHING
    email: str | None = None
    firstname: str | None = None
    lastname: str | None = None
    phone: str | None = None
    mobile: str | None = None
    customer: Link | None = None
    products: Link | None = None


class OrderDocument(msgspec.Struct):
    order: Order


class Person(msgspec.Struct, rename="camel"):
    id: int
    updated_at: str
    email: str | None = None
    firstname: str | None = None
    lastname: str | None = None
    phone: str | None = None
    mobile: str | None = None


class PersonDocument(msgspec.Struct):
    customer: Person


class Product(msgspec.Struct, rename="camel"):
    id: int
    updated_at: str
    title: str | None = None


class ProductDocument(msgspec.Struct):
    product: Product


class Variant(msgspec.Struct, rename="camel"):
    id: int
    updated_at: str
    stock_level: int | None = None
    article_code: str | None = None
    sku: str | None = None
    ean: str | None = None
    title: str | None = None


class VariantDocument(msgspec.Struct):
    variant: Variant
