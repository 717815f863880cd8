"""A small view for the engine's own tests: counts units per key, remembers places, rings a day after the last event."""

from dataclasses import replace

import msgspec

from schemas.codec import Reason, Undecodable
from schemas.events.clock import ClockAdvanced
from schemas.events.dead_letters import DeadLettered, LetterReplayed, LetterSkipped
from schemas.meta import Event, Meta, Snapshot
from schemas.topic import Topic
from streams.view import Output, Record, State, Step, Tick, View

DAY = 86_400_000_000


class Counted(Event, frozen=True, kw_only=True):
    """Units seen somewhere."""

    units: int
    place: str = ""


class CountLevel(Snapshot, kw_only=True):
    """The newest count of one key."""

    units: int
    rung: int


class Head(Record):
    units: int = 0
    rung: int = 0
    last_at: int = 0


class Place(Record):
    units: int = 0


COUNTED = Topic("test.counted.v1", (Counted,), key=lambda event, secret: event.place)
ALSO_COUNTED = Topic("test.also-counted.v1", (Counted,), key=lambda event, secret: event.place)
LEVELS = Topic("test.levels.v1", (CountLevel,), cleanup="compact")
PASSED = Topic("test.passed.v1", (Counted,))


def event(units: int, at: int = 0, place: str = "here", event_id: str = "e") -> Counted:
    return Counted(
        meta=Meta(event_id=event_id, occurred_at=at, received_at=at, channel="store", source="test"),
        units=units,
        place=place,
    )


def fold(state: State[Head], counted: Counted | Tick) -> Step:
    head = state.head or Head()
    if isinstance(counted, Tick):
        head.rung += 1
        return Step(head, [_level(state.key, head, counted.at)])
    if counted.units == 666:
        head.units = -1
        raise ValueError("this many units cannot be")
    if counted.units == 0:
        return Step(None)
    head.units += counted.units
    head.last_at = max(head.last_at, counted.meta.occurred_at)
    place = state["places"].get((counted.place,)) or Place()
    place.units += counted.units
    state["places"][(counted.place,)] = place
    outputs = [_level(state.key, head, counted.meta.occurred_at), Output(PASSED, state.key, counted)]
    return Step(head, outputs, wake_at=head.last_at + DAY)


def _level(key: str, head: Head, at: int) -> Output:
    return Output(LEVELS, key, CountLevel(units=head.units, rung=head.rung, updated_at=at))


VIEW = View(
    name="counting",
    sources=(COUNTED,),
    outputs=(LEVELS, PASSED),
    head=Head,
    fold=fold,
    collections={"places": Place},
    commit_interval_ms=0,
)
STORMY = replace(VIEW, sources=(COUNTED, ALSO_COUNTED))
"""The same with two sources."""
KINDS: dict[str, type] = {
    kind.__name__: kind
    for kind in (Counted, CountLevel, ClockAdvanced, DeadLettered, LetterReplayed, LetterSkipped)
}


def encode(record: object) -> bytes:
    """Not Avro: the engine does not care, and these records have no schema."""
    return msgspec.json.encode([type(record).__name__, record])


def encoder(topic: Topic, kind: type):  # type: ignore[no-untyped-def]
    return encode


def decode(encoded: bytes) -> object:
    try:
        name, fields = msgspec.json.decode(encoded, type=tuple[str, msgspec.Raw])
    except msgspec.DecodeError as error:
        raise Undecodable(Reason.JSON, "not a JSON record") from error
    return msgspec.json.decode(fields, type=KINDS[name])
