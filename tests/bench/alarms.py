"""What pending alarms cost: waking a thousand keys, and folding events, beside ten or a million alarms that wait.

A lane on RocksDB in this process, on a log that takes everything and keeps nothing: what is measured is the index.
"""

import shutil
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from schemas.events.activity import PageViewed
from schemas.meta import Meta
from schemas.topic import Topic
from streams.engine.lane import Lane
from streams.engine.log import Fate, Outgoing, Page
from streams.engine.rocks_store import RocksStore
from streams.engine.surroundings import Surroundings
from streams.view import Record, State, Step, Tick, View
from tests.bench.figures import Figure
from tests.bench.ground import Ground

PENDING, PENDING_QUICK = (10, 1_000_000), (10, 50_000)
WOKEN = 1_000
BATCH = 2_000
FOLDED = 20_000
YEAR_US = 365 * 86_400_000_000

SOURCE = Topic("alarmed.v1", (PageViewed,))


class Seen(Record):
    """What is kept of a key."""

    events: int = 0


def remind(state: State[Seen], event: PageViewed | Tick) -> Step:
    """Every event asks to be woken at its own time and a year; an alarm is not asked for again."""
    head = state.head or Seen()
    if isinstance(event, Tick):
        return Step(head)
    head.events += 1
    return Step(head, wake_at=event.meta.occurred_at + YEAR_US)


VIEW = View("alarmed", (SOURCE,), (), Seen, remind)


@dataclass(slots=True)
class Arrival:
    """A record whose value is its time."""

    offset: int
    key: bytes | None
    value: bytes | None
    timestamp: int = 0
    headers: Sequence[tuple[str, bytes]] = ()


class NullLog:
    """Takes every commit, keeps nothing."""

    partitions = 1

    def topic_ids(self, names: Iterable[str]) -> dict[str, str]:
        return dict.fromkeys(names, "none")

    def bounds(self, topic: str, partition: int) -> tuple[int, int]:
        return 0, 0

    def end(self, topic: str, partition: int) -> int:
        return 0

    def read(self, topic: str, partition: int, start: int, stop: int) -> Iterator[Page]:
        return iter(())

    def writer(self, name: str) -> "NullWriter":
        return NullWriter()


class NullWriter:
    left = Fate.OPEN

    def begin(self) -> None:
        pass

    def send(self, record: Outgoing) -> None:
        pass

    def commit(self, last: Outgoing) -> int:
        return 0

    def abort(self) -> None:
        pass


def run(ground: Ground) -> Iterator[Figure]:
    """A figure for waking and one for folding, with few and with many alarms pending."""
    for pending in PENDING_QUICK if ground.is_quick else PENDING:
        folder = Path(mkdtemp(dir=ground.folder))
        try:
            yield from _measured(folder, pending)
        finally:
            shutil.rmtree(folder)


def _measured(folder: Path, pending: int) -> Iterator[Figure]:
    store = RocksStore(folder)
    lane = Lane(0, _surroundings(), store.lane(0))
    lane.open(lambda: True)
    offset = _fold(lane, 0, [(b"pending-%d" % number, YEAR_US + number) for number in range(pending)])
    offset = _fold(lane, offset, [(b"due-%d" % number, number) for number in range(WOKEN)])
    began = time.process_time()
    while lane.wake(YEAR_US + WOKEN):
        pass
    woken_s = time.process_time() - began
    began = time.process_time()
    _fold(lane, offset, [(b"new-%d" % number, YEAR_US) for number in range(FOLDED)])
    folded_s = time.process_time() - began
    store.close()
    many = f"{pending:,} alarms pending"
    yield Figure(
        f"alarms, {many}", WOKEN, woken_s, "keys woken by the lane's clock, in one process, no Kafka"
    )
    yield Figure(f"folds, {many}", FOLDED, folded_s, "events of new keys that each set an alarm, no Kafka")


def _fold(lane: Lane, offset: int, keyed: Sequence[tuple[bytes, int]]) -> int:
    for start in range(0, len(keyed), BATCH):
        batch = [
            Arrival(offset + number, key, b"%d" % at)
            for number, (key, at) in enumerate(keyed[start : start + BATCH])
        ]
        lane.fold({SOURCE.name: batch})
        offset += len(batch)
    return offset


def _event(value: bytes) -> PageViewed:
    at = int(value)
    meta = Meta(event_id="", occurred_at=at, received_at=at, channel="web", source="shop")
    return PageViewed(meta=meta, url="")


def _nothing(_topic: Topic, _struct: type) -> Any:
    raise LookupError("this view writes nothing")


def _surroundings() -> Surroundings:
    return Surroundings(
        view=VIEW,
        log=NullLog(),
        prefix="",
        partitions=1,
        decoders={SOURCE.name: _event},
        encoders=_nothing,
        writers={},
        clock=lambda: time.time_ns() // 1_000,
        is_replay=False,
    )
