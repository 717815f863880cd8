"""The newest state of each customer, order, shelf and journey, and the ledger of stock."""

import msgspec

from schemas.meta import Amount, Day, Entry, Identifier, Instant, Snapshot


class Profile(Snapshot, gc=False, kw_only=True):
    """A customer, as known over all channels."""

    profile_id: str
    merged_into: str | None = None
    identifiers: list[Identifier]
    first_seen_at: Instant
    last_seen_at: Instant
    order_count: int = 0
    revenue: Amount = 0
    returned_revenue: Amount = 0
    discount: Amount = 0
    currency: str | None = None
    last_order_at: Instant | None = None
    favourite_channel: str | None = None
    favourite_location_id: str | None = None
    traits: dict[str, str] = {}
    campaigns: list[str] = []
    coupons: list[str] = []
    consents: dict[str, str] = {}


class IdentityPointer(Snapshot, gc=False, kw_only=True):
    """To whom an identifier belongs."""

    kind: str
    value: str
    profile_id: str
    verified: bool = False
    first_seen_at: Instant


class OrderStateLine(msgspec.Struct, gc=False, kw_only=True):
    """An order's line, as it now stands."""

    line_id: str
    sku: str
    quantity: int
    unit: str = "piece"
    unit_price: Amount | None = None
    discount: Amount = 0
    total: Amount
    status: str
    sold_by: str | None = None
    stock_owner: str | None = None
    returned_quantity: int = 0


class OrderState(Snapshot, gc=False, kw_only=True):
    """An order or receipt, as it now stands."""

    order_id: str
    number: str | None = None
    channel: str
    source: str
    identifiers: list[Identifier] = []
    location_id: str | None = None
    status: str
    placed_at: Instant
    business_date: Day | None = None
    total: Amount
    discount: Amount = 0
    currency: str
    lines: list[OrderStateLine]


class StockLevel(Snapshot, gc=False, kw_only=True):
    """What lies on one shelf: units of a product at a location that belong to one owner."""

    sku: str
    location_id: str
    owner: str = "own"
    available: int = 0
    held: int = 0
    committed: int = 0
    picked: int = 0
    quality_control: int = 0
    damaged: int = 0
    safety: int = 0
    blocked: int = 0
    on_hand: int = 0
    shortage: int = 0
    incoming: int = 0
    in_transit: int = 0
    counted_at: Instant | None = None


class StockLedgerEntry(Entry, frozen=True, gc=False, kw_only=True):
    """A movement of units into or out of one bucket of a shelf."""

    sku: str
    seq: int
    location_id: str
    owner: str = "own"
    event_id: str
    line_no: int
    kind: str
    bucket: str
    delta: int
    at: Instant


class JourneyInstance(msgspec.Struct, gc=False, kw_only=True):
    """One run of a journey for one customer."""

    journey: str
    instance_key: str
    version: int
    step: str
    status: str
    entered_at: Instant
    ended_at: Instant | None = None
    exit_reason: str | None = None
    split: str | None = None
    converted_at: Instant | None = None


class JourneyState(Snapshot, gc=False, kw_only=True):
    """The journeys of one customer."""

    profile_id: str
    instances: list[JourneyInstance]
