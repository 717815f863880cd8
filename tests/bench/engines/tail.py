"""A committed reader that follows an engine's output: what it counts, and when each count could be read."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

from confluent_kafka import Consumer, KafkaError, TopicPartition

from tests.bench.engines.load import LOG_LEVEL
from tests.bench.ground import PARTITIONS, Failed, Ground
from tests.bench.page_views import read_counted

POLL_S = 0.02
LOOK_EVERY = 500
PAGE = 10_000
SILENCE_S = 5.0


class Seen(NamedTuple):
    """An output: when a reader got it and when the broker took it, in seconds; its key's count before and after."""

    at: float
    taken_at: float
    key: str
    before: int
    after: int


@dataclass(slots=True)
class Totals:
    """What the outputs say so far. A count that went down was counted twice or overtaken."""

    counts: dict[str, int]
    counted: int = 0
    outputs: int = 0
    went_down: int = 0


class Tail:
    """Reads `topic` from its beginning, once; or from where it ends now, when every key has been counted `already`."""

    def __init__(self, ground: Ground, topic: str, already: int = 0) -> None:
        self._topic = topic
        self._already = already
        self._count_of = read_counted()
        self._consumer = _reader(ground, topic)
        if already:
            self._consumer.assign(_ends(self._consumer, topic))
        self.totals = Totals({})

    def follow(self, until: Callable[[], bool], patience_s: float) -> list[Seen]:
        """What was read in this call, which ends once `until`. Raises Failed after `patience_s`."""
        found: list[Seen] = []
        deadline = time.monotonic() + patience_s
        quiet = 0
        while True:
            message = self._consumer.poll(POLL_S)
            if message is not None and message.error() is None:
                found.append(self._note(message))
                quiet += 1
                if quiet % LOOK_EVERY:
                    continue
            if until():
                return found
            if time.monotonic() > deadline:
                raise Failed(
                    f"{self._topic}: {self.totals.counted:,} records were counted after {patience_s:.0f} s"
                )

    def close(self) -> None:
        """Nothing is connected any more."""
        self._consumer.close()

    def _note(self, message: Any) -> Seen:
        at, key, totals = time.time(), message.key().decode(), self.totals
        before, after = totals.counts.get(key, self._already), int(self._count_of(message.value()).views)
        totals.counts[key] = after
        totals.counted += after - before
        totals.outputs += 1
        totals.went_down += after < before
        return Seen(at, message.timestamp()[1] / 1_000, key, before, after)


def records_in(ground: Ground, topic: str) -> int:
    """How many committed records the topic holds."""
    consumer = _reader(ground, topic)
    count = ended = 0
    try:
        while ended < PARTITIONS:
            messages: list[Any] = consumer.consume(PAGE, SILENCE_S)
            if not messages:
                raise Failed(f"Kafka sends nothing more of {topic}")
            for message in messages:
                error = message.error()
                if error is None:
                    count += 1
                elif error.code() == KafkaError._PARTITION_EOF:
                    ended += 1
                else:
                    raise Failed(f"{topic}: {error.str()}")
    finally:
        consumer.close()
    return count


def _reader(ground: Ground, topic: str) -> Consumer:
    consumer = Consumer(
        {
            "bootstrap.servers": ground.addresses.kafka,
            "group.id": "bench-tail",
            "isolation.level": "read_committed",
            "enable.partition.eof": True,
            "enable.auto.commit": False,
            "fetch.queue.backoff.ms": 5,
            "log_level": LOG_LEVEL,
        }
    )
    consumer.assign([TopicPartition(topic, number, 0) for number in range(PARTITIONS)])
    return consumer


def _ends(consumer: Consumer, topic: str) -> list[TopicPartition]:
    bounds: list[Any] = [
        consumer.get_watermark_offsets(TopicPartition(topic, number), timeout=SILENCE_S)
        for number in range(PARTITIONS)
    ]
    if None in bounds:
        raise Failed(f"Kafka does not say where {topic} ends")
    return [TopicPartition(topic, number, high) for number, (_, high) in enumerate(bounds)]
