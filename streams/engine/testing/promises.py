"""What the engine promises, checked on what a committed reader sees and on what stores hold."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import Any

import msgspec

from schemas.events.dead_letters import DeadLettered
from schemas.meta import Snapshot
from schemas.topics import DEAD_LETTERS, Topic
from streams.engine import changelog, position, records
from streams.engine.stores import LaneStore
from streams.engine.testing.coding import Plain
from streams.engine.testing.driver import seen
from streams.engine.testing.memory_log import MemoryLog
from streams.engine.testing.reference import Reference, Violated, same
from streams.engine.testing.tracing import TRACE, Traced
from streams.view import View

Place = tuple[str, int, int]
"""Topic, partition, offset."""


class Promises:
    """Follows a run of `told`, which is `view` with its trace."""

    def __init__(self, view: View, told: View, log: MemoryLog, coding: Plain) -> None:
        self._view = view
        self._told = told
        self._log = log
        self._coding = coding
        self._reference = Reference(view, lambda topic, record: coding.encoder(topic, type(record))(record))
        self._decoders = {topic.name: coding.decoder(topic) for topic in (*told.outputs, DEAD_LETTERS)}
        self._sent: dict[str, tuple[Place, str, Any]] = {}
        self._sent_raw: set[Place] = set()
        self._folded: dict[str, Place] = {}
        self._newest: dict[tuple[str, str], int] = {}
        self._read: dict[tuple[str, int], int] = defaultdict(int)
        self._seqs: dict[tuple[str, str], int] = {}
        self._lettered: Counter[Place] = Counter()
        self._history: dict[int, list[tuple[int, bytes, bytes | None]]] = defaultdict(list)
        self._latest = 0

    def note_sent(self, topic: Topic, key: str, event: Any, partition: int, offset: int) -> None:
        """This was produced."""
        place = (topic.name, partition, offset)
        if isinstance(event, bytes):
            self._sent_raw.add(place)
        else:
            self._sent[event.meta.event_id] = (place, key, event)
            self._latest = max(self._latest, event.meta.occurred_at)

    def check(self, now: int) -> None:
        """Nothing was folded twice or out of order, no alarm went off early or twice, sequence numbers grow."""
        self._latest = max(self._latest, now)
        for partition in range(self._log.partitions):
            for key, told in self._fresh(TRACE, partition):
                self._follow(key, told)
            for topic in self._view.outputs:
                self._check_seqs(topic, partition)
            for _, letter in self._fresh(DEAD_LETTERS, partition):
                self._note_letter(letter)
            self._note_history(partition)

    def check_store(self, store: LaneStore, lane: int) -> None:
        """The store holds nothing that was not committed, and with the changelog from its end on it is the changelog.

        An interrupted restore leaves values that are newer than the end that the store knows of: they are read again.
        """
        self._note_history(lane)
        encoded = store.get(changelog.END_KEY)
        if encoded is None:
            return
        end = msgspec.msgpack.decode(encoded, type=changelog.End).offset
        found = {
            key: value
            for key, value in store.scan(b"", b"\xff")
            if not key.startswith(records.DUE) and key != changelog.END_KEY
        }
        committed = {(key, value) for _, key, value in self._history[lane]}
        if not found.items() <= committed:
            raise Violated(
                f"the store of lane {lane} holds what was never committed: {found.items() - committed}"
            )
        expected = _folded({}, self._history[lane], 0)
        caught_up = _folded(found, self._history[lane], end)
        if caught_up != expected:
            different = {
                key for key in caught_up.keys() | expected if caught_up.get(key) != expected.get(key)
            }
            raise Violated(f"the store of lane {lane} lacks what was committed before {end}: {different}")

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
        standing = position.decode(store.get(records.POSITION) or b"")
        for topic in self._view.sources:
            _, high = self._log.bounds(topic.name, lane)
            if standing.sources[topic.name].next_offset != high:
                raise Violated(
                    f"lane {lane} stands at {standing.sources[topic.name]} of {topic.name}, not at {high}"
                )

    def check_outputs(self) -> None:
        """Each record was folded or is one dead letter; what a committed reader sees is what a plain fold says."""
        lettered = {place for place in self._lettered if place[2] >= 0}
        expected = {place for place, _, _ in self._sent.values()} | self._sent_raw
        folded = set(self._folded.values())
        if folded & lettered or folded | lettered != expected:
            raise Violated(
                f"lost {expected - folded - lettered}, both folded and put aside {folded & lettered}"
            )
        events, snapshots = self._committed_outputs()
        if events != self._reference.events:
            raise Violated(
                f"events out differ: {events - self._reference.events}, {self._reference.events - events}"
            )
        if snapshots != self._reference.snapshots:
            raise Violated("the last snapshots differ")

    def _follow(self, key: str, told: Traced) -> None:
        if not told.event_id:
            if told.at > self._latest:
                raise Violated(f"{key}: the alarm of {told.at} went off early, at {self._latest}")
            self._reference.ring(key, told.at)
            return
        place, sent_key, event = self._sent[told.event_id]
        if told.event_id in self._folded or sent_key != key:
            raise Violated(f"{key}: the event {told.event_id} was folded twice, or for another key")
        if place[2] < self._newest.get((place[0], key), -1):
            raise Violated(f"{key}: the event {told.event_id} was folded after a later one")
        self._newest[(place[0], key)] = place[2]
        self._folded[told.event_id] = place
        self._reference.fold(key, event)

    def _note_letter(self, letter: DeadLettered) -> None:
        place = (letter.source_topic, letter.partition, letter.offset)
        self._lettered[place] += 1
        if self._lettered[place] > 1 and letter.offset >= 0:
            raise Violated(f"two dead letters for {place}")

    def _check_seqs(self, topic: Topic, partition: int) -> None:
        for key, record in self._fresh(topic, partition):
            if not isinstance(record, Snapshot):
                continue
            before = self._seqs.get((topic.name, key), -1)
            if record.seq <= before:
                raise Violated(f"{topic.name}, {key}: sequence number {record.seq} after {before}")
            self._seqs[(topic.name, key)] = record.seq

    def _note_history(self, partition: int) -> None:
        """The changelog as it was before anything was compacted away."""
        name = self._told.changelog
        for each in self._log.committed(name, partition, self._read[(name, partition)]):
            self._history[partition].append((each.offset, each.key or b"", each.value))
            self._read[(name, partition)] = each.offset + 1

    def _fresh(self, topic: Topic, partition: int) -> list[tuple[str, Any]]:
        start = self._read[(topic.name, partition)]
        found = self._log.committed(topic.name, partition, start)
        if found:
            self._read[(topic.name, partition)] = found[-1].offset + 1
        decode = self._decoders[topic.name]
        return [
            ((each.key or b"").decode(), None if each.value is None else decode(each.value)) for each in found
        ]

    def _committed_outputs(
        self,
    ) -> tuple[Counter[tuple[str, str, bytes | None]], dict[tuple[str, str], bytes]]:
        events: Counter[tuple[str, str, bytes | None]] = Counter()
        snapshots: dict[tuple[str, str], bytes] = {}
        for topic in self._view.outputs:
            decode = self._decoders[topic.name]
            for partition in range(self._log.partitions):
                for each in self._log.committed(topic.name, partition):
                    key, record = (each.key or b"").decode(), decode(each.value) if each.value else None
                    if isinstance(record, Snapshot):
                        record.seq = 0
                        snapshots[(topic.name, key)] = self._coding.encoder(topic, type(record))(record)
                    else:
                        events[(topic.name, key, each.value)] += 1
        return events, snapshots


def _folded(
    start: dict[bytes, bytes], history: Iterable[tuple[int, bytes, bytes | None]], since: int
) -> dict[bytes, bytes]:
    found = dict(start)
    for offset, key, value in history:
        if offset < since:
            continue
        if value is None:
            found.pop(key, None)
        else:
            found[key] = value
    return found
