"""Prices: set, sent to a channel, acknowledged there, seen by a customer."""

from schemas.meta import Amount, Event, Instant


class PriceSet(Event, frozen=True, gc=False, kw_only=True):
    """A price was decided."""

    sku: str
    channel: str | None = None
    location_id: str | None = None
    currency: str
    amount: Amount
    tax_mode: str = "included"
    valid_from: Instant | None = None
    valid_to: Instant | None = None
    version: int | None = None


class PricePublished(Event, frozen=True, gc=False, kw_only=True):
    """A price was sent to a channel."""

    sku: str
    channel: str
    location_id: str | None = None
    currency: str
    amount: Amount
    tax_mode: str = "included"
    version: int | None = None


class PriceAcknowledged(Event, frozen=True, gc=False, kw_only=True):
    """A channel took a price over."""

    sku: str
    channel: str
    location_id: str | None = None
    version: int | None = None


class PriceObserved(Event, frozen=True, gc=False, kw_only=True):
    """A price was seen at a channel or a till."""

    sku: str
    channel: str
    location_id: str | None = None
    currency: str
    amount: Amount
    tax_mode: str = "included"
    how: str
