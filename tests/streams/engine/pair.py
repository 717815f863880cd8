"""One lane in two versions of the counting view on the real Kafka, without workers: a test folds what it wants."""

import dataclasses
import time
from collections.abc import Iterable
from itertools import count

import msgspec

from streams.engine.kafka_log import KafkaLog
from streams.engine.lane import Lane
from streams.engine.stores import LaneStore, MemoryStore
from streams.engine.surroundings import Surroundings
from streams.engine.takeover import standing
from streams.view import View
from tests.streams.engine import counting
from tests.streams.engine.counting import Counted, CountLevel
from tests.streams.engine.rig import PARTITIONS, Rig

LEVELS, COUNTED = counting.LEVELS.name, counting.COUNTED.name
OLD = counting.VIEW
NEW = dataclasses.replace(OLD, version=2, epoch=2)
LANE = 1
NOW = 1_764_000_000_000_000


class Arrived(msgspec.Struct):
    offset: int
    key: bytes | None
    value: bytes | None
    timestamp: int = 0
    headers: tuple[()] = ()


class Pair:
    """Both versions of one lane, and the records of its source partition."""

    def __init__(self, rig: Rig, log: KafkaLog) -> None:
        self.rig, self.log, self.lane_number = rig, log, LANE
        self._numbers = count()
        self.source: list[Arrived] = []
        self.stores: dict[int, LaneStore] = {1: MemoryStore().lane(0), 2: MemoryStore().lane(0)}

    def send(self, events: Iterable[tuple[str, Counted | bytes]]) -> None:
        """Into the lane's partition of the source, whatever the key."""
        for key, each in events:
            value = each if isinstance(each, bytes) else counting.encode(each)
            self.rig.producer.produce(self.rig.prefix + COUNTED, value, key.encode(), LANE)
            self.source.append(Arrived(next(self._numbers), key.encode(), value))
        assert self.rig.producer.flush(30) == 0

    def open(self, view: View, follows: int = 0) -> Lane:
        around = Surroundings(
            view=view,
            log=self.log,
            prefix=self.rig.prefix,
            partitions=PARTITIONS,
            decoders={COUNTED: counting.decode},
            encoders=counting.encoder,
            writers={},
            clock=lambda: NOW,
            is_replay=False,
            follows=follows,
        )
        lane = Lane(self.lane_number, around, self.stores[view.version])
        lane.open(lambda: True)
        return lane

    def fold(self, lane: Lane) -> None:
        """All that the lane may fold, as its worker would."""
        place = lane.place
        stop = len(self.source) if place is None else place.offsets[COUNTED]
        batch = self.source[lane.next_offsets[COUNTED] : stop]
        if batch:
            lane.fold({COUNTED: batch})
        self.wait_for(lane)

    def wait_for(self, lane: Lane) -> None:
        """The broker shows a commit a moment after it has acknowledged it."""
        deadline = time.monotonic() + 10
        while standing(self.log, lane._view, lane.number).position != lane.ledger.position:
            assert time.monotonic() < deadline

    def heard(self, topic: str, expected: int) -> list[tuple[str, object]]:
        """What stands on a topic, once `expected` records do."""
        return [(key, record) for key, record, _ in self.rig.wait_for(topic, expected)]

    def levels(self, expected: int) -> list[tuple[str, int, int, int]]:
        """Key, units, rung and epoch of every snapshot, in order."""
        return [
            (key, level.units, level.rung, level.seq >> 40)
            for key, level in self.heard(LEVELS, expected)
            if isinstance(level, CountLevel)
        ]
