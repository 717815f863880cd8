"""The reader: what Kafka has next, decoded, as one batch. It waits while the registry is away."""

from collections.abc import Callable, Mapping
from typing import Any, cast

import structlog
from confluent_kafka import Consumer, KafkaError, Message

from schemas.codec import Undecodable, key_text
from schemas.events.clock import ClockAdvanced
from schemas.registry import RegistryAway
from sinks.postgres.changes import Changes, Floors, Record, Source, changes
from sinks.postgres.faults import RowsFailed
from sinks.postgres.letters import Letter
from sinks.postgres.writer import Batch
from vaart.errors import ConfigFault, DependencyAway, VaartError

RECORDS_MAX = 5000
LINGER_S = 0.02
"""How long a batch that is not full waits for more: latency against transactions a second."""
REGISTRY_WAIT_S = 1.0

_GONE = frozenset({KafkaError.OFFSET_OUT_OF_RANGE, KafkaError._AUTO_OFFSET_RESET, KafkaError._NO_OFFSET})
_MISSING = frozenset(
    {KafkaError.UNKNOWN_TOPIC_OR_PART, KafkaError._UNKNOWN_TOPIC, KafkaError._UNKNOWN_PARTITION}
)
_FORBIDDEN = frozenset({KafkaError.TOPIC_AUTHORIZATION_FAILED, KafkaError.GROUP_AUTHORIZATION_FAILED})

Place = tuple[str, int, int]

log = structlog.get_logger()


class Stopped(Exception):
    """The sink is to end while it waits. What was read and not written is read again next time."""


class Reader:
    """Reads the assigned partitions of `sources`, by the topics' names on the broker."""

    def __init__(
        self, consumer: Consumer, sources: Mapping[str, Source], wait: Callable[[float], None]
    ) -> None:
        """`wait` lets time pass while the consumer stays a member of its group; it may raise Stopped."""
        self._consumer = consumer
        self._sources = sources
        self._wait = wait

    def read(self, floors: Floors) -> Batch | None:
        """What came within LINGER_S, at most RECORDS_MAX records; None when nothing moved.

        Raises ConfigFault or VaartError when reading on would skip records.
        """
        records: list[Record] = []
        unreadable: list[Letter] = []
        ends: dict[tuple[str, int], int] = {}
        for message in self._consumer.consume(RECORDS_MAX, LINGER_S):
            error = message.error()
            if error is not None and error.code() != KafkaError._PARTITION_EOF:
                _judge(error, message)
                continue
            # Every message of a consumer has all three.
            topic, partition, offset = cast("Place", (message.topic(), message.partition(), message.offset()))
            if error is None:
                try:
                    records.append(self._record(message, topic, partition, offset))
                except Undecodable as fault:
                    unreadable.append(_letter(fault, message, topic, partition, offset))
                offset += 1
            # The end lies behind the marks of transactions: without it lag would never be 0.
            ends[topic, partition] = offset
        if not ends:
            return None
        return Batch(records, unreadable, ends, floors, _changes(records, floors))

    def _record(self, message: Message, topic: str, partition: int, offset: int) -> Record:
        key, value = message.key(), message.value()
        source = self._sources[topic]
        event = None if value is None and source.has_tombstones else self._decode(source, value)
        text = "" if type(event) is ClockAdvanced else key_text(key)
        return Record(source, partition, offset, text, event, key, value)

    def _decode(self, source: Source, value: bytes | None) -> Any:
        while True:
            try:
                return source.decode(value)
            except RegistryAway:
                log.warning("registry_away", topic=source.name)
                self._wait(REGISTRY_WAIT_S)


def _letter(fault: Undecodable, message: Message, topic: str, partition: int, offset: int) -> Letter:
    return Letter(
        topic,
        partition,
        offset,
        "decode",
        fault.reason,
        fault.detail,
        message.key(),
        message.value(),
        fault.schema_id,
    )


def _changes(records: list[Record], floors: Floors) -> Changes | None:
    try:
        return changes(records, floors)
    except RowsFailed:
        return None


def _judge(error: KafkaError, message: Message) -> None:
    """Raises when it would be wrong or useless to read on; all else librdkafka mends by itself."""
    place = f"{message.topic()}/{message.partition()}"
    if error.code() in _GONE:
        raise VaartError(
            f"Kafka no longer has the records of {place} from where this sink stopped: what came next is missing\n"
            "in the tables of that topic. To go on from the oldest record that there is, remove the offset:\n"
            f"the rows of ops.sink_offsets with topic {message.topic()} and partition {message.partition()}."
        )
    if error.code() in _MISSING:
        raise ConfigFault(f"the topic {message.topic()} does not exist: run `vaart topics apply`.")
    if error.code() in _FORBIDDEN:
        raise ConfigFault(
            f"Kafka forbids this sink to read {message.topic() or 'with its group'}: grant Read."
        )
    if error.fatal():
        raise DependencyAway(f"Kafka refuses this consumer for good ({error.name()}): start the sink again.")
    log.warning("kafka_says", error=error.name(), topic=message.topic(), partition=message.partition())
