"""A lane: one partition number of one view, one owner, one transactional producer, handled serially.

The unit of work is a batch of one source partition. Its outputs, its changelog records, its dead letters and the
source's next offset go into one Kafka transaction; only when that has committed is the store written. All methods
block and are called from one thread at a time.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

import msgspec

from schemas.codec import Reason, Undecodable
from schemas.events.clock import ClockAdvanced
from schemas.events.dead_letters import DeadLettered
from schemas.topics import DEAD_LETTERS, Topic
from streams.engine import changelog, position, records
from streams.engine.letters import Arrived, Letters
from streams.engine.log import ANY_PARTITION, LaneLost, Outgoing
from streams.engine.position import Position, SourcePosition
from streams.engine.stores import LaneStore
from streams.engine.surroundings import Surroundings
from streams.engine.transaction import Transactions
from streams.engine.work import FoldRefused, Work, time_of
from streams.view import View
from vaart import metrics
from vaart.failpoint import failpoint

PAGE = 1_000
"""How many held events or due keys one commit takes."""
KEY_BYTES_MAX = 1_024


class _Held(msgspec.Struct, gc=False, array_like=True):
    topic: str
    key: str
    value: bytes


class Lane:
    """Folds what arrives in partition `number` of the view's sources. `open` comes before everything else."""

    def __init__(self, number: int, around: Surroundings, store: LaneStore) -> None:
        self.number = number
        self._around = around
        self._view = around.view
        self._store = store
        self._transactions: Transactions | None = None
        self._position = Position(partitions=around.partitions)
        self._changelog_end = changelog.End("", 0, 0)
        self._letters = Letters(around, number)
        self._holds = around.is_replay and around.view.is_time_ordered

    @property
    def next_offsets(self) -> dict[str, int]:
        """Per source topic, the offset to go on from."""
        return {topic: source.next_offset for topic, source in self._position.sources.items()}

    def open(self, is_current: Callable[[], bool]) -> int:
        """After this older owners are fenced and the store equals the committed changelog. Returns the records read.

        `is_current` tells whether the lane is still ours; raises LaneLost when it is not. Raises ConfigFault when a
        topic was recreated, truncated or has another partition count.
        """
        if not is_current():
            raise LaneLost("the lane was taken away before it was opened")
        transactions = Transactions(self._around, self.number)
        if not is_current():
            raise LaneLost("the lane was taken away while it was opened")
        self._transactions = transactions
        restored = changelog.restore(self._around, self.number, self._store, is_current)
        self._position, self._changelog_end = restored.position, restored.end
        return restored.records

    def fold(self, topic: str, arrived: Sequence[Arrived]) -> int:
        """After this all of `arrived` (one source partition, in order) is committed. Returns how many were new.

        Records below the next offset are passed over. Raises LaneLost, or RegistryAway while a schema is needed that
        only the registry has; nothing that was begun remains, and the same call may be tried again.
        """
        with self._around.turn:
            return self._fold(topic, arrived)

    def _fold(self, topic: str, arrived: Sequence[Arrived]) -> int:
        source = self._position.sources[topic]
        fresh = [record for record in arrived if record.offset >= source.next_offset]
        work = self._new_work()
        letters: list[DeadLettered] = []
        held: dict[bytes, bytes | None] = {}
        for record in fresh:
            event = self._decode(topic, record, letters)
            if event is None:
                continue
            if type(event) is ClockAdvanced:
                if record is not fresh[0]:
                    self._commit(work, letters, {topic: record.offset}, held)
                self._advance(topic, event, record.offset + 1)
                work, letters, held = self._new_work(), [], {}
            elif self._holds:
                held[records.held_key(time_of(event), event.meta.event_id, record.offset)] = self._held(
                    topic, record
                )
            else:
                self._fold_one(work, topic, record, event, letters)
        if fresh and self._position.sources[topic].next_offset <= fresh[-1].offset:
            self._commit(work, letters, {topic: fresh[-1].offset + 1}, held)
        return len(fresh)

    def wake(self, now: int) -> bool:
        """After this the alarms of silent keys up to `now` have gone off, at most PAGE. True when there may be more."""
        with self._around.turn:
            return self._wake(now)

    def _wake(self, now: int) -> bool:
        due = list(islice(self._store.scan(records.DUE, records.due_until(now)), PAGE))
        if not due:
            return False
        work = self._new_work()
        letters: list[DeadLettered] = []
        for entry, _ in due:
            _, key = records.due_of(entry)
            try:
                work.ring(key, now)
            except FoldRefused as refused:
                letters.append(self._letters.of_key("alarm", refused.reason, "", key, None))
        self._commit(work, letters, {}, {}, stale=[entry for entry, _ in due])
        return len(due) == PAGE

    def _new_work(self) -> Work:
        seq = (self._view.epoch << 40) + self._position.commits + 1
        return Work(self._view, self._store, self._around.encoders, seq)

    def _decode(self, topic: str, record: Arrived, letters: list[DeadLettered]) -> Any:
        if record.key is None or len(record.key) > KEY_BYTES_MAX:
            letters.append(self._letters.of_record(topic, record, "decode", Reason.INVALID_KEY))
            return None
        try:
            record.key.decode()
            return self._around.decoders[topic](record.value or b"")
        except UnicodeDecodeError:
            letters.append(self._letters.of_record(topic, record, "decode", Reason.INVALID_KEY))
        except Undecodable as error:
            letters.append(
                self._letters.of_record(topic, record, "decode", error.reason, error.detail, error.schema_id)
            )
        return None

    def _fold_one(
        self, work: Work, topic: str, record: Arrived, event: Any, letters: list[DeadLettered]
    ) -> None:
        try:
            work.fold((record.key or b"").decode(), event, record.value or b"")
        except FoldRefused as refused:
            letters.append(self._letters.of_record(topic, record, "fold", refused.reason))

    def _held(self, topic: str, record: Arrived) -> bytes:
        return msgspec.msgpack.encode(_Held(topic, (record.key or b"").decode(), record.value or b""))

    def _advance(self, topic: str, event: ClockAdvanced, next_offset: int) -> None:
        """Moves the clock as far as all writers have come, folds what waited for that, and passes the word on."""
        self._position.advance(topic, event.writer, event.lane, event.until)
        reached = self._position.reached(self._around.writers)
        passed_on: list[ClockAdvanced] = []
        if self._around.is_replay and reached > self._position.clock:
            while self._release(reached):
                pass
            while self._wake(reached):
                pass
            self._position.clock = reached
            passed_on = [
                ClockAdvanced(
                    until=reached, writer=self._view.name, lane=self.number, lanes=self._around.partitions
                )
            ]
        self._commit(self._new_work(), [], {topic: next_offset}, {}, passed_on=passed_on)

    def _release(self, until: int) -> bool:
        """Folds held events up to `until` in the order of their times, at most PAGE. True when there may be more."""
        page = list(islice(self._store.scan(records.HELD, records.held_until(until)), PAGE))
        if not page:
            return False
        work = self._new_work()
        letters: list[DeadLettered] = []
        for _, encoded in page:
            held = msgspec.msgpack.decode(encoded, type=_Held)
            event = self._around.decoders[held.topic](held.value)
            try:
                work.fold(held.key, event, held.value)
            except FoldRefused as refused:
                letters.append(self._letters.of_key("fold", refused.reason, held.topic, held.key, held.value))
        self._commit(work, letters, {}, dict.fromkeys(key for key, _ in page))
        return len(page) == PAGE

    def _commit(
        self,
        work: Work,
        letters: list[DeadLettered],
        next_offsets: Mapping[str, int],
        held: Mapping[bytes, bytes | None],
        *,
        stale: Iterable[bytes] = (),
        passed_on: Sequence[ClockAdvanced] = (),
    ) -> None:
        """One transaction: outputs, dead letters, changelog, position; then the store, in one write."""
        if self._transactions is None:
            raise LaneLost("the lane is not open")
        for unsealed in work.seal():
            letters += [
                self._letters.of_key("encode", unsealed.reason, "", unsealed.key, raw)
                for raw in unsealed.events
            ]
        moved = self._moved(next_offsets)
        encoded = position.encode(moved)
        kept = {**work.writes(), **held}
        end = self._transactions.commit(self._outgoing(work, letters, passed_on), kept, encoded)
        level = changelog.End(self._changelog_end.topic_id, end, self._around.clock())
        own = {records.POSITION: encoded, changelog.END_KEY: changelog.encode_end(level)}
        self._store.write({**dict.fromkeys(stale), **work.index(), **kept, **own})
        failpoint("after_store")
        self._position, self._changelog_end = moved, level
        for word, count in work.skipped.items():
            metrics.EVENTS_SKIPPED.labels(self._view.group, word).inc(count)

    def _moved(self, next_offsets: Mapping[str, int]) -> Position:
        sources = dict(self._position.sources)
        for topic, offset in next_offsets.items():
            source = sources[topic]
            sources[topic] = SourcePosition(source.topic_id, offset, source.advanced)
        return Position(self._position.partitions, self._position.commits + 1, self._position.clock, sources)

    def _outgoing(
        self, work: Work, letters: Iterable[DeadLettered], passed_on: Iterable[ClockAdvanced]
    ) -> Iterator[Outgoing]:
        for sealed in work.sealed():
            partition = self.number if sealed.is_local else ANY_PARTITION
            yield Outgoing(sealed.topic.name, sealed.key.encode(), sealed.value, partition)
        for letter in letters:
            value = self._around.encoders(DEAD_LETTERS, DeadLettered)(letter)
            yield Outgoing(DEAD_LETTERS.name, f"{letter.source_topic}:{letter.partition}".encode(), value)
        for advanced in passed_on:
            yield from self._clocks(advanced)

    def _clocks(self, advanced: ClockAdvanced) -> Iterator[Outgoing]:
        key = f"clock:{advanced.writer}:{advanced.lane}".encode()
        for topic in self._view.outputs:
            value = self._around.encoders(topic, ClockAdvanced)(advanced)
            for partition in range(self._around.partitions):
                yield Outgoing(topic.name, key, value, partition)


def writers_of(sources: Iterable[Topic], views: Iterable[View], partitions: int) -> dict[str, dict[str, int]]:
    """Per source, who moves its clock: the views that publish to it, and the replay where channels do."""
    found: dict[str, dict[str, int]] = {}
    for topic in sources:
        found[topic.name] = {view.name: partitions for view in views if topic in view.outputs}
        if topic.is_input:
            found[topic.name][position.REPLAY] = 1
    return found
