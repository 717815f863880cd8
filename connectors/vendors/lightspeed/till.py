"""What is read of the objects that a till of Lightspeed X-Series sends."""

from decimal import Decimal

import msgspec

LARGEST = Decimal(10) ** 14
"""Beyond all amounts and quantities that an event can have."""


class SomeId(msgspec.Struct):
    id: str


class Named(msgspec.Struct):
    id: str | None = None
    sku: str | None = None
    name: str | None = None


class Numbers(msgspec.Struct):
    """Has only numbers that can be counted with."""

    def __post_init__(self) -> None:
        for value in msgspec.structs.astuple(self):
            if isinstance(value, Decimal) and not (value.is_finite() and abs(value) < LARGEST):
                raise ValueError("a number is too large, or is none")


class SoldProduct(Numbers):
    id: str
    product_id: str
    quantity: Decimal
    price: Decimal
    tax: Decimal = Decimal(0)


class Paid(Numbers):
    amount: Decimal
    name: str | None = None
    payment_type: Named | None = None


class Sale(msgspec.Struct):
    id: str
    status: str
    sale_date: str
    register_id: str
    outlet_id: str | None = None
    customer_id: str | None = None
    return_for: str | None = None
    updated_at: str | None = None
    register_sale_products: list[SoldProduct] = []
    register_sale_payments: list[Paid] = []


class Inventory(msgspec.Struct):
    id: str
    product_id: str
    outlet_id: str
    count: Decimal
    version: int | None = None
    product: Named | None = None


class Product(msgspec.Struct):
    id: str
    sku: str | None = None
    name: str | None = None
    brand_name: str | None = None
    version: int | None = None
    updated_at: str | None = None


class Person(msgspec.Struct):
    id: str
    first_name: str | None = None
    last_name: str | None = None
    email: str | None = None
    phone: str | None = None
    mobile: str | None = None
    company_name: str | None = None
    version: int | None = None
    updated_at: str | None = None
