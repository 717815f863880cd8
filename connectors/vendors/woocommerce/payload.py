"""What WooCommerce sends, as far as it is read here: objects of its REST API v3, prices as texts."""

from decimal import Decimal
from typing import Any

import msgspec

NOTHING = Decimal(0)


class Party(msgspec.Struct):
    """Who pays, or where it goes. Only who pays has an e-mail address."""

    first_name: str | None = None
    last_name: str | None = None
    company: str | None = None
    address_1: str | None = None
    address_2: str | None = None
    city: str | None = None
    state: str | None = None
    postcode: str | None = None
    country: str | None = None
    email: str | None = None
    phone: str | None = None


class Item(msgspec.Struct):
    id: int
    product_id: int
    quantity: int
    variation_id: int | None = None
    sku: str | None = None
    subtotal: Decimal | None = None
    total: Decimal = NOTHING
    total_tax: Decimal = NOTHING


class PaidBack(msgspec.Struct):
    """A refund; its total is below zero."""

    id: int
    total: Decimal
    reason: str | None = None


class UsedCoupon(msgspec.Struct):
    code: str


class MetaDatum(msgspec.Struct):
    key: str
    value: Any = None


class Order(msgspec.Struct):
    id: int
    status: str
    currency: str
    date_created_gmt: str
    date_modified_gmt: str
    number: str | None = None
    date_paid_gmt: str | None = None
    customer_id: int = 0
    total: Decimal = NOTHING
    total_tax: Decimal = NOTHING
    discount_total: Decimal = NOTHING
    shipping_total: Decimal = NOTHING
    prices_include_tax: bool = True
    payment_method: str | None = None
    transaction_id: str | None = None
    cart_hash: str | None = None
    billing: Party | None = None
    shipping: Party | None = None
    line_items: list[Item] = []
    coupon_lines: list[UsedCoupon] = []
    refunds: list[PaidBack] = []
    meta_data: list[MetaDatum] = []


class Deleted(msgspec.Struct):
    id: int


class Person(msgspec.Struct):
    id: int
    email: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    date_created_gmt: str | None = None
    date_modified_gmt: str | None = None
    billing: Party | None = None
    shipping: Party | None = None


class Named(msgspec.Struct):
    name: str


class Image(msgspec.Struct):
    src: str


class Product(msgspec.Struct):
    """`manage_stock` is `parent` where a variation shares its product's stock."""

    id: int
    date_modified_gmt: str
    name: str | None = None
    sku: str | None = None
    global_unique_id: str | None = None
    manage_stock: bool | str = False
    stock_quantity: Decimal | None = None
    categories: list[Named] = []
    images: list[Image] = []


class Coupon(msgspec.Struct):
    id: int
    code: str
    date_modified_gmt: str
    discount_type: str = "fixed_cart"
    amount: Decimal = NOTHING
    date_expires_gmt: str | None = None
    usage_limit: int | None = None
