"""What the engine promises, held commit by commit: what a lane said, kept and put aside, and where it stands."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from schemas.meta import Snapshot
from schemas.topic import Topic
from schemas.topics import DEAD_LETTERS
from streams.engine import changelog, position, records
from streams.engine.stores import LaneStore
from streams.engine.testing.coding import Plain
from streams.engine.testing.driver import seen
from streams.engine.testing.memory_log import MemoryLog, Record, Transaction
from streams.engine.testing.reference import Reference, Violated, same
from streams.engine.testing.tracing import TRACE, Traced
from streams.engine.work import time_of
from streams.view import View

Place = tuple[str, int, int]
"""Topic, partition, offset."""


class Said:
    """Outputs as a reader has them: events with how often they came, and the last snapshot per topic and key."""

    def __init__(self, topics: Iterable[Topic], coding: Plain) -> None:
        self._topics = {topic.name: topic for topic in topics}
        self._coding = coding
        self._decoders = {topic.name: coding.decoder(topic) for topic in topics}
        self._seqs: dict[tuple[str, str], int] = {}
        self.events: Counter[tuple[str, str, bytes | None]] = Counter()
        self.snapshots: dict[tuple[str, str], bytes | None] = {}

    def add(self, topic: str, each: Record) -> None:
        """After this one more was read. Raises Violated where a sequence number does not grow."""
        if topic not in self._topics:
            return
        key = (each.key or b"").decode()
        record = None if each.value is None else self._decoders[topic](each.value)
        if record is None:
            self.snapshots[(topic, key)] = None
        elif isinstance(record, Snapshot):
            self._check_seq(topic, key, record.seq)
            record.seq = 0
            self.snapshots[(topic, key)] = self._coding.encoder(self._topics[topic], type(record))(record)
        else:
            self.events[(topic, key, each.value)] += 1

    def check(self, expected: Reference) -> None:
        """Raises Violated where this is not what a plain fold says."""
        if self.events != expected.events:
            raise Violated(
                f"events doubled {self.events - expected.events}, lost {expected.events - self.events}"
            )
        if self.snapshots != expected.snapshots:
            raise Violated(f"the last snapshots are {self.snapshots}, a plain fold's {expected.snapshots}")

    def _check_seq(self, topic: str, key: str, seq: int) -> None:
        before = self._seqs.get((topic, key), -1)
        if seq <= before:
            raise Violated(f"{topic}, {key}: sequence number {seq} after {before}")
        self._seqs[(topic, key)] = seq


class Promises:
    """Follows a run of `told`, which is `view` with its trace."""

    def __init__(self, view: View, told: View, log: MemoryLog, coding: Plain) -> None:
        self._view = view
        self._told = told
        self._log = log
        self._coding = coding
        self._reference = Reference(view, lambda topic, record: coding.encoder(topic, type(record))(record))
        self._decode_trace, self._decode_letter = coding.decoder(TRACE), coding.decoder(DEAD_LETTERS)
        self._said = Said(view.outputs, coding)
        self._sent: dict[str, tuple[Place, str, Any]] = {}
        self._sent_raw: set[Place] = set()
        self._folded: set[str] = set()
        self._settled: dict[tuple[str, int], set[int]] = defaultdict(set)
        self._newest: dict[tuple[str, str], int] = {}
        self._clocks: dict[int, int] = defaultdict(int)
        self._times: dict[str, int] = defaultdict(int)
        self._followed: dict[int, int] = defaultdict(int)
        self._history: dict[int, list[Record]] = defaultdict(list)

    def note_sent(self, topic: Topic, key: str, event: Any, partition: int, offset: int) -> None:
        """This was produced."""
        place = (topic.name, partition, offset)
        if isinstance(event, bytes):
            self._sent_raw.add(place)
        else:
            self._sent[event.meta.event_id] = (place, key, event)
            self._times[key] = max(self._times[key], time_of(event))

    def note_clock(self, lane: int, now: int) -> None:
        """The alarms of `lane` may go off up to `now`; inline, up to the times of their keys' events."""
        self._clocks[lane] = max(self._clocks[lane], now)

    def check(self) -> None:
        """Every commit that is new is what a plain fold of the same makes of it, and stands where it says."""
        for lane in range(self._log.partitions):
            commits = self._log.commits(self._told.changelog, lane)
            for number in range(self._followed[lane], len(commits)):
                self._follow(lane, commits[number])
            self._followed[lane] = len(commits)

    def check_store(self, store: LaneStore, lane: int) -> None:
        """The store holds nothing that was not committed, and with the changelog from its end on it is the changelog.

        An interrupted restore leaves values that are newer than the end that the store knows of: they are read again.
        """
        self.check()
        encoded = store.get(changelog.END_KEY)
        if encoded is None:
            return
        end = msgspec.msgpack.decode(encoded, type=changelog.End).offset
        found = _content(store)
        committed = {(each.key, each.value) for each in self._history[lane]}
        if not found.items() <= committed:
            raise Violated(
                f"the store of lane {lane} holds what was never committed: {found.items() - committed}"
            )
        self._compare(_after(found, self._history[lane], end), lane, f"and the changelog from {end} on")

    def check_level(self, store: LaneStore, lane: int) -> None:
        """The store of a lane that was opened last, and is not opening, is the changelog."""
        self._compare(_content(store), lane, "alone")

    def check_end(self, store: LaneStore, lane: int, now: int) -> None:
        """Every state of the lane equals the plain fold's, no alarm is left, and everything that was sent was read."""
        for key in self._reference.keys:
            if self._log.partition_of(TRACE.name, key.encode()) != lane:
                continue
            found, expected = seen(self._view, store, key.encode()), self._reference.seen(key)
            if not same(found, expected):
                raise Violated(f"{key}: the state is {found}, a plain fold ends in {expected}")
            if found.wake_at is not None and found.wake_at <= now:
                raise Violated(f"{key}: the alarm of {found.wake_at} was lost")
        for topic in self._view.sources:
            _, high = self._log.bounds(topic.name, lane)
            if len(self._settled[(topic.name, lane)]) != high:
                raise Violated(f"{topic.name}[{lane}] ends at {high}, not all before it is settled")

    def check_outputs(self) -> None:
        """What a committed reader sees from beginning to end is what a plain fold says."""
        read = Said(self._view.outputs, self._coding)
        for topic in self._view.outputs:
            for partition in range(self._log.partitions):
                for each in self._log.committed(topic.name, partition):
                    read.add(topic.name, each)
        read.check(self._reference)

    def standings(self) -> Iterator[tuple[str, int, int]]:
        """Source, lane and next offset, by what is committed."""
        for lane in range(self._log.partitions):
            for topic, source in self._position(lane).sources.items():
                yield topic, lane, source.next_offset

    def _follow(self, lane: int, commit: Transaction) -> None:
        for topic, partition, each in commit.written:
            if topic == TRACE.name:
                self._fold(lane, (each.key or b"").decode(), self._decode_trace(each.value or b""))
            elif topic == DEAD_LETTERS.name:
                self._put_aside(self._decode_letter(each.value or b""))
            elif topic == self._told.changelog:
                self._history[partition].append(each)
            else:
                self._said.add(topic, each)
        self._said.check(self._reference)
        self._check_position(lane)

    def _fold(self, lane: int, key: str, told: Traced) -> None:
        if not told.event_id:
            if told.at > max(self._clocks[lane], self._times[key]):
                raise Violated(f"{key}: the alarm of {told.at} went off early")
            self._reference.ring(key, told.at)
            return
        place, sent_key, event = self._sent[told.event_id]
        if told.event_id in self._folded or sent_key != key:
            raise Violated(f"{key}: the event {told.event_id} was folded twice, or for another key")
        if place[2] < self._newest.get((place[0], key), -1):
            raise Violated(f"{key}: the event {told.event_id} was folded after a later one")
        self._newest[(place[0], key)] = place[2]
        self._folded.add(told.event_id)
        self._settle(place)
        self._reference.fold(key, event)

    def _put_aside(self, letter: Any) -> None:
        if letter.alarm_at is not None:
            self._reference.refuse((letter.key or b"").decode(), letter.alarm_at)
        else:
            self._settle((letter.source_topic, letter.partition, letter.offset))

    def _settle(self, place: Place) -> None:
        """A record is folded or put aside, one of them, and once."""
        settled = self._settled[place[:2]]
        if place[2] in settled:
            raise Violated(f"{place} is settled twice")
        settled.add(place[2])

    def _check_position(self, lane: int) -> None:
        """Everything before the next offset is settled, and nothing behind it."""
        for topic, source in self._position(lane).sources.items():
            settled = self._settled[(topic, lane)]
            if len(settled) != source.next_offset or max(settled, default=-1) >= source.next_offset:
                raise Violated(
                    f"lane {lane} stands at {source.next_offset} of {topic}, settled are {settled}"
                )

    def _position(self, lane: int) -> position.Position:
        for each in reversed(self._history[lane]):
            if each.key == records.POSITION:
                return position.decode(each.value or b"")
        return position.Position(self._log.partitions)

    def _compare(self, found: dict[bytes, bytes | None], lane: int, which: str) -> None:
        expected = _after({}, self._history[lane], 0)
        if found != expected:
            different = {key for key in found.keys() | expected if found.get(key) != expected.get(key)}
            raise Violated(f"the store of lane {lane} {which} is not what was committed: {different}")


def _content(store: LaneStore) -> dict[bytes, bytes | None]:
    """What the changelog has, too."""
    return {
        key: value
        for key, value in store.scan(b"", b"\xff")
        if not key.startswith(records.DUE) and key != changelog.END_KEY
    }


def _after(
    start: dict[bytes, bytes | None], history: Iterable[Record], since: int
) -> dict[bytes, bytes | None]:
    found = dict(start)
    for each in history:
        if each.offset < since:
            continue
        if each.value is None:
            found.pop(each.key or b"", None)
        else:
            found[each.key or b""] = each.value
    return found
