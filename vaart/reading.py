"""Reading topics for commands that look at them: up to the end that they have now, or as records come."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Self

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from vaart import kafka
from vaart.addresses import Addresses
from vaart.errors import ConfigFault, DependencyAway
from vaart.settings import Settings

ANSWER_WITHIN_S = 30.0
SILENCE_S_MAX = 60.0
POLL_S = 0.05
"""The client waits this long for RECORDS_AT_ONCE, also where fewer are left."""
RECORDS_AT_ONCE = 500
LEADER_MOVES = (KafkaError.NOT_LEADER_FOR_PARTITION, KafkaError.LEADER_NOT_AVAILABLE)
LEADER_MOVES_S = 0.1
"""A partition that has no leader yet, or another one, has one soon: so long between two questions."""
TO_THE_END = {"enable.partition.eof": True, "fetch.wait.max.ms": 20}
"""Where the last records are markers an empty fetch tells the end, for which the broker waits this long."""


class Reader:
    """Reads committed records. Each method raises DependencyAway or ConfigFault where Kafka does not give them."""

    def __init__(self, settings: Settings, addresses: Addresses, group: str) -> None:
        self._settings = settings
        self._address = addresses.kafka
        config = kafka.consumer_config(settings, addresses, group)
        self._consumer = Consumer({**config, **TO_THE_END})

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._consumer.close()

    def bounds(self, topic: str, partition: int) -> tuple[int, int]:
        """The first offset that is there, and the end of what is committed."""
        deadline = time.monotonic() + ANSWER_WITHIN_S
        with self._asking(topic):
            while True:
                try:
                    return self._bounds(topic, partition)
                except KafkaException as error:
                    if error.args[0].code() not in LEADER_MOVES or time.monotonic() >= deadline:
                        raise
                time.sleep(LEADER_MOVES_S)

    def at(self, topic: str, partitions: Sequence[int], moment_ms: int) -> dict[int, int]:
        """Per partition, the offset of its first record of that time or later; the end where there is none."""
        with self._asking(topic):
            asked = [self._at(topic, partition, moment_ms) for partition in partitions]
            found = self._consumer.offsets_for_times(asked, timeout=ANSWER_WITHIN_S)
        return {
            each.partition: each.offset if each.offset >= 0 else self.bounds(topic, each.partition)[1]
            for each in found
        }

    def records(
        self, topic: str, starts: Mapping[int, int], ends: Mapping[int, int] | None = None
    ) -> Iterator[Message]:
        """What stands from these offsets on, per partition in its order, up to `ends` or the end that there is now."""
        ends = ends or {partition: self.bounds(topic, partition)[1] for partition in starts}
        open_ = {partition for partition, start in starts.items() if start < ends[partition]}
        self._consumer.assign([self._at(topic, partition, starts[partition]) for partition in open_])
        heard_at = time.monotonic()
        while open_:
            messages = self._consumer.consume(RECORDS_AT_ONCE, POLL_S)
            if messages:
                heard_at = time.monotonic()
            elif time.monotonic() - heard_at > SILENCE_S_MAX:
                raise DependencyAway(f"Kafka at {self._address} has sent nothing of {topic} for a minute.")
            for message in messages:
                yield from self._told(message, ends, open_)

    def follow(self, starts: Mapping[tuple[str, int], int], is_over: Callable[[], bool]) -> Iterator[Message]:
        """What stands from these offsets on, by topic and partition, and then what comes, until `is_over`."""
        self._consumer.assign([self._at(*place, start) for place, start in starts.items()])
        while not is_over():
            for message in self._consumer.consume(RECORDS_AT_ONCE, POLL_S):
                error = message.error()
                if error is None:
                    yield message
                elif error.code() != KafkaError._PARTITION_EOF:
                    raise self._fault(error, message.topic() or "")

    def _bounds(self, topic: str, partition: int) -> tuple[int, int]:
        found: Any = self._consumer.get_watermark_offsets(
            self._at(topic, partition), timeout=ANSWER_WITHIN_S, cached=False
        )
        low, high = found
        return int(low), int(high)

    def _told(self, message: Message, ends: Mapping[int, int], open_: set[int]) -> Iterator[Message]:
        partition, offset = message.partition(), message.offset()
        if partition is None or offset is None:
            return
        error = message.error()
        if error is not None and error.code() != KafkaError._PARTITION_EOF:
            raise self._fault(error, message.topic() or "")
        if error is None and offset < ends[partition]:
            yield message
        if error is not None or offset + 1 >= ends[partition]:
            open_.discard(partition)

    @contextmanager
    def _asking(self, topic: str) -> Iterator[None]:
        try:
            yield
        except KafkaException as error:
            raise self._fault(error.args[0], topic) from None

    def _fault(self, error: KafkaError, topic: str) -> Exception:
        if error.code() in (
            KafkaError.UNKNOWN_TOPIC_OR_PART,
            KafkaError._UNKNOWN_TOPIC,
            KafkaError._UNKNOWN_PARTITION,
        ):
            return ConfigFault(f"the topic {topic} is not there as it should be: run `vaart topics check`.")
        if error.code() == KafkaError.TOPIC_AUTHORIZATION_FAILED:
            return ConfigFault(f"Kafka at {self._address} forbids reading {topic}: grant Read and Describe.")
        return DependencyAway(f"Kafka at {self._address} does not answer for {topic} ({error.name()}).")

    def _at(self, topic: str, partition: int, offset: int = 0) -> TopicPartition:
        return TopicPartition(kafka.topic_name(self._settings, topic), partition, offset)
