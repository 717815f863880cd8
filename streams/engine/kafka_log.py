"""The real log: Kafka by librdkafka. A writer is a producer with a fixed transactional id."""

import time
from collections.abc import Iterable, Iterator, Mapping
from threading import Lock
from typing import Any

from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicCollection, TopicPartition
from confluent_kafka.admin import AdminClient

from schemas.topics import LETTER_BYTES_MAX
from streams.engine.fate import Unanswered, fate_of
from streams.engine.log import Fate, LaneLost, Outgoing, Page
from vaart import kafka
from vaart.addresses import Addresses
from vaart.asyncio_kafka import asyncio_config
from vaart.errors import ConfigFault, DependencyAway
from vaart.settings import Settings

QUEUE_FULL_S = 0.1
WRITING = {
    "transaction.timeout.ms": 30_000,
    "message.timeout.ms": 25_000,
    "linger.ms": 1,
    "message.max.bytes": LETTER_BYTES_MAX,
}
"""A dead owner delays readers until the next one comes, or until the broker ends its transaction."""
READING = {
    "enable.partition.eof": True,
    "fetch.wait.max.ms": 20,
    "fetch.message.max.bytes": 4 << 20,
    "queued.max.messages.kbytes": 16 << 10,
    "fetch.queue.backoff.ms": 5,
}
"""A log whose last records are markers has its end told by an empty fetch, for which the broker waits this long. What
was fetched ahead is bounded; once the reader has made room, the client waits its whole back-off before it goes on.
"""
PAGE_RECORDS = 5_000
PAGE_WAIT_S = 0.05
"""The client returns a page that is not full only after this; every read to a log's end waits it out."""
BROKER_TIMEOUT_S = 15.0
"""Less than a worker has to drain: one whose broker is away can still be told to stop."""
SILENCE_S_MAX = 60.0
TOPIC_VISIBLE_S_MAX = 5.0
TOPIC_ASKED_EVERY_S = 0.2
QUIET = {"log_level": 2}
"""What fails is raised here, in our words; the client's own lines, several a second from each, say it no better."""
LEADER_UNKNOWN = (
    KafkaError.NOT_LEADER_FOR_PARTITION,
    KafkaError.LEADER_NOT_AVAILABLE,
    KafkaError.UNKNOWN_TOPIC_OR_PART,
)


