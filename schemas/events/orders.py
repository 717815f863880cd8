"""Orders and receipts: what happens from the purchase until the last line is kept or returned."""

from schemas.events.lines import (
    Delivery,
    DeliveryPromise,
    Fulfilment,
    Line,
    LineQuantity,
    Payment,
    Refund,
    Tender,
    Totals,
)
from schemas.events.people import Customer
from schemas.meta import Amount, Day, Event, Instant


class OrderReported(Event, frozen=True, gc=False, kw_only=True):
    """A source says how an order is now. What happened follows from the difference with what was known."""

    order_id: str
    number: str | None = None
    status: str
    version: int | None = None
    updated_at: Instant | None = None
    currency: str
    lines: list[Line]
    totals: Totals
    customer: Customer | None = None
    payments: list[Payment] = []
    fulfilments: list[Fulfilment] = []
    refunds: list[Refund] = []
    location_id: str | None = None


class OrderPlaced(Event, frozen=True, gc=False, kw_only=True):
    """A customer ordered."""

    order_id: str
    number: str | None = None
    currency: str
    lines: list[Line]
    totals: Totals
    customer: Customer | None = None
    delivery: Delivery | None = None
    delivery_promise: DeliveryPromise | None = None
    cart_id: str | None = None
    coupon_codes: list[str] = []
    location_id: str | None = None


class OrderAccepted(Event, frozen=True, gc=False, kw_only=True):
    """The seller took the order on."""

    order_id: str
    promised_at: Instant | None = None


class OrderPaid(Event, frozen=True, gc=False, kw_only=True):
    """A payment of an order succeeded."""

    order_id: str
    payment_id: str
    method: str
    currency: str
    amount: Amount
    tender_token: str | None = None


class PaymentFailed(Event, frozen=True, gc=False, kw_only=True):
    """A payment of an order did not succeed."""

    order_id: str
    payment_id: str
    method: str
    currency: str
    amount: Amount
    reason: str | None = None
    tender_token: str | None = None


class OrderChanged(Event, frozen=True, gc=False, kw_only=True):
    """Lines were added to an order or taken out of it."""

    order_id: str
    version: int | None = None
    currency: str
    lines_added: list[Line] = []
    lines_removed: list[LineQuantity] = []
    totals: Totals | None = None


class CancellationRequested(Event, frozen=True, gc=False, kw_only=True):
    """Someone asked to cancel an order or some of its lines."""

    order_id: str
    lines: list[LineQuantity] = []
    reason: str | None = None
    by: str | None = None


class OrderCancelled(Event, frozen=True, gc=False, kw_only=True):
    """An order or some of its lines were cancelled."""

    order_id: str
    lines: list[LineQuantity] = []
    reason: str | None = None
    by: str | None = None


class OrderLineShort(Event, frozen=True, gc=False, kw_only=True):
    """A location could not find all that a line asks for."""

    order_id: str
    line_id: str
    quantity: int
    location_id: str
    reason: str | None = None


class OrderPacked(Event, frozen=True, gc=False, kw_only=True):
    """A shipment was packed."""

    order_id: str
    shipment_id: str
    lines: list[LineQuantity] = []
    carrier: str | None = None
    tracking_number: str | None = None
    location_id: str | None = None


class OrderShipped(Event, frozen=True, gc=False, kw_only=True):
    """A shipment left."""

    order_id: str
    shipment_id: str
    lines: list[LineQuantity] = []
    carrier: str | None = None
    tracking_number: str | None = None
    location_id: str | None = None


class OrderOutForDelivery(Event, frozen=True, gc=False, kw_only=True):
    """A shipment is on the van."""

    order_id: str
    shipment_id: str
    at: Instant


class OrderDelivered(Event, frozen=True, gc=False, kw_only=True):
    """A shipment reached its address."""

    order_id: str
    shipment_id: str
    at: Instant


class DeliveryFailed(Event, frozen=True, gc=False, kw_only=True):
    """A shipment could not be delivered."""

    order_id: str
    shipment_id: str
    at: Instant
    reason: str | None = None


class OrderReadyForPickup(Event, frozen=True, gc=False, kw_only=True):
    """Lines wait to be collected."""

    order_id: str
    lines: list[LineQuantity] = []
    location_id: str
    until: Instant | None = None


class OrderCollected(Event, frozen=True, gc=False, kw_only=True):
    """The customer collected lines."""

    order_id: str
    lines: list[LineQuantity] = []
    location_id: str


class ReturnRequested(Event, frozen=True, gc=False, kw_only=True):
    """A customer asked to return lines."""

    order_id: str
    return_id: str
    lines: list[LineQuantity]
    reason: str | None = None
    location_id: str | None = None


class ReturnAnnounced(Event, frozen=True, gc=False, kw_only=True):
    """Lines are on their way back."""

    order_id: str
    return_id: str
    lines: list[LineQuantity]
    reason: str | None = None
    carrier: str | None = None
    tracking_number: str | None = None
    location_id: str | None = None


class ReturnReceived(Event, frozen=True, gc=False, kw_only=True):
    """Lines came back."""

    order_id: str
    return_id: str
    lines: list[LineQuantity]
    reason: str | None = None
    location_id: str


class ReturnInspected(Event, frozen=True, gc=False, kw_only=True):
    """Lines that came back were looked at. One event for what got the same judgement."""

    order_id: str
    return_id: str
    lines: list[LineQuantity]
    location_id: str
    condition: str | None = None
    disposition: str


class RefundIssued(Event, frozen=True, gc=False, kw_only=True):
    """Money was paid back for an order."""

    order_id: str
    refund_id: str
    lines: list[LineQuantity] = []
    currency: str
    amount: Amount
    shipping: Amount = 0
    restock: str | None = None
    location_id: str | None = None


class SoldInStore(Event, frozen=True, gc=False, kw_only=True):
    """A store sold: one till receipt."""

    receipt_id: str
    store_id: str
    till_id: str | None = None
    till_sequence: int | None = None
    business_date: Day
    currency: str
    lines: list[Line]
    tenders: list[Tender] = []
    loyalty_card: str | None = None
    totals: Totals


class ReturnedInStore(Event, frozen=True, gc=False, kw_only=True):
    """A store took goods back. Quantities and amounts are positive."""

    receipt_id: str
    original_order_id: str | None = None
    original_source: str | None = None
    store_id: str
    till_id: str | None = None
    till_sequence: int | None = None
    business_date: Day
    currency: str
    lines: list[Line]
    tenders: list[Tender] = []
    reason: str | None = None
    loyalty_card: str | None = None
    totals: Totals


class StoreSaleVoided(Event, frozen=True, gc=False, kw_only=True):
    """A receipt was made undone at the till. Quantities and amounts are positive."""

    receipt_id: str
    voided_receipt_id: str
    store_id: str
    till_id: str | None = None
    till_sequence: int | None = None
    business_date: Day
    currency: str
    lines: list[Line]
    tenders: list[Tender] = []
    reason: str | None = None
