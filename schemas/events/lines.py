"""What a basket, an order and a receipt are made of: lines, totals, tenders, refunds.

Amounts are in the `currency` of the event that they are part of.
"""

import msgspec

from schemas.events.people import Address
from schemas.meta import Amount, Instant


class Line(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """One line of a basket, an order or a receipt: so many units of one product."""

    line_id: str
    sku: str
    product_id: str | None = None
    gtin: str | None = None
    quantity: int
    unit: str = "piece"
    unit_price: Amount | None = None
    discount: Amount = 0
    tax: Amount = 0
    total: Amount
    sold_by: str | None = None
    stock_owner: str | None = None


class LineQuantity(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """So many units of a line that an earlier event described."""

    line_id: str
    sku: str | None = None
    quantity: int
    unit: str = "piece"


class Totals(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """The sums of a document."""

    total: Amount
    discount: Amount = 0
    tax: Amount = 0
    shipping: Amount = 0
    is_tax_included: bool = True


class Tender(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """One means by which a receipt was paid, or paid back."""

    kind: str
    amount: Amount
    token: str | None = None


class Payment(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """One payment of an order."""

    payment_id: str
    method: str
    status: str
    amount: Amount
    tender_token: str | None = None


class Fulfilment(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """One part of an order that is sent or handed over together."""

    shipment_id: str
    status: str
    lines: list[LineQuantity] = []
    carrier: str | None = None
    tracking_number: str | None = None
    location_id: str | None = None
    updated_at: Instant | None = None


class Refund(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """Money that was paid back for an order."""

    refund_id: str
    lines: list[LineQuantity] = []
    amount: Amount
    shipping: Amount = 0
    restock: str | None = None
    location_id: str | None = None
    updated_at: Instant | None = None


class Delivery(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """How an order is to reach its customer."""

    method: str
    address: Address | None = None
    location_id: str | None = None
    carrier: str | None = None
    instructions: str | None = None


class DeliveryPromise(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """What the customer was told before ordering: when it comes and what delivery costs."""

    promise_id: str | None = None
    earliest_at: Instant | None = None
    latest_at: Instant | None = None
    cost: Amount | None = None
