"""What happens to stock, and what is expected: facts, which are never refused."""

from schemas.meta import Event, Instant


class StockSold(Event, frozen=True, gc=False, kw_only=True):
    """Units of a product were sold and left a shelf."""

    sku: str
    location_id: str
    owner: str = "own"
    quantity: int
    unit: str = "piece"
    document_id: str
    line_id: str


class StockSaleVoided(Event, frozen=True, gc=False, kw_only=True):
    """A sale was made undone: its units lie on the shelf again."""

    sku: str
    location_id: str
    owner: str = "own"
    quantity: int
    unit: str = "piece"
    document_id: str
    line_id: str


class StockCounted(Event, frozen=True, gc=False, kw_only=True):
    """Someone counted what lies on a shelf."""

    sku: str
    location_id: str
    owner: str = "own"
    quantities: dict[str, int]
    unit: str = "piece"
    as_of: Instant
    count_id: str


class StockLevelReported(Event, frozen=True, gc=False, kw_only=True):
    """Another system says what it has on a shelf."""

    sku: str
    location_id: str
    owner: str = "own"
    quantities: dict[str, int]
    unit: str = "piece"
    as_of: Instant | None = None
    count_id: str | None = None
    version: int | None = None


class StockReceived(Event, frozen=True, gc=False, kw_only=True):
    """Units arrived."""

    sku: str
    location_id: str
    origin: str | None = None
    owner: str = "own"
    quantity: int
    unit: str = "piece"
    reason: str | None = None
    document_id: str | None = None
    line_id: str | None = None
    disposition: str = "available"


class StockShipped(Event, frozen=True, gc=False, kw_only=True):
    """Units left for elsewhere."""

    sku: str
    location_id: str
    destination: str | None = None
    owner: str = "own"
    quantity: int
    unit: str = "piece"
    reason: str | None = None
    document_id: str | None = None
    line_id: str | None = None


class StockMoved(Event, frozen=True, gc=False, kw_only=True):
    """Units moved between two buckets of a shelf."""

    sku: str
    location_id: str
    from_bucket: str
    to_bucket: str
    owner: str = "own"
    quantity: int
    unit: str = "piece"
    reason: str | None = None
    document_id: str | None = None


class StockAdjusted(Event, frozen=True, gc=False, kw_only=True):
    """Units were found, or are gone without a sale."""

    sku: str
    location_id: str
    owner: str = "own"
    bucket: str = "available"
    quantity: int
    unit: str = "piece"
    reason: str
    document_id: str | None = None


class StockInspected(Event, frozen=True, gc=False, kw_only=True):
    """Units in quality control were looked at."""

    sku: str
    location_id: str
    owner: str = "own"
    quantity: int
    unit: str = "piece"
    disposition: str
    reason: str | None = None
    document_id: str | None = None


class InboundAnnounced(Event, frozen=True, gc=False, kw_only=True):
    """Units are expected."""

    document_id: str
    line_id: str | None = None
    sku: str
    location_id: str
    owner: str = "own"
    quantity: int
    unit: str = "piece"
    expected_at: Instant | None = None


class InboundChanged(Event, frozen=True, gc=False, kw_only=True):
    """What is expected is now another number, or another day."""

    document_id: str
    line_id: str | None = None
    sku: str
    location_id: str
    owner: str = "own"
    quantity: int
    unit: str = "piece"
    expected_at: Instant | None = None


class InboundCancelled(Event, frozen=True, gc=False, kw_only=True):
    """Units are no longer expected."""

    document_id: str
    line_id: str | None = None
    sku: str
    location_id: str
    owner: str = "own"
    quantity: int
    unit: str = "piece"
    expected_at: Instant | None = None


class SellerStockDeclared(Event, frozen=True, gc=False, kw_only=True):
    """A seller says how many units they have to sell."""

    sku: str
    owner: str
    location_id: str
    quantity: int
    unit: str = "piece"
    seq: int


class StockFactCorrected(Event, frozen=True, gc=False, kw_only=True):
    """An earlier fact was wrong about its number of units."""

    sku: str
    location_id: str
    owner: str = "own"
    corrects_event_id: str
    quantity: int
    unit: str = "piece"
    reason: str | None = None
