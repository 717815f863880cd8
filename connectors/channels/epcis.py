"""EPCIS 1.2 and 2.0 (GS1): what happened to goods, as JSON or XML: documents, answers to queries, bare events.

| business step of an object or transaction event | events, one for each product |
| --- | --- |
| receiving, arriving | StockReceived |
| shipping, departing | StockShipped |
| retail_selling | StockSold |
| inspecting | StockInspected |
| holding, storing | StockMoved: from available to blocked, and back |
| with an errorDeclaration | StockFactCorrected to nothing, of each fact that the event stood for |
| another step, another kind of event | nothing |

EPCs are counted by GTIN; a quantity has a unit (kilograms become grams and so on). What a GTIN's sku is, the reference
`gtin` says, else the GTIN is the sku. Words of the vocabulary come bare, as URNs and as links. An event is known by its
eventID, without one by its content without what changes when it is told again. A place is its bizLocation, else its
readPoint (option `locations`).

A sender carries a token or a password of ours (`Authorization`). A body that nobody can read is answered with 400
(gs1/EPCIS, REST bindings: `POST /capture`).
"""

from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import msgspec

from connectors.protocol import credentials, documents, facts, values
from connectors.protocol.channel import (
    BATCH_BYTES_MAX,
    Answer,
    Answers,
    Channel,
    Evidence,
    Malformed,
    Option,
    Outcome,
    Refused,
    Request,
    Source,
)
from connectors.protocol.documents import NotReadable, Unfit
from connectors.protocol.facts import Facts
from connectors.vendors.epcis import xml_form
from connectors.vendors.epcis.gtins import gtin_of
from schemas import ids
from schemas.events.stock import (
    StockFactCorrected,
    StockInspected,
    StockMoved,
    StockReceived,
    StockShipped,
    StockSold,
)
from schemas.meta import Event

MEDIUM = "warehouse"
GTIN = "gtin"
AMOUNT_STEPS = 10_000
KINDS = frozenset({"ObjectEvent", "TransactionEvent"})
TOLD_ANEW = ("recordTime", "errorDeclaration")
UNITS = {"KGM": ("g", 1_000), "GRM": ("g", 1), "LTR": ("ml", 1_000), "MLT": ("ml", 1), "MTR": ("mm", 1_000)}
STEPS: dict[str, type[Event]] = {
    "receiving": StockReceived,
    "arriving": StockReceived,
    "shipping": StockShipped,
    "departing": StockShipped,
    "retail_selling": StockSold,
    "inspecting": StockInspected,
    "holding": StockMoved,
    "storing": StockMoved,
}


class Place(msgspec.Struct):
    id: str | None = None


class Quantity(msgspec.Struct, rename="camel"):
    epc_class: str
    quantity: Decimal = Decimal(0)
    uom: str | None = None


class Transaction(msgspec.Struct, rename="camel"):
    biz_transaction: str
    type: str | None = None


class Declared(msgspec.Struct):
    reason: str | None = None


class Happened(msgspec.Struct, rename="camel"):
    type: str
    event_time: str
    event_id: str | None = msgspec.field(default=None, name="eventID")
    event_time_zone_offset: str | None = None
    biz_step: str = ""
    disposition: str | None = None
    epc_list: list[str] = []
    quantity_list: list[Quantity] = []
    read_point: Place | None = None
    biz_location: Place | None = None
    biz_transaction_list: list[Transaction] = []
    error_declaration: Declared | None = None


def receive(request: Request, source: Source) -> Outcome:
    """All the events of one document."""
    if not credentials.are_right(request, source):
        return Refused("the credential does not fit")
    try:
        found = _events(request.body)
    except NotReadable as error:
        return Malformed(str(error))
    return facts.gather(found, Stream(request, source).told)


