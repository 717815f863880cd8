"""A lane: one partition number of one view, one owner, one transactional producer, handled serially.

The unit of work is a batch of one source partition. Its outputs, its changelog records, its dead letters and the
source's next offset go into one Kafka transaction; only when that has committed is the store written. All methods
block and are called from one thread at a time.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from threading import Lock
from typing import Any

import msgspec
import structlog
from confluent_kafka import KafkaException, Producer

from schemas.codec import Reason, Undecodable
from schemas.events.clock import ClockAdvanced
from schemas.events.dead_letters import DeadLettered
from schemas.registry import RegistryAway
from schemas.topics import DEAD_LETTERS, Topic
from streams.engine import changelog, position, records
from streams.engine.letters import Arrived, Letters
from streams.engine.position import Position, SourcePosition
from streams.engine.stores import LaneStore
from streams.engine.surroundings import LaneLost, Surroundings
from streams.engine.work import FoldRefused, Sealed, Work, time_of
from streams.view import View
from vaart import metrics

PAGE = 1_000
"""How many held events or due keys one commit takes."""
COMMIT_TIMEOUT_S = 30.0
TRANSACTION_SETTINGS = {"transaction.timeout.ms": 30_000, "message.timeout.ms": 25_000, "linger.ms": 1}
"""A dead owner delays readers until the next one comes, or until the broker ends its transaction."""
KEY_BYTES_MAX = 1_024
QUEUE_FULL_S = 0.1
REGISTRY_RETRY_S = 1.0

log = structlog.get_logger()


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
        self._producer: Producer | None = None
        self._position = Position(partitions=around.partitions)
        self._changelog_end = changelog.End("", 0, 0)
        self._letters = Letters(around, number)
        self._holds = around.is_replay and around.view.is_time_ordered

    @property
    def next_offsets(self) -> dict[str, int]:
        """Per source topic, the offset to go on from."""
        return {topic: source.next_offset for topic, source in self._position.sources.items()}

    @property
    def commits(self) -> int:
        """How many transactions this lane has committed in its life."""
        return self._position.commits

    def open(self, is_current: Callable[[], bool]) -> int:
        """After this older owners are fenced and the store equals the committed changelog. Returns the records read.

        `is_current` tells whether the lane is still ours; raises LaneLost when it is not. Raises ConfigFault when a
        topic was recreated, truncated or has another partition count.
        """
        producer = Producer(
            {
                **self._around.producer_config,
                **TRANSACTION_SETTINGS,
                "transactional.id": f"{self._around.prefix}{self._view.group}-{self.number}",
            }
        )
        if not is_current():
            raise LaneLost("the lane was taken away before it was opened")
        try:
            producer.init_transactions(COMMIT_TIMEOUT_S)
        except KafkaException as error:
            raise LaneLost(error.args[0].name()) from error
        if not is_current():
            raise LaneLost("the lane was taken away while it was opened")
        self._producer = producer
        restored = changelog.restore(self._around, self.number, self._store, is_current)
        self._position, self._changelog_end = restored.position, restored.end
        return restored.records

    def fold(self, topic: str, arrived: Sequence[Arrived]) -> int:
        """After this all of `arrived` (one source partition, in order) is committed. Returns how many were new.

        Records below the next offset are passed over. Raises LaneLost; nothing of the failed transaction remains.
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
            return self._decode_value(topic, record.value or b"")
        except UnicodeDecodeError:
            letters.append(self._letters.of_record(topic, record, "decode", Reason.INVALID_KEY))
        except Undecodable as error:
            letters.append(
                self._letters.of_record(topic, record, "decode", error.reason, error.detail, error.schema_id)
            )
        return None

    def _decode_value(self, topic: str, value: bytes) -> Any:
        """Waits while the registry is away: nothing is known to be wrong with the record then."""
        while True:
            try:
                return self._around.decoders[topic](value)
            except RegistryAway as error:
                log.warning("registry_away", lane=self.number, detail=str(error))
                if self._around.stopping.wait(REGISTRY_RETRY_S):
                    raise LaneLost("stopped while the registry was away") from error

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
            event = self._decode_value(held.topic, held.value)
            try:
                work.fold(held.key, event, held.value)
            except FoldRefused as refused:
                letters.append(self._letters.of_key("fold", refused.reason, held.topic, held.key, held.value))
        self._commit(work, letters, {}, dict.fromkeys(key for key, _ in page))
        return len(page) == PAGE

    def _commit(
        self,
        work: Work,
        letters: Sequence[DeadLettered],
        next_offsets: Mapping[str, int],
        held: Mapping[bytes, bytes | None],
        *,
        stale: Iterable[bytes] = (),
        passed_on: Sequence[ClockAdvanced] = (),
    ) -> None:
        """One transaction: outputs, dead letters, changelog, position; then the store, in one write."""
        moved = self._moved(next_offsets)
        encoded = position.encode(moved)
        kept = {**work.writes(), **held}
        ends: list[int] = []

        def note_end(error: Any, message: Any) -> None:
            ends.append(message.offset() if error is None else -1)

        producer = self._producer
        if producer is None:
            raise LaneLost("the lane is not open")
        try:
            producer.begin_transaction()
            for sealed in work.sealed():
                self._produce(producer, sealed)
            for letter in letters:
                self._produce(producer, self._sealed_letter(letter))
            for advanced in passed_on:
                self._pass_on(producer, advanced)
            for key, value in kept.items():
                self._send(producer, self._view.changelog, key, value, self.number)
            self._send(producer, self._view.changelog, records.POSITION, encoded, self.number, note_end)
            with _out_of(self._around.turn):
                producer.commit_transaction(COMMIT_TIMEOUT_S)
        except KafkaException as error:
            raise LaneLost(error.args[0].name()) from error
        end = changelog.End(self._changelog_end.topic_id, ends[-1] + 1, self._around.clock())
        index = {**dict.fromkeys(stale), **work.index()}
        self._store.write(
            {**index, **kept, records.POSITION: encoded, changelog.END_KEY: changelog.encode_end(end)}
        )
        self._position, self._changelog_end = moved, end
        for word, count in work.skipped.items():
            metrics.EVENTS_SKIPPED.labels(self._view.group, word).inc(count)

    def _moved(self, next_offsets: Mapping[str, int]) -> Position:
        sources = dict(self._position.sources)
        for topic, offset in next_offsets.items():
            source = sources[topic]
            sources[topic] = SourcePosition(source.topic_id, offset, source.advanced)
        return Position(self._position.partitions, self._position.commits + 1, self._position.clock, sources)

    def _produce(self, producer: Producer, sealed: Sealed) -> None:
        partition = self.number if sealed.is_local else -1
        self._send(producer, sealed.topic.name, sealed.key.encode(), sealed.value, partition)

    def _pass_on(self, producer: Producer, advanced: ClockAdvanced) -> None:
        for topic in self._view.outputs:
            value = self._around.encoders(topic, ClockAdvanced)(advanced)
            for partition in range(self._around.partitions):
                key = f"clock:{advanced.writer}:{advanced.lane}".encode()
                self._send(producer, topic.name, key, value, partition)

    def _send(
        self,
        producer: Producer,
        topic: str,
        key: bytes,
        value: bytes | None,
        partition: int,
        on_delivery: Callable[[Any, Any], None] | None = None,
    ) -> None:
        """Hands a record to the client; while its queue is full, waits for the broker."""
        while not _is_taken(producer, self._around.prefix + topic, key, value, partition, on_delivery):
            producer.poll(QUEUE_FULL_S)

    def _sealed_letter(self, letter: DeadLettered) -> Sealed:
        value = self._around.encoders(DEAD_LETTERS, DeadLettered)(letter)
        return Sealed(DEAD_LETTERS, f"{letter.source_topic}:{letter.partition}", value, is_local=False)


@contextmanager
def _out_of(turn: Lock) -> Iterator[None]:
    """Another lane computes while this one waits."""
    turn.release()
    try:
        yield
    finally:
        turn.acquire()


def _is_taken(
    producer: Producer, topic: str, key: bytes, value: bytes | None, partition: int, note: Any
) -> bool:
    try:
        if note is None:
            producer.produce(topic, value, key, partition)
        else:
            producer.produce(topic, value, key, partition, on_delivery=note)
    except BufferError:
        return False
    return True


def writers_of(sources: Iterable[Topic], views: Iterable[View], partitions: int) -> dict[str, dict[str, int]]:
    """Per source, who moves its clock: the views that publish to it, and the replay where channels do."""
    found: dict[str, dict[str, int]] = {}
    for topic in sources:
        found[topic.name] = {view.name: partitions for view in views if topic in view.outputs}
        if topic.is_input:
            found[topic.name][position.REPLAY] = 1
    return found
