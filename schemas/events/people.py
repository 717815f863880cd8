"""Who a customer says to be, and where: the parts of events that name a person."""

import msgspec


class Address(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """A postal address."""

    kind: str | None = None
    name: str | None = None
    company: str | None = None
    line_1: str | None = None
    line_2: str | None = None
    postal_code: str | None = None
    city: str | None = None
    region: str | None = None
    country: str | None = None


class Customer(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """A customer as a shop knows them."""

    customer_id: str | None = None
    email: str | None = None
    phone: str | None = None
    name: str | None = None
    company: str | None = None
    addresses: list[Address] = []
