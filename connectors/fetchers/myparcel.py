"""MyParcel: a shipment that a hook pointed at (`GET /shipments/{id}`; developer.myparcel.nl, "Shipments").

Times are Dutch and have no zone. `basic` and the base64 of the API key are the authorization.
"""

import base64
from collections.abc import Mapping

import msgspec

from connectors.channels.myparcel import MEDIUM, SHIPMENT
from connectors.protocol import documents, facts, parcels, values
from connectors.protocol.channel import Source
from connectors.protocol.facts import Facts
from connectors.protocol.fetcher import Fetcher
from connectors.protocol.poller import Answered, Api, Ask, Page, as_request
from schemas.events.parcels import ParcelStatusReported
from schemas.meta import Event

ZONE = "Europe/Amsterdam"
GONE = 404
CARRIERS = {1: "postnl", 2: "bpost", 4: "dpd", 8: "ups", 9: "dhl", 10: "dhl", 11: "dhl", 12: "dhl"}


class _Shipment(msgspec.Struct):
    id: int
    status: int
    modified: str
    barcode: str | None = None
    carrier_id: int | None = None
    reference_identifier: str | None = None


class _Data(msgspec.Struct):
    shipments: list[object] = []


class _Told(msgspec.Struct):
    data: _Data


def _authorized(token: str) -> Mapping[str, str]:
    return {"Authorization": f"basic {base64.b64encode(token.encode()).decode()}"}


def _ask(shipment_id: str, _: str, __: Source) -> Ask:
    return Ask(f"shipments/{shipment_id}")


def _read(answer: Answered, _: str, source: Source) -> Page:
    """A shipment without a barcode is a concept: nothing is on its way yet."""
    if answer.status == GONE:
        return Page()
    made = Facts(as_request(answer), source, MEDIUM)

    def events(item: object) -> list[Event]:
        found = documents.fit(item, _Shipment)
        return [_status(made, found, found.barcode)] if found.barcode else []

    told = documents.fit(documents.parse(answer.body), _Told)
    verdict = facts.gather(told.data.shipments, events)
    return Page(verdict.events, verdict.rejects)


def _status(made: Facts, found: _Shipment, barcode: str) -> Event:
    at = values.moment(found.modified, ZONE)
    meta = made.meta(ParcelStatusReported, f"{barcode}:{found.status}:{found.modified}", at)
    return ParcelStatusReported(
        meta=meta,
        carrier=CARRIERS.get(found.carrier_id or 0, "unknown"),
        tracking_number=barcode,
        status=_STATUSES.get(found.status, parcels.UNKNOWN),
        raw_code=str(found.status),
        at=meta.occurred_at,
        order_reference=found.reference_identifier,
    )


_STATUSES = {
    1: parcels.ANNOUNCED,
    2: parcels.ANNOUNCED,
    3: parcels.COLLECTED,
    4: parcels.IN_TRANSIT,
    5: parcels.OUT_FOR_DELIVERY,
    6: parcels.IN_TRANSIT,
    7: parcels.DELIVERED,
    8: parcels.AT_PICKUP_POINT,
    9: parcels.DELIVERED,
    10: parcels.RETURNING,
    11: parcels.RETURNING,
    30: parcels.EXCEPTION,
    31: parcels.EXCEPTION,
}

FETCHERS = (Fetcher("myparcel", SHIPMENT, Api(_authorized, reads=frozenset({GONE})), _ask, _read),)
