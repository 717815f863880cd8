"""Our own API's events: from a request body to whole events, with what the gateway adds to their meta.

JSON: one object, or a list of at most ITEMS_MAX, each `{"type": "SoldInStore", "meta": {...}, ...}`.
Avro: one event in Confluent framing.
The gateway sets `received_at`; `occurred_at` is at most that, and is that where it is missing; `event_id` is
derived where it is missing, so that an event which is sent again is the same event.
"""

import json
from collections import Counter
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, cast
from uuid import UUID

import msgspec

from connectors.gateway import strict_json
from connectors.gateway.forms import Faults, form_of
from connectors.gateway.problems import Problem
from connectors.nearest import nearest
from schemas import ids
from schemas.codec import Decode, Undecodable
from schemas.meta import Event
from schemas.topic import Topic
from schemas.topics import INPUTS

ITEMS_MAX = 1_000
RAW_OCCURRED_AT = "occurred_at_raw"
"""In `meta.context`: what the sender said, when its clock was ahead of ours."""

TYPES: dict[str, type[Event]] = {
    struct.__name__: struct for topic in INPUTS if topic.is_public for struct in topic.events
}
"""Every event type that a channel may send, by name."""

EVERY_INPUT = Topic("the gateway", tuple(TYPES.values()))
"""Stands for all input topics together when an Avro event is read: its schema says what it is."""


def json_items(raw: bytes) -> tuple[list[Any], bool]:
    """The items of a body, and whether it was a list. Raises Problem for no JSON or a long list."""
    try:
        found = strict_json.read(raw)
    except strict_json.NotJson as error:
        raise Problem(400, str(error)) from None
    if not isinstance(found, list):
        return [found], False
    if not 0 < len(found) <= ITEMS_MAX:
        raise Problem(400, f"a list holds 1 to {ITEMS_MAX} events")
    return found, True


def events_of(items: list[Any], received_at: int) -> list[Event | Problem]:
    """For each item its event, or the Problem that tells all its faults."""
    seen: Counter[str] = Counter()
    return [_event_or_problem(item, received_at, seen) for item in items]


def avro_event(raw: bytes, decode: Decode, received_at: int) -> Event:
    """The event that the framed bytes hold. Raises Problem, or RegistryAway: try later."""
    try:
        found = decode(raw)
    except Undecodable as error:
        raise Problem(422, error.detail, [{"pointer": "", "detail": error.reason.value}]) from None
    if not isinstance(found, Event):
        raise Problem(422, "this record type is not sent by channels")
    if not _is_uuid(found.meta.event_id):
        raise Problem(422, "meta.event_id must be a UUID")
    return _settled(found, received_at)


def _event_or_problem(item: Any, received_at: int, seen: Counter[str]) -> Event | Problem:
    try:
        return _event(item, received_at, seen)
    except Problem as problem:
        return problem


def _event(item: Any, received_at: int, seen: Counter[str]) -> Event:
    struct = _struct_of(item)
    faults = Faults()
    meta = _completed(item, struct.__name__, received_at, seen, faults)
    fields = {name: value for name, value in item.items() if name != "type"}
    found = form_of(struct)({**fields, "meta": meta}, "", faults)
    if found is None or faults.found:
        raise Problem(422, f"this {struct.__name__} has faults", faults.found)
    return _settled(cast(Event, found), received_at)


def _struct_of(item: Any) -> type[Event]:
    if not isinstance(item, dict):
        raise Problem(422, "an event is an object", [{"pointer": "", "detail": "must be an object"}])
    name = item.get("type")
    if not isinstance(name, str):
        raise Problem(
            422, "say which event it is", [{"pointer": "/type", "detail": "must be the event's name"}]
        )
    if name not in TYPES:
        reason = f"is no event that channels send{nearest(name, TYPES)}"
        raise Problem(422, f"the type {reason}", [{"pointer": "/type", "detail": reason}])
    return TYPES[name]


def _completed(item: dict[str, Any], name: str, received_at: int, seen: Counter[str], faults: Faults) -> Any:
    """The item's meta with the parts that the gateway may add, still in JSON's form."""
    meta = item.get("meta")
    if not isinstance(meta, dict):
        return meta
    now = _iso(received_at)
    return {
        "occurred_at": now,
        **meta,
        "event_id": _event_id(item, meta, name, seen, faults),
        "received_at": now,
    }


def _event_id(
    item: dict[str, Any], meta: dict[str, Any], name: str, seen: Counter[str], faults: Faults
) -> Any:
    """The sender's id; else derived from its own id of the event; else from all that the event says."""
    if "event_id" in meta:
        if not _is_uuid(meta["event_id"]):
            faults.note("/meta/event_id", "must be a UUID; put an id of your own into source_event_id")
        return meta["event_id"]
    source = str(meta.get("source"))
    if meta.get("source_event_id"):
        return ids.event_id(source, name, str(meta["source_event_id"]))
    if "occurred_at" not in meta:
        # Two equal facts without a time or an id could not be told from one that is sent again.
        faults.note(
            "/meta", "needs source_event_id, event_id or occurred_at, so that a repeat can be recognised"
        )
    digest = _digest(item)
    seen[digest] += 1
    return ids.event_id(source, name, f"{digest}:{seen[digest]}")


def _digest(item: dict[str, Any]) -> str:
    """The same for the same content, whatever the order of its names. What the gateway sets is left out."""
    meta = {name: value for name, value in item["meta"].items() if name != "received_at"}
    told = json.dumps({**item, "meta": meta}, sort_keys=True, default=str, separators=(",", ":"))
    return sha256(told.encode()).hexdigest()[:32]


def _settled(event: Event, received_at: int) -> Event:
    """The event as received now, and not later than now."""
    meta = event.meta
    if meta.occurred_at > received_at:
        context = {**meta.context, RAW_OCCURRED_AT: _iso(meta.occurred_at)}
        meta = msgspec.structs.replace(meta, occurred_at=received_at, context=context)
    meta = msgspec.structs.replace(meta, received_at=received_at, event_id=meta.event_id.lower())
    return msgspec.structs.replace(event, meta=meta)


def _is_uuid(value: Any) -> bool:
    try:
        return isinstance(value, str) and str(UUID(value)) == value.lower()
    except ValueError:
        return False


def _iso(instant: int) -> str:
    seconds, micros = divmod(instant, 1_000_000)
    return datetime.fromtimestamp(seconds, UTC).replace(microsecond=micros).isoformat()
