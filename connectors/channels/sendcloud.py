"""Sendcloud: what carriers say of parcels that were sent through it.

| action | events |
| --- | --- |
| parcel_status_changed | ParcelStatusReported, and ParcelLinked where the shop's own order id is known |
| parcel_status_changed before there is a tracking number | nothing |
| integration_connected and the like, test_webhook | nothing |

What counts is `status.id`; its message is for people. Requests come late and in any order: when it was so says
`carrier_status_change_timestamp` (milliseconds). `carrier` is missing from older forms; the first word of the shipping
method then names it, if it is that of a carrier.

Signature: hexadecimal HMAC-SHA256 of the body with the integration's secret key (sendcloud.dev, "Webhooks overview",
"Parcel status changed"; Webador/sendcloud, src/Model/Parcel.php for the statuses).
"""

from collections.abc import Iterator

import msgspec

from connectors.protocol import documents, facts, parcels, people, signatures, values
from connectors.protocol.channel import Channel, Evidence, Outcome, Refused, Request, Source, Verdict
from connectors.protocol.documents import NotReadable, Unfit
from connectors.protocol.facts import Facts
from schemas.events.parcels import ParcelLinked, ParcelStatusReported
from schemas.meta import Event

MEDIUM = "carrier"
CHANGED = "parcel_status_changed"
CARRIERS = {
    "bpost",
    "colissimo",
    "correos",
    "dhl",
    "dpd",
    "fedex",
    "gls",
    "inpost",
    "postnl",
    "trunkrs",
    "ups",
}
SENDCLOUD = "sendcloud"
"""Stands for a carrier that is not named."""


class Status(msgspec.Struct):
    id: int | str


class Named(msgspec.Struct):
    code: str | None = None
    name: str | None = None


class Parcel(msgspec.Struct):
    id: int | str
    status: Status
    tracking_number: str | None = None
    order_number: str | None = None
    external_order_id: str | None = None
    external_shipment_id: str | None = None
    email: str | None = None
    carrier: Named | None = None
    shipment: Named | None = None


class Action(msgspec.Struct):
    action: str
    timestamp: int | None = None
    carrier_status_change_timestamp: int | None = None
    parcel: Parcel | None = None


def receive(request: Request, source: Source) -> Outcome:
    """One change of one parcel."""
    if not signatures.hmac_hex(source.secrets, request.body, request.header("sendcloud-signature")):
        return Refused("the signature does not fit")
    try:
        found = documents.read(request.body, Action)
        if found.action != CHANGED or found.parcel is None:
            return Verdict()
        return Verdict(list(_changed(Facts(request, source, MEDIUM), source, found, found.parcel)))
    except (NotReadable, Unfit) as error:
        return facts.put_aside(request.body, error)


def _changed(made: Facts, source: Source, found: Action, parcel: Parcel) -> Iterator[Event]:
    number, code = parcel.tracking_number, str(parcel.status.id)
    if not number:
        return
    told = found.carrier_status_change_timestamp or found.timestamp
    at = None if told is None else values.millis(told)
    carrier = _carrier(parcel)
    who = people.known_as(source.name, email=parcel.email)
    meta = made.meta(ParcelStatusReported, f"{parcel.id}:{code}:{told or ''}", at, who)
    yield ParcelStatusReported(
        meta=meta,
        carrier=carrier,
        tracking_number=number,
        status=_STATUS.get(code, parcels.UNKNOWN),
        raw_code=code,
        at=meta.occurred_at,
        order_reference=parcel.order_number or None,
    )
    if parcel.external_order_id:
        yield ParcelLinked(
            meta=made.meta(ParcelLinked, f"{carrier}:{number}:{parcel.external_order_id}", at, who),
            carrier=carrier,
            tracking_number=number,
            order_id=parcel.external_order_id,
            shipment_id=parcel.external_shipment_id or None,
        )


def _carrier(parcel: Parcel) -> str:
    if parcel.carrier and parcel.carrier.code:
        return parcel.carrier.code.lower()
    words = (parcel.shipment.name if parcel.shipment else None) or ""
    word = words.lower().partition(" ")[0]
    return word if word in CARRIERS else SENDCLOUD


_STATUS = {
    "1": parcels.ANNOUNCED,
    "13": parcels.ANNOUNCED,
    "999": parcels.ANNOUNCED,
    "1000": parcels.ANNOUNCED,
    "1001": parcels.ANNOUNCED,
    "1002": parcels.EXCEPTION,
    "22": parcels.COLLECTED,
    "3": parcels.IN_TRANSIT,
    "5": parcels.IN_TRANSIT,
    "6": parcels.IN_TRANSIT,
    "7": parcels.IN_TRANSIT,
    "91": parcels.IN_TRANSIT,
    "92": parcels.OUT_FOR_DELIVERY,
    "12": parcels.AT_PICKUP_POINT,
    "11": parcels.DELIVERED,
    "93": parcels.DELIVERED,
    "8": parcels.FAILED_ATTEMPT,
    "4": parcels.EXCEPTION,
    "15": parcels.EXCEPTION,
    "80": parcels.EXCEPTION,
    "1998": parcels.CANCELLED,
    "1999": parcels.CANCELLED,
    "2000": parcels.CANCELLED,
    "2001": parcels.CANCELLED,
}

CHANNEL = Channel(
    name="sendcloud",
    title="Sendcloud",
    medium=MEDIUM,
    receive=receive,
    proof="signature",
    evidence=Evidence(
        "vendor's vector", "documented", "sendcloud.dev; Webador/sendcloud for the meaning of status ids"
    ),
)
