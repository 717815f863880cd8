"""What is asked of stock, and may be refused: holds, commitments, sourcing, transfers, limits."""

from schemas.meta import Event, Instant


class ReserveStock(Event, frozen=True, gc=False, kw_only=True):
    """Hold units for a basket."""

    hold_id: str
    basket_id: str
    sku: str
    quantity: int
    channel: str
    location_id: str | None = None
    order_id: str | None = None
    line_id: str | None = None
    expires_at: Instant


class ExtendReservation(Event, frozen=True, gc=False, kw_only=True):
    """Keep a hold for longer."""

    hold_id: str
    basket_id: str | None = None
    sku: str
    expires_at: Instant


class ReleaseReservation(Event, frozen=True, gc=False, kw_only=True):
    """Give up a hold."""

    hold_id: str
    basket_id: str | None = None
    sku: str
    reason: str | None = None


class CommitStock(Event, frozen=True, gc=False, kw_only=True):
    """Promise units to an order, from a hold or directly."""

    hold_id: str | None = None
    basket_id: str | None = None
    sku: str
    quantity: int
    channel: str
    location_id: str | None = None
    order_id: str
    line_id: str
    expires_at: Instant | None = None


class SourceOrderLine(Event, frozen=True, gc=False, kw_only=True):
    """Serve an order's line from a location."""

    order_id: str
    line_id: str
    sku: str
    location_id: str
    quantity: int
    reason: str | None = None


class RejectOrderLine(Event, frozen=True, gc=False, kw_only=True):
    """A location cannot serve an order's line."""

    order_id: str
    line_id: str
    sku: str
    location_id: str
    quantity: int
    reason: str


class PickStock(Event, frozen=True, gc=False, kw_only=True):
    """Take an order's units off the shelf."""

    order_id: str
    line_id: str
    sku: str
    location_id: str
    quantity: int


class DispatchStock(Event, frozen=True, gc=False, kw_only=True):
    """Hand an order's units over to a carrier or to the customer."""

    order_id: str
    line_id: str
    sku: str
    location_id: str
    quantity: int
    shipment_id: str | None = None


class CancelCommitment(Event, frozen=True, gc=False, kw_only=True):
    """Take back a promise of units to an order."""

    order_id: str
    line_id: str
    sku: str
    location_id: str | None = None
    quantity: int
    reason: str | None = None


class RequestTransfer(Event, frozen=True, gc=False, kw_only=True):
    """Send units from one location to another."""

    transfer_id: str
    sku: str
    from_location_id: str
    to_location_id: str
    owner: str = "own"
    quantity: int


class TransferShipped(Event, frozen=True, gc=False, kw_only=True):
    """Units of a transfer left."""

    transfer_id: str
    sku: str
    from_location_id: str
    to_location_id: str
    owner: str = "own"
    quantity: int


class TransferReceived(Event, frozen=True, gc=False, kw_only=True):
    """Units of a transfer arrived."""

    transfer_id: str
    sku: str
    from_location_id: str
    to_location_id: str
    owner: str = "own"
    quantity: int


class AllocateRing(Event, frozen=True, gc=False, kw_only=True):
    """Set units of a location apart for one channel."""

    sku: str
    channel: str
    location_id: str
    quantity: int


class SetSafetyStock(Event, frozen=True, gc=False, kw_only=True):
    """Never sell the last units of a location."""

    sku: str
    location_id: str
    quantity: int


class SetBuffer(Event, frozen=True, gc=False, kw_only=True):
    """Show a channel fewer units than there are."""

    sku: str
    channel: str
    location_id: str | None = None
    quantity: int


class StartRecall(Event, frozen=True, gc=False, kw_only=True):
    """Take a product off sale."""

    sku: str
    channel: str | None = None
    location_id: str | None = None
    quantity: int | None = None
    reason: str | None = None
