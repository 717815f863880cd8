"""The log in memory: topics, transactions and fencing as Kafka has them, in one process and without waiting.

It passes the same conformance suite as KafkaLog (tests/streams/engine/test_log.py). It is not thread-safe.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count, islice
from operator import attrgetter

from aiokafka.partitioner import murmur2

from streams.engine.log import ANY_PARTITION, Fate, LaneLost, Outgoing, Page
from vaart.errors import ConfigFault, DependencyAway

PAGE_RECORDS = 5

OPEN, COMMITTED, ABORTED = "open", "committed", "aborted"


@dataclass(slots=True)
class Record:
    """One record, or a marker where `is_marker`. It has the attributes of a consumer's record."""

    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    transaction: "Transaction"
    is_marker: bool = False
    headers: Sequence[tuple[str, bytes]] = ()


@dataclass(slots=True)
class Transaction:
    """What was written between `begin` and `commit`: topic, partition and record, in their order."""

    state: str = OPEN
    written: list[tuple[str, int, Record]] = field(default_factory=list)


@dataclass(slots=True)
class _Topic:
    id: str
    partitions: list["_Partition"]


@dataclass(slots=True)
class _Partition:
    """Records in the order of their offsets; `opened` has the first offset of each open transaction, by its id."""

    records: list[Record] = field(default_factory=list)
    low: int = 0
    next: int = 0
    opened: dict[int, int] = field(default_factory=dict)

    @property
    def stable(self) -> int:
        """The position that committed readers can reach: the first record of an open transaction, or the end."""
        return min(self.opened.values(), default=self.next)

    def seen(self, start: int) -> Iterator[Record]:
        """What a committed reader sees from `start` on."""
        stable = self.stable
        for index in range(bisect_left(self.records, start, key=attrgetter("offset")), len(self.records)):
            record = self.records[index]
            if record.offset >= stable:
                return
            if not record.is_marker and record.transaction.state == COMMITTED:
                yield record


class MemoryLog:
    """A cluster with topics of `partitions` partitions each.

    `fault` is called before each step of a writer with its name ("begin", "send", "commit", "committed"); a LaneLost
    that it raises is what the writer's user sees. After "committed" everything is in the log all the same.
    """

    def __init__(self, partitions: int = 1) -> None:
        self.partitions = partitions
        self.fault: Callable[[str], None] = lambda step: None
        self.now = 0
        """The timestamp of records that are written, in milliseconds."""
        self._topics: dict[str, _Topic] = {}
        self._writers: dict[str, MemoryWriter] = {}
        self._undecided: dict[tuple[str, str, int], Transaction] = {}
        self._commits: dict[tuple[str, int], list[Transaction]] = defaultdict(list)
        self._ids = count(1)

    def create(self, *names: str, partitions: int = 0) -> None:
        """After this each topic is there and empty; one that was there before is made again."""
        number = partitions or self.partitions
        for name in names:
            self._topics[name] = _Topic(f"topic-{next(self._ids)}", [_Partition() for _ in range(number)])

    def append(
        self, topic: str, key: bytes | None, value: bytes | None, partition: int = ANY_PARTITION
    ) -> tuple[int, int]:
        """After this the record is there for everyone, outside of any transaction. Returns partition and offset."""
        return self._add(topic, key, value, partition, Transaction(COMMITTED))

    def truncate(self, topic: str, partition: int, low: int) -> None:
        """After this records below `low` are gone, as by retention."""
        found = self._topics[topic].partitions[partition]
        found.low = max(low, found.low)
        found.records = [each for each in found.records if each.offset >= low]

    def compact(self, topic: str) -> None:
        """After this only the last committed record of each key is left, tombstones too."""
        for found in self._topics[topic].partitions:
            seen = {each.offset: each.key for each in found.seen(0)}
            last = {key: offset for offset, key in seen.items()}
            kept = set(last.values())
            found.records = [each for each in found.records if each.offset not in seen or each.offset in kept]

    def take_back(self, topic: str, partition: int) -> None:
        """After this the last transaction there was aborted, although its writer was told that it had committed."""
        taken = self._commits[(topic, partition)].pop()
        taken.state = ABORTED

    def leave_undecided(self, name: str, fate: Fate) -> None:
        """After this the open transaction of the writer `name` was to end so, and no partition has heard of it.

        As brokers that start again may leave it; the name's next transaction in a partition ends it there as it ends.
        """
        writer = self._writers[name]
        left = writer.leave(fate)
        for topic, partition, record in left.written:
            found = self._topics[topic].partitions[partition]
            piece = self._undecided.setdefault((name, topic, partition), Transaction())
            piece.written.append((topic, partition, record))
            record.transaction = piece
            found.opened.pop(id(left), None)
            found.opened.setdefault(id(piece), record.offset)

    def committed(self, topic: str, partition: int, start: int = 0) -> list[Record]:
        """What a committed reader sees from `start` on."""
        return list(self._topics[topic].partitions[partition].seen(start))

    def commits(self, topic: str, partition: int) -> Sequence[Transaction]:
        """The transactions that wrote there and were committed, the first one first, whatever was compacted since."""
        return self._commits[(topic, partition)]

    def topic_ids(self, names: Iterable[str]) -> dict[str, str]:
        """See streams.engine.log.Log."""
        found = {}
        for name in names:
            topic = self._topics.get(name)
            if topic is None:
                raise ConfigFault(f"topic {name} does not exist: run `vaart topics apply`")
            if len(topic.partitions) != self.partitions:
                raise ConfigFault(
                    f"topic {name} has {len(topic.partitions)} partitions, {self.partitions} are configured"
                )
            found[name] = topic.id
        return found

    def bounds(self, topic: str, partition: int) -> tuple[int, int]:
        """See streams.engine.log.Log."""
        found = self._topics[topic].partitions[partition]
        return found.low, found.stable

    def end(self, topic: str, partition: int) -> int:
        """See streams.engine.log.Log."""
        return self._topics[topic].partitions[partition].next

    def read(self, topic: str, partition: int, start: int, stop: int) -> Iterator[Page]:
        """See streams.engine.log.Log. Silence is noticed at once: nobody else can write meanwhile."""
        found = self._topics[topic].partitions[partition]
        reached = start
        while reached < stop:
            stable = found.stable
            if stable <= reached:
                raise DependencyAway(f"nothing more of {topic} can be read before a transaction ends")
            page = [each for each in islice(found.seen(reached), PAGE_RECORDS) if each.offset < stop]
            reached = page[-1].offset + 1 if len(page) == PAGE_RECORDS else min(stable, stop)
            yield Page([(each.key or b"", each.value) for each in page], reached)

    def writer(self, name: str) -> "MemoryWriter":
        """See streams.engine.log.Log."""
        older = self._writers.get(name)
        left = Fate.OPEN if older is None or older.is_open else older.ended
        if older is not None:
            older.is_fenced = True
            older.abort()
        made = self._writers[name] = MemoryWriter(self, name, left)
        return made

    def partition_of(self, topic: str, key: bytes | None) -> int:
        """Where a record with this key goes: by murmur2, as everywhere."""
        return int(murmur2(key or b"") & 0x7FFFFFFF) % len(self._topics[topic].partitions)

    def _add(
        self,
        topic: str,
        key: bytes | None,
        value: bytes | None,
        partition: int,
        transaction: Transaction,
        *,
        is_marker: bool = False,
    ) -> tuple[int, int]:
        number = self.partition_of(topic, key) if partition == ANY_PARTITION else partition
        found = self._topics[topic].partitions[number]
        record = Record(found.next, self.now, key, value, transaction, is_marker)
        if transaction.state == OPEN:
            found.opened.setdefault(id(transaction), record.offset)
            transaction.written.append((topic, number, record))
        found.records.append(record)
        found.next += 1
        return number, record.offset

    def _end(self, name: str, transaction: Transaction, state: str) -> None:
        transaction.state = state
        for topic, partition in dict.fromkeys((topic, number) for topic, number, _ in transaction.written):
            self._add(topic, None, None, partition, transaction, is_marker=True)
            before = self._undecided.pop((name, topic, partition), None)
            for each in (transaction,) if before is None else (before, transaction):
                each.state = state
                del self._topics[topic].partitions[partition].opened[id(each)]
                if state == COMMITTED:
                    self._commits[(topic, partition)].append(each)


