"""What a committed reader sees of an output topic, and how fast it came there by the broker's own clock."""

from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

from confluent_kafka import Consumer, KafkaError, TopicPartition

from tests.bench.figures import Figure
from tests.bench.ground import PARTITIONS, Failed, Ground, Meter, Service

WARM_UP = 0.1
"""The share of the work that is done before the clock starts."""
READ_RECORDS = 5_000
SILENCE_S = 5.0

Arrival = tuple[int, int]
"""When the broker took an output, in milliseconds, and how many inputs it stands for."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """Some work, between two moments of `time.time()`."""

    records: int
    start: float
    stop: float

    @property
    def seconds(self) -> float:
        """How long it took."""
        return self.stop - self.start

    def figure(self, bench: str, how: str, kafka: Meter, *services: Service, **more: Any) -> Figure:
        """The stretch as a result, with the CPU time of the services that did the work, and of the broker."""
        memory = {"memory_bytes_max": max(service.meter.memory_bytes_max for service in services)}
        cpu_us = sum(self.cpu_us(service.meter) for service in services)
        return Figure(bench, self.records, self.seconds, how, cpu_us, self.cpu_us(kafka), {**memory, **more})

    def cpu_us(self, meter: Meter) -> float:
        """The process's CPU microseconds per record."""
        return meter.cpu_s(self.start, self.stop) / self.records * 1e6


def warm(arrivals: list[Arrival]) -> Stretch:
    """The work after the warm-up, up to the last output."""
    in_order = sorted(arrivals)
    totals = list(accumulate(units for _, units in in_order))
    warmed = bisect_left(totals, totals[-1] * WARM_UP)
    start, stop = in_order[warmed][0], in_order[-1][0]
    if stop <= start:
        raise Failed("too few outputs to measure a rate")
    return Stretch(totals[-1] - totals[warmed], start / 1_000, stop / 1_000)


def each_one(arrived: list[tuple[int, str, bytes]]) -> list[Arrival]:
    """Every output stands for one input."""
    return [(at, 1) for at, _, _ in arrived]


def growth(arrived: list[tuple[int, str, bytes]], count_of: Callable[[bytes], int]) -> list[Arrival]:
    """An output is its key's count so far: it stands for what the count grew by. Order within a key is kept."""
    known: dict[str, int] = {}
    found = []
    for at, key, value in arrived:
        counted = count_of(value)
        found.append((at, counted - known.get(key, 0)))
        known[key] = counted
    return found


def read(ground: Ground, topic: str) -> list[tuple[int, str, bytes]]:
    """Every committed record: when the broker took it, key, value. Each partition's are in order."""
    consumer = Consumer(
        {
            "bootstrap.servers": ground.addresses.kafka,
            "group.id": "bench-outputs",
            "isolation.level": "read_committed",
            "enable.partition.eof": True,
            "enable.auto.commit": False,
        }
    )
    consumer.assign([TopicPartition(topic, number, 0) for number in range(PARTITIONS)])
    found: list[tuple[int, str, bytes]] = []
    ended = 0
    try:
        while ended < PARTITIONS:
            messages: list[Any] = consumer.consume(READ_RECORDS, SILENCE_S)
            if not messages:
                raise Failed(f"Kafka sends nothing more of {topic}")
            for message in messages:
                error = message.error()
                if error is None:
                    found.append((message.timestamp()[1], message.key().decode(), message.value()))
                elif error.code() == KafkaError._PARTITION_EOF:
                    ended += 1
                else:
                    raise Failed(f"{topic}: {error.str()}")
    finally:
        consumer.close()
    return found
