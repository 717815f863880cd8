"""DHL, all divisions: what is pushed for a subscription to an account's or a parcel's tracking (Unified Push).

| in a shipment | events |
| --- | --- |
| each of `events`, and `status` where none of them says the same | ParcelStatusReported |

A push holds a parcel's whole history: what was told before has the same event ids. The structure differs between
divisions; `statusCode` is what they share. A time without an offset is one of the source's `zone`.

DHL signs nothing: it sends the token that the subscription was made with, in the header that was chosen then (`header`;
developer.dhl.com, "Shipment Tracking - Unified - Push"). It wants an answer within 5 seconds and tries again.
"""

from collections.abc import Iterator

import msgspec

from connectors.protocol import documents, facts, parcels, signatures, values
from connectors.protocol.channel import Channel, Evidence, Option, Outcome, Refused, Request, Source
from connectors.protocol.documents import NotReadable, Unfit
from connectors.protocol.facts import Facts
from schemas.events.parcels import ParcelStatusReported
from schemas.meta import Event

MEDIUM = "carrier"
CARRIER = "dhl"
HEADER = "x-api-key"


class Address(msgspec.Struct, rename="camel"):
    country_code: str | None = None
    address_locality: str | None = None


class Place(msgspec.Struct):
    address: Address = msgspec.field(default_factory=Address)


class Status(msgspec.Struct, rename="camel"):
    timestamp: str | None = None
    status_code: str | None = None
    location: Place | None = None


class Shipment(msgspec.Struct, rename="camel"):
    id: str | int
    status: Status | None = None
    events: list[Status] = []
    estimated_time_of_delivery: str | None = None


def receive(request: Request, source: Source) -> Outcome:
    """All that is known of one shipment or several."""
    header = str(source.options.get("header", HEADER)).lower()
    if not signatures.same(source.secrets, request.header(header)):
        return Refused("the header does not hold the token")
    try:
        found = documents.parse(request.body)
    except NotReadable as error:
        return facts.put_aside(request.body, error)
    shipments = found.get("shipments", []) if isinstance(found, dict) else found
    if not isinstance(shipments, list):
        return facts.put_aside(request.body, Unfit("has no list of shipments"))
    made = Facts(request, source, MEDIUM)
    seen: set[str] = set()
    return facts.gather(shipments, lambda item: _told(made, source, documents.fit(item, Shipment), seen))


def _told(made: Facts, source: Source, shipment: Shipment, seen: set[str]) -> list[Event]:
    found: dict[str, Event] = {}
    for status in (*shipment.events, *([shipment.status] if shipment.status else [])):
        named = f"{shipment.id}:{status.timestamp or ''}:{status.status_code or ''}"
        if named not in seen:
            found[named] = _event(made, source, shipment, status, named)
    seen.update(found)
    return list(found.values())


def _event(made: Facts, source: Source, shipment: Shipment, status: Status, named: str) -> Event:
    at = None if status.timestamp is None else values.moment(status.timestamp, source.zone)
    meta = made.meta(ParcelStatusReported, named, at)
    expected = shipment.estimated_time_of_delivery if status is shipment.status else None
    return ParcelStatusReported(
        meta=meta,
        carrier=CARRIER,
        tracking_number=str(shipment.id),
        status=_STATUS.get((status.status_code or "").lower(), parcels.UNKNOWN),
        raw_code=status.status_code,
        at=meta.occurred_at,
        location=_where(status.location),
        expected_at=None if expected is None else values.moment(expected, source.zone),
    )


def _where(place: Place | None) -> str | None:
    parts: Iterator[str | None] = iter(())
    if place is not None:
        parts = iter((place.address.address_locality, place.address.country_code))
    return ", ".join(filter(None, parts)) or None


_STATUS = {
    "pre-transit": parcels.ANNOUNCED,
    "transit": parcels.IN_TRANSIT,
    "delivered": parcels.DELIVERED,
    "failure": parcels.EXCEPTION,
}

CHANNEL = Channel(
    name="dhl",
    title="DHL",
    medium=MEDIUM,
    receive=receive,
    proof="credential",
    evidence=Evidence("documented", "documented", "developer.dhl.com (Unified Push: 101 guide, collection)"),
    options=(Option("header", f"the header that the subscription's token comes in; else {HEADER}"),),
)
