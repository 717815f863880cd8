"""Drives one view by hand: events in, the clock forward, outputs and states out. The engine under it is real.

driver = Driver(VIEW)
driver.send("sku-1", counted("sku-1", 5))
driver.send("sku-1", sold("sku-1", 2))
assert driver.last(LEVELS)["sku-1"].available == 3
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any, Protocol

from schemas.events.dead_letters import DeadLettered
from schemas.topic import Topic
from schemas.topics import DEAD_LETTERS, SETTLED_LETTERS
from streams.engine import records
from streams.engine.lane import Lane
from streams.engine.replay import writers_of
from streams.engine.stores import LaneStore, MemoryStore
from streams.engine.surroundings import Surroundings
from streams.engine.testing.coding import Plain
from streams.engine.testing.memory_log import MemoryLog
from streams.engine.work import Kinds, time_of
from streams.view import Part, View


class Coding(Protocol):
    """Bytes to records and back: `Plain`, or a schemas.codec.Codec."""

    def decoder(self, topic: Topic) -> Callable[[bytes], Any]:
        """Reads what stands on `topic`."""

    def encoder(self, topic: Topic, struct: type) -> Callable[[Any], bytes]:
        """Writes records of `struct` for `topic`."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What is kept of a key; `head` None while it is unknown. `wake_at` is when its alarm goes off."""

    head: Any
    wake_at: int | None
    collections: dict[str, dict[Part, Any]]


class Driver:
    """A view on one lane of a log in memory. Time stands still, in microseconds, until `advance`."""

    def __init__(self, view: View, coding: Coding | None = None, *, is_replay: bool = False) -> None:
        self.view = view
        self.log = log_for(view)
        self.now = 0
        self._coding = coding or Plain()
        self.around = surroundings(view, self.log, self._coding, lambda: self.now, is_replay=is_replay)
        self._decoders = {topic.name: self._coding.decoder(topic) for topic in topics_of(view)}
        self._start(MemoryStore().lane(0))

    def send(self, key: str, event: Any, topic: Topic | None = None) -> None:
        """After this `event` is folded and committed. `topic` may be left out where one source alone carries its type.

        Bytes are sent as they are, to see what becomes of rubbish.
        """
        source = topic or self._source_of(event)
        is_raw = isinstance(event, bytes)
        value = event if is_raw else self._coding.encoder(source, type(event))(event)
        self.log.now = self.now // 1_000 if is_raw else max(0, time_of(event)) // 1_000
        self.log.append(source.name, key.encode(), value)
        self._fold(source)

    def advance(self, until: int) -> None:
        """After this the clock stands at `until`, and every alarm up to then has gone off."""
        self.now = until
        while self.lane.wake(until):
            pass

    def outputs(self, topic: Topic) -> list[tuple[str, Any]]:
        """Keys and records that a committed reader sees of `topic`, in order. None is a tombstone."""
        decode = self._decoders[topic.name]
        return [
            ((each.key or b"").decode(), None if each.value is None else decode(each.value))
            for each in self.log.committed(topic.name, 0)
        ]

    def last(self, topic: Topic) -> dict[str, Any]:
        """The last record per key of `topic`."""
        return {key: record for key, record in self.outputs(topic) if record is not None}

    def dead_letters(self) -> list[DeadLettered]:
        """What was put aside."""
        return [letter for _, letter in self.outputs(DEAD_LETTERS)]

    def changelog(self) -> list[tuple[bytes, bytes | None]]:
        """The records that keep the state, in order, as they are written (streams.engine.records)."""
        return [(each.key or b"", each.value) for each in self.log.committed(self.view.changelog, 0)]

    def state(self, key: str) -> Seen:
        """What is kept of `key`."""
        return seen(self.view, self.store, key.encode())

    def restart(self) -> None:
        """After this the state is what the changelog says: the store is lost, as with the machine that it was on."""
        self._start(MemoryStore().lane(0))

    def _start(self, store: LaneStore) -> None:
        self.store = store
        self.lane = Lane(0, self.around, store)
        self.lane.open(lambda: True)

    def _fold(self, source: Topic) -> None:
        start = self.lane.next_offsets[source.name]
        self.lane.fold({source.name: self.log.committed(source.name, 0, start)})

    def _source_of(self, event: Any) -> Topic:
        found = [topic for topic in self.view.sources if type(event) in topic.carries]
        if isinstance(event, bytes):
            found = list(self.view.sources)
        if len(found) != 1:
            raise ValueError(
                f"{len(found)} sources of {self.view.name} carry {type(event).__name__}: name the topic"
            )
        return found[0]


def topics_of(view: View) -> list[Topic]:
    """All topics of `view` that have records of a type."""
    return list(dict.fromkeys((*view.sources, *view.outputs, DEAD_LETTERS, SETTLED_LETTERS)))


def log_for(view: View, partitions: int = 1) -> MemoryLog:
    """A log with all that `view` reads and writes, empty."""
    log = MemoryLog(partitions)
    log.create(*(topic.name for topic in topics_of(view)), view.changelog)
    return log


def surroundings(
    view: View,
    log: MemoryLog,
    coding: Coding,
    clock: Callable[[], int],
    *,
    is_replay: bool = False,
    views: Iterable[View] = (),
) -> Surroundings:
    """What a lane of `view` needs to run on `log`."""
    read = (*view.sources, DEAD_LETTERS, SETTLED_LETTERS)
    return Surroundings(
        view=view,
        log=log,
        prefix="",
        partitions=log.partitions,
        decoders={topic.name: coding.decoder(topic) for topic in read},
        encoders=cache(coding.encoder),
        writers=writers_of(view.sources, views, log.partitions),
        clock=clock,
        is_replay=is_replay,
    )


def seen(view: View, store: LaneStore, key: bytes) -> Seen:
    """What `store` has of `key`."""
    stored = store.get(records.head_key(key))
    if stored is None:
        return Seen(None, None, {})
    kinds = Kinds(view)
    wake_at, incarnation = records.life_of(stored)
    collections = {}
    for name, (number, decode) in kinds.collections.items():
        start = records.collection_prefix(number, key, incarnation)
        stop = records.collection_prefix(number, key, incarnation + 1)
        collections[name] = {
            records.parts_of(found[len(start) :]): decode(value) for found, value in store.scan(start, stop)
        }
    return Seen(kinds.head(stored), wake_at, collections)