class MemoryWriter:
    """See streams.engine.log.Writer."""

    def __init__(self, log: MemoryLog, name: str, left: Fate) -> None:
        self._log = log
        self._name = name
        self._transaction: Transaction | None = None
        self.left = left
        self.ended = Fate.OPEN
        self.is_fenced = False

    @property
    def is_open(self) -> bool:
        """Whether a transaction was begun and has not ended."""
        return self._transaction is not None

    def begin(self) -> None:
        """See streams.engine.log.Writer."""
        self._require("begin")
        if self._transaction is not None:
            raise LaneLost("a transaction is open already")
        self._transaction = Transaction()

    def send(self, record: Outgoing) -> None:
        """See streams.engine.log.Writer."""
        self._require("send")
        self._write(record)

    def commit(self, last: Outgoing) -> int:
        """See streams.engine.log.Writer."""
        self._require("commit")
        _, offset = self._write(last)
        transaction = self._opened()
        self._transaction = None
        self.ended = Fate.COMMITTED
        self._log._end(self._name, transaction, COMMITTED)
        self._log.fault("committed")
        return offset + 1

    def abort(self) -> None:
        """See streams.engine.log.Writer."""
        if self._transaction is not None:
            self._log._end(self._name, self._transaction, ABORTED)
            self._transaction = None
            self.ended = Fate.ABORTED

    def leave(self, fate: Fate) -> Transaction:
        """What was begun; it is to end so, and it is another's to do that."""
        left = self._opened()
        self._transaction, self.ended = None, fate
        return left

    def _write(self, record: Outgoing) -> tuple[int, int]:
        transaction = self._opened()
        return self._log._add(record.topic, record.key, record.value, record.partition, transaction)

    def _opened(self) -> Transaction:
        if self._transaction is None:
            raise LaneLost("no transaction was begun")
        return self._transaction

    def _require(self, step: str) -> None:
        if self.is_fenced:
            raise LaneLost("fenced")
        self._log.fault(step)
