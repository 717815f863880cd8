"""PostNL's status documents (`/shipment/v2/status`), which are asked for: PostNL has no open webhook.

| trap | what is done |
| --- | --- |
| an empty thing is the text "{}", or "" | it is None |
| `TimeStamp` is dd-mm-yyyy hh:mm:ss, `Timestamp` is ISO 8601, both without a zone | both are Europe/Amsterdam |
| one shipment or one status instead of a list of one | it is a list of one |
| HTML entities in descriptions | they are not read: codes are |
| codes are texts, with leading zeros | they are compared without |

`PhaseCode`: 1 collection, 2 sorting, 3 distribution, 4 delivered, 99 not applicable; another is unknown
(PostNL's SDK, doc/controllers/shipping-status.md).
"""

import re
from typing import Any

from connectors.protocol import documents, facts, parcels, values
from connectors.protocol.channel import Verdict
from connectors.protocol.documents import Unfit
from connectors.protocol.facts import Facts
from schemas.events.parcels import ParcelStatusReported
from schemas.meta import Event, Instant

CARRIER, ZONE = "postnl", "Europe/Amsterdam"
CUSTOMER = "customer_number"
"""The option by which a source says whose shipments are asked for."""
EMPTY = ("{}", "", None)
_DUTCH = re.compile(r"(\d\d)-(\d\d)-(\d{4}) (\d\d:\d\d:\d\d)")


def statuses(made: Facts, raw: bytes) -> Verdict:
    """What a document says of its shipments: every status in their history, and the current one. Raises NotReadable."""
    found = documents.parse(raw)
    inner = _member(found, "CurrentStatus") or _member(found, "CompleteStatus") or found
    told = inner if isinstance(inner, list) else _list(_member(inner, "Shipment"))
    shipments = [each for each in told if _plain(each) is not None]
    seen: set[str] = set()
    return facts.gather(shipments, lambda item: _told(made, item, seen))


def moment(told: str) -> Instant:
    """A time in either of its forms. Raises Unfit."""
    dutch = _DUTCH.fullmatch(told.strip())
    if dutch:
        day, month, year, clock = dutch.groups()
        told = f"{year}-{month}-{day}T{clock}"
    return values.moment(told, ZONE)


def _told(made: Facts, shipment: Any, seen: set[str]) -> list[Event]:
    number = _plain(_member(shipment, "Barcode"))
    if not isinstance(number, str):
        raise Unfit("a shipment has no Barcode")
    history = (*_list(_member(shipment, "OldStatus")), *_list(_member(shipment, "Status")))
    found: dict[str, Event] = {}
    for status in history:
        event = _event(made, number, _plain(_member(shipment, "Reference")), status)
        if event is not None and event.meta.event_id not in seen:
            found[event.meta.event_id] = event
    seen.update(found)
    return list(found.values())


def _event(made: Facts, number: str, reference: Any, status: Any) -> ParcelStatusReported | None:
    told = _plain(_member(status, "TimeStamp")) or _plain(_member(status, "Timestamp"))
    if told is None:
        return None
    code = str(_plain(_member(status, "StatusCode")) or _plain(_member(status, "Code")) or "")
    phase = str(_plain(_member(status, "PhaseCode")) or "")
    at = moment(str(told))
    meta = made.meta(ParcelStatusReported, f"{number}:{at}:{phase.lstrip('0')}:{code.lstrip('0')}", at)
    return ParcelStatusReported(
        meta=meta,
        carrier=CARRIER,
        tracking_number=number,
        status=_PHASES.get(phase.lstrip("0"), parcels.UNKNOWN),
        raw_code=f"{phase}/{code}",
        at=meta.occurred_at,
        order_reference=reference if isinstance(reference, str) else None,
    )


def _member(value: Any, name: str) -> Any:
    return value.get(name) if isinstance(value, dict) else None


def _plain(value: Any) -> Any:
    return None if value in EMPTY or value == {} else value


def _list(value: Any) -> list[Any]:
    if _plain(value) is None:
        return []
    return value if isinstance(value, list) else [value]


_PHASES = {
    "1": parcels.COLLECTED,
    "2": parcels.IN_TRANSIT,
    "3": parcels.OUT_FOR_DELIVERY,
    "4": parcels.DELIVERED,
}
