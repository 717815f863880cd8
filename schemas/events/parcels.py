"""What carriers say about parcels, and which order a parcel belongs to."""

from schemas.meta import Event, Instant


class ParcelStatusReported(Event, frozen=True, gc=False, kw_only=True):
    """A carrier said where a parcel is."""

    carrier: str
    tracking_number: str
    status: str
    raw_code: str | None = None
    at: Instant
    location: str | None = None
    order_reference: str | None = None
    expected_at: Instant | None = None


class ParcelLinked(Event, frozen=True, gc=False, kw_only=True):
    """A parcel belongs to an order."""

    carrier: str
    tracking_number: str
    order_id: str
    shipment_id: str | None = None