class KafkaLog:
    """A deployment's topics. The three configurations are librdkafka's."""

    def __init__(
        self,
        prefix: str,
        partitions: int,
        producer_config: Mapping[str, Any],
        consumer_config: Mapping[str, Any],
        admin_config: Mapping[str, Any],
    ) -> None:
        self._prefix = prefix
        self.partitions = partitions
        self._producer_config = {**producer_config, **QUIET}
        self._consumer_config = {**consumer_config, **QUIET}
        self._admin_config = admin_config
        self._askers: dict[str, Consumer] = {}
        self._lock = Lock()

    def topic_ids(self, names: Iterable[str]) -> dict[str, str]:
        """See streams.engine.log.Log. Raises DependencyAway where Kafka does not answer."""
        admin = AdminClient(dict(self._admin_config))
        found = {}
        for name in dict.fromkeys(names):
            description = _description(admin, self._prefix + name)
            if len(description.partitions) != self.partitions:
                raise ConfigFault(
                    f"topic {self._prefix + name} has {len(description.partitions)} partitions, "
                    f"{self.partitions} are configured: a view's topics keep one count for life"
                )
            found[name] = str(description.topic_id)
        return found

    def bounds(self, topic: str, partition: int) -> tuple[int, int]:
        """See streams.engine.log.Log."""
        return _bounds(self._asker(), self._prefix + topic, partition)

    def end(self, topic: str, partition: int) -> int:
        """See streams.engine.log.Log."""
        _, high = _bounds(self._asker("read_uncommitted"), self._prefix + topic, partition)
        return high

    def offset_at(self, topic: str, partition: int, at: int) -> int | None:
        """The offset of the first record that was written at `at` (microseconds) or later; None where there is none."""
        asked = TopicPartition(self._prefix + topic, partition, at // 1_000)
        try:
            found = self._asker().offsets_for_times([asked], timeout=BROKER_TIMEOUT_S)[0].offset
        except KafkaException as error:
            raise DependencyAway(f"Kafka does not answer for {topic}: {error.args[0].str()}") from error
        return int(found) if found >= 0 else None

    def read(self, topic: str, partition: int, start: int, stop: int) -> Iterator[Page]:
        """See streams.engine.log.Log."""
        if start >= stop:
            return
        consumer = Consumer({**self._consumer_config, **READING})
        try:
            consumer.assign([TopicPartition(self._prefix + topic, partition, start)])
            yield from _pages(consumer, self._prefix + topic, start, stop)
        finally:
            consumer.close()

    def writer(self, name: str) -> "KafkaWriter":
        """See streams.engine.log.Log."""
        left = self._fate(self._prefix + name)
        config = {**self._producer_config, **WRITING, "transactional.id": self._prefix + name}
        return KafkaWriter(config, self._prefix, left)

    def _fate(self, name: str) -> Fate:
        """Asked before the next writer is made, which makes the coordinator forget it."""
        try:
            return fate_of(asyncio_config(self._admin_config), name, BROKER_TIMEOUT_S)
        except Unanswered as error:
            raise DependencyAway(
                f"Kafka does not tell what became of the transactions of {name} ({error}): are its brokers up?"
            ) from error

    def _asker(self, isolation: str = "read_committed") -> Consumer:
        with self._lock:
            if isolation not in self._askers:
                self._askers[isolation] = Consumer({**self._consumer_config, "isolation.level": isolation})
            return self._askers[isolation]


def log_of(settings: Settings, addresses: Addresses, group: str) -> KafkaLog:
    """The log of a deployment. `group` names its readers to the broker; none of them joins it."""
    return KafkaLog(
        settings.kafka.topic_prefix,
        settings.kafka.partitions,
        kafka.producer_config(settings, addresses),
        kafka.consumer_config(settings, addresses, group),
        kafka.admin_config(settings, addresses),
    )


class KafkaWriter:
    """See streams.engine.log.Writer."""

    def __init__(self, config: Mapping[str, Any], prefix: str, left: Fate) -> None:
        self._prefix = prefix
        self.left = left
        self._producer = Producer(dict(config))
        self._end = -1
        try:
            self._producer.init_transactions(BROKER_TIMEOUT_S)
        except KafkaException as error:
            if error.args[0].retriable():
                raise DependencyAway(
                    f"Kafka has not opened a transaction within {BROKER_TIMEOUT_S:.0f} s "
                    f"({error.args[0].name()}): are its brokers up?"
                ) from error
            raise LaneLost(error.args[0].name()) from error

    def begin(self) -> None:
        """See streams.engine.log.Writer."""
        try:
            self._producer.begin_transaction()
        except KafkaException as error:
            raise LaneLost(error.args[0].name()) from error

    def send(self, record: Outgoing) -> None:
        """See streams.engine.log.Writer."""
        try:
            while not self._is_taken(record):
                self._producer.poll(QUEUE_FULL_S)
        except KafkaException as error:
            raise LaneLost(error.args[0].name()) from error

    def commit(self, last: Outgoing) -> int:
        """See streams.engine.log.Writer."""
        self._end = -1
        try:
            self._producer.produce(
                self._prefix + last.topic, last.value, last.key, last.partition, on_delivery=self._note_end
            )
            self._producer.commit_transaction(BROKER_TIMEOUT_S)
        except (KafkaException, BufferError) as error:
            raise LaneLost(_name_of(error)) from error
        return self._end

    def abort(self) -> None:
        """See streams.engine.log.Writer."""
        try:
            self._producer.flush(BROKER_TIMEOUT_S)  # a record that never left would add no partition
            self._producer.abort_transaction(BROKER_TIMEOUT_S)
        except KafkaException as error:
            raise LaneLost(error.args[0].name()) from error

    def _note_end(self, error: Any, message: Any) -> None:
        self._end = message.offset() + 1 if error is None else -1

    def _is_taken(self, record: Outgoing) -> bool:
        try:
            self._producer.produce(self._prefix + record.topic, record.value, record.key, record.partition)
        except BufferError:
            return False
        return True


def _name_of(error: Exception) -> str:
    return error.args[0].name() if isinstance(error, KafkaException) else "the client's queue is full"


def _description(admin: AdminClient, topic: str) -> Any:
    """A topic that was just made is not known everywhere at once, so one that seems missing is asked for again."""
    deadline = time.monotonic() + TOPIC_VISIBLE_S_MAX
    while True:
        asked = admin.describe_topics(TopicCollection([topic]), request_timeout=BROKER_TIMEOUT_S)
        try:
            return asked[topic].result()
        except KafkaException as error:
            code = error.args[0].code()
            if code != KafkaError.UNKNOWN_TOPIC_OR_PART:
                raise DependencyAway(f"Kafka does not describe {topic}: {error.args[0].str()}") from error
            if time.monotonic() > deadline:
                raise ConfigFault(f"topic {topic} does not exist: run `vaart topics apply`") from error
            time.sleep(TOPIC_ASKED_EVERY_S)


def _bounds(consumer: Consumer, topic: str, partition: int) -> tuple[int, int]:
    """A partition that has no leader, or that the client looks for at the wrong broker, is asked for again."""
    deadline = time.monotonic() + TOPIC_VISIBLE_S_MAX
    place = TopicPartition(topic, partition)
    while True:
        try:
            bounds: Any = consumer.get_watermark_offsets(place, timeout=BROKER_TIMEOUT_S, cached=False)
            break
        except KafkaException as error:
            if error.args[0].code() not in LEADER_UNKNOWN or time.monotonic() > deadline:
                raise DependencyAway(
                    f"Kafka does not answer for {topic}[{partition}]: {error.args[0].str()}"
                ) from error
        time.sleep(TOPIC_ASKED_EVERY_S)
    if bounds is None:
        raise DependencyAway(f"Kafka does not answer for {topic}[{partition}]: is the broker up?")
    low, high = bounds
    return int(low), int(high)


def _pages(consumer: Consumer, topic: str, start: int, stop: int) -> Iterator[Page]:
    reached, heard_at = start, time.monotonic()
    while reached < stop:
        messages: list[Any] = consumer.consume(PAGE_RECORDS, PAGE_WAIT_S)
        if messages:
            heard_at = time.monotonic()
        elif time.monotonic() - heard_at > SILENCE_S_MAX:
            raise DependencyAway(
                f"Kafka has sent nothing of {topic} for {SILENCE_S_MAX:.0f} s: is the broker up?"
            )
        for message in [each for each in messages if each.error() is not None]:
            if message.error().code() != KafkaError._PARTITION_EOF:
                raise DependencyAway(f"Kafka cannot read {topic}: {message.error().str()}")
            reached = max(reached, message.offset())
        found = [each for each in messages if each.error() is None]
        if found:
            reached = max(reached, found[-1].offset() + 1)
        yield Page([(each.key(), each.value()) for each in found], reached)