class Stream:
    """Reads the events of one request. One that is told twice in it is told once."""

    def __init__(self, request: Request, source: Source) -> None:
        self._made = Facts(request, source, MEDIUM)
        self._source = source
        self._seen: set[str] = set()

    def told(self, item: Any) -> list[Event]:
        if not isinstance(item, dict):
            raise Unfit("must be an object")
        if item.get("type") not in KINDS:
            return []
        found = documents.fit(item, Happened)
        kind = STEPS.get(_word(found.biz_step))
        events = [] if kind is None else list(self._facts(kind, found, found.event_id or _content(item)))
        new = [event for event in events if event.meta.event_id not in self._seen]
        self._seen.update(event.meta.event_id for event in new)
        return new

    def _facts(self, kind: type[Event], found: Happened, named: str) -> Iterator[Event]:
        at, place = (
            values.moment(found.event_time, found.event_time_zone_offset and "UTC"),
            self._place(found),
        )
        for (gtin, unit), quantity in _counted(found).items():
            about: dict[str, Any] = {
                "sku": self._source.reference(GTIN, gtin) or gtin,
                "location_id": place,
                "quantity": quantity,
                "unit": unit,
            }
            business_id = f"{named}:{gtin}:{unit}"
            if found.error_declaration is not None:
                corrected = ids.event_id(self._source.name, kind.__name__, business_id)
                yield StockFactCorrected(
                    meta=self._made.meta(StockFactCorrected, business_id, None),
                    corrects_event_id=corrected,
                    reason=found.error_declaration.reason,
                    **{**about, "quantity": 0},
                )
                continue
            meta = self._made.meta(kind, business_id, at)
            yield kind(meta=meta, **about, **_further(kind, found, named, gtin))

    def _place(self, found: Happened) -> str:
        place = next((each.id for each in (found.biz_location, found.read_point) if each and each.id), None)
        if place is None:
            raise Unfit("has neither bizLocation nor readPoint")
        locations: Any = self._source.options.get("locations", {})
        return str(locations.get(place, place))


def _events(body: bytes) -> list[Any]:
    if body.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
        return list(xml_form.events(body, KINDS))
    found = documents.parse(body)
    if isinstance(found, list):
        return found
    if not isinstance(found, dict):
        raise NotReadable("it is no document and no event")
    inner = found.get("epcisBody")
    if not isinstance(inner, dict):
        return [found]
    results = inner.get("queryResults")
    body_of = results.get("resultsBody") if isinstance(results, dict) else inner
    events = body_of.get("eventList", body_of.get("event", [])) if isinstance(body_of, dict) else []
    return events if isinstance(events, list) else [events]


def _counted(found: Happened) -> Counter[tuple[str, str]]:
    counted: Counter[tuple[str, str]] = Counter()
    for epc in found.epc_list:
        if gtin := gtin_of(epc):
            counted[gtin, "piece"] += 1
    for each in found.quantity_list:
        unit, times = UNITS.get(each.uom or "", ("piece", 1))
        if gtin := gtin_of(each.epc_class):
            counted[gtin, unit] += _units(each.quantity, times)
    return counted


def _units(quantity: Decimal, times: int) -> int:
    units, rest = divmod(values.amount(quantity) * times, AMOUNT_STEPS)
    if rest:
        raise Unfit("a quantity must be whole in its unit")
    return units


def _further(kind: type[Event], found: Happened, named: str, gtin: str) -> dict[str, Any]:
    """What a fact has beyond its product, place and quantity."""
    document = next((each.biz_transaction for each in found.biz_transaction_list), named)
    if kind is StockSold:
        return {"document_id": document, "line_id": gtin}
    if kind is StockInspected:
        return {"document_id": document, "disposition": _word(found.disposition or "") or "unknown"}
    if kind is StockMoved:
        is_held = _word(found.biz_step) == "holding"
        way = ("available", "blocked") if is_held else ("blocked", "available")
        return {"document_id": document, "from_bucket": way[0], "to_bucket": way[1]}
    return {"document_id": document}


def _content(item: dict[str, Any]) -> str:
    return ids.uuid5(
        f"epcis:{documents.written({k: v for k, v in sorted(item.items()) if k not in TOLD_ANEW})!r}"
    )


def _word(told: str) -> str:
    """`receiving` of `urn:epcglobal:cbv:bizstep:receiving` and `https://ref.gs1.org/cbv/BizStep-receiving`."""
    return told.rpartition(":")[2].rpartition("/")[2].rpartition("-")[2]


CHANNEL = Channel(
    name="epcis",
    title="EPCIS",
    medium=MEDIUM,
    receive=receive,
    proof="credential",
    evidence=Evidence(
        "documented", "documented", "gs1/EPCIS (REST bindings, JSON schema, XML schema); GS1 TDS for EPCs"
    ),
    answers=Answers(ok=Answer(202)),
    options=(Option("locations", "which place of ours an SGLN or a link is", is_map=True),),
    body_bytes_max=BATCH_BYTES_MAX,
)
