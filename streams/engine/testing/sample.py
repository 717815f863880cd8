"""A view made up for the storm, with all that a view can have; and events for it that spare it nothing."""

import random
from dataclasses import dataclass
from typing import Any

from schemas.meta import Event, Meta, Snapshot
from schemas.topic import Topic
from streams.view import Output, Record, State, Step, Tick, View

DAY_US = 86_400_000_000
EVENTS = 60
KEYS = 6
RINGS = 3
"""After so many alarms without an event a key is forgotten."""
FULL = 12
"""A place that holds so many units is emptied."""
FORGETS, RAISES = 0, 666


class Moved(Event, frozen=True, kw_only=True):
    """Units came to a place."""

    units: int
    place: str = ""


class Level(Snapshot, kw_only=True):
    """All units of one key, and how often its alarm went off since the last event."""

    units: int
    rings: int


class Head(Record):
    units: int = 0
    rings: int = 0
    last_at: int = 0


class Place(Record):
    units: int = 0


class Visit(Record):
    at: int = 0


MOVED = Topic("sample.moved.v1", (Moved,))
ALSO_MOVED = Topic("sample.also-moved.v1", (Moved,))
LEVELS = Topic("sample.levels.v1", (Level,), cleanup="compact")
PASSED = Topic("sample.passed.v1", (Moved,))


@dataclass(frozen=True, slots=True)
class Sent:
    """A record that someone produces: an event, or bytes that are none."""

    topic: Topic
    key: str
    event: Any


def moved(event_id: str, at: int, units: int, place: str) -> Moved:
    """One event."""
    meta = Meta(event_id=event_id, occurred_at=at, received_at=at, channel="store", source="sample")
    return Moved(meta=meta, units=units, place=place)


def fold(state: State[Head], event: Moved | Tick) -> Step:
    """Adds up units. Alarms go off a day after the last event, then later and later, then the key is forgotten."""
    head = state.head or Head()
    return _rung(state.key, head, event.at) if isinstance(event, Tick) else _moved(state, head, event)


def _moved(state: State[Head], head: Head, event: Moved) -> Step:
    head.units += event.units
    if event.units == RAISES:
        raise ValueError("this many units cannot be")
    if event.units == FORGETS:
        return Step(None, [Output(LEVELS, state.key, None)])
    head.last_at, head.rings = max(head.last_at, event.meta.occurred_at), 0
    place = state["places"].get((event.place,)) or Place()
    place.units += event.units
    state["places"][(event.place,)] = place
    if place.units >= FULL:
        del state["places"][(event.place,)]
    state["visits"][(event.place, str(len(state["visits"]) % 4))] = Visit(event.meta.occurred_at)
    outputs = [_level(state.key, head, event.meta.occurred_at), Output(PASSED, state.key, event)]
    return Step(head, outputs, wake_at=head.last_at + DAY_US)


def _rung(key: str, head: Head, at: int) -> Step:
    head.rings += 1
    if (head.units + head.rings) % 11 == 0:
        raise ValueError("an alarm cannot be rung for this many units")
    if head.rings == RINGS:
        return Step(None, [Output(LEVELS, key, None)])
    return Step(head, [_level(key, head, at)], wake_at=at + head.rings * DAY_US)


def _level(key: str, head: Head, at: int) -> Output:
    return Output(LEVELS, key, Level(units=head.units, rings=head.rings, updated_at=at))


VIEW = View(
    name="sample",
    sources=(MOVED, ALSO_MOVED),
    outputs=(LEVELS, PASSED),
    head=Head,
    fold=fold,
    collections={"places": Place, "visits": Visit},
    commit_interval_ms=0,
)


def load(seed: int) -> list[Sent]:
    """Events of a few keys over some days, late ones too; some forget their key, some raise, some are rubbish."""
    chance = random.Random(f"load {seed}")  # noqa: S311
    return [_sent(chance, number) for number in range(EVENTS)]


def _sent(chance: random.Random, number: int) -> Sent:
    key, topic = f"key-{chance.randrange(KEYS)}", chance.choice(VIEW.sources)
    if chance.random() < 0.03:
        return Sent(topic, key, b"rubbish")
    at = max(1, number * DAY_US // 8 - chance.choice((0, 0, DAY_US // 2)))
    units = chance.choice((*range(1, 9), FORGETS, RAISES))
    return Sent(topic, key, moved(f"e{number}", at, units, chance.choice("abc")))
