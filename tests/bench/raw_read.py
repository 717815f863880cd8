"""Raw Kafka read: what the two clients can fetch, records a second, when nobody looks at the records."""

import asyncio
import time
from collections.abc import Iterator
from typing import Any

import aiokafka
from confluent_kafka import Consumer, TopicPartition

from tests.bench.figures import Figure
from tests.bench.ground import OURS, PARTITIONS, Ground, on
from tests.bench.page_views import PREFIX, VIEWS

BATCH = 5_000
WAIT_MS = 1_000
FETCH_BYTES = 4 << 20
BACKOFF_MS = 5
"""How long librdkafka fetches nothing once its queue was full: at its 1,000 a fast reader stands still."""


def run(ground: Ground, records: int) -> Iterator[Figure]:
    """Both clients, one after the other."""
    with on(OURS):
        _by_librdkafka(ground, records)  # the broker has just started: the first reading warms it up
        yield _by_librdkafka(ground, records)
        yield asyncio.run(_by_aiokafka(ground, records))


def _by_librdkafka(ground: Ground, records: int) -> Figure:
    consumer = Consumer(
        {
            "bootstrap.servers": ground.addresses.kafka,
            "group.id": "bench-raw",
            "enable.auto.commit": False,
            "isolation.level": "read_committed",
            "fetch.queue.backoff.ms": BACKOFF_MS,
        }
    )
    consumer.assign([TopicPartition(PREFIX + VIEWS.name, number, 0) for number in range(PARTITIONS)])
    warm = len(consumer.consume(BATCH, WAIT_MS / 1_000))
    got, start, cpu = warm, time.perf_counter(), time.process_time()
    while got < records:
        got += len(consumer.consume(BATCH, WAIT_MS / 1_000))
    figure = _figure("read by librdkafka", got - warm, start, cpu)
    consumer.close()
    return figure


async def _by_aiokafka(ground: Ground, records: int) -> Figure:
    consumer = aiokafka.AIOKafkaConsumer(
        bootstrap_servers=ground.addresses.kafka,
        enable_auto_commit=False,
        isolation_level="read_committed",
        max_partition_fetch_bytes=FETCH_BYTES,
    )
    await consumer.start()
    try:
        partitions = [aiokafka.TopicPartition(PREFIX + VIEWS.name, number) for number in range(PARTITIONS)]
        consumer.assign(partitions)
        await consumer.seek_to_beginning(*partitions)
        warm = _count(await consumer.getmany(timeout_ms=WAIT_MS, max_records=BATCH))
        got, start, cpu = warm, time.perf_counter(), time.process_time()
        while got < records:
            got += _count(await consumer.getmany(timeout_ms=WAIT_MS, max_records=BATCH))
        return _figure("read by aiokafka", got - warm, start, cpu)
    finally:
        await consumer.stop()


def _count(fetched: dict[Any, list[Any]]) -> int:
    return sum(len(records) for records in fetched.values())


def _figure(bench: str, records: int, start: float, cpu: float) -> Figure:
    seconds, used = time.perf_counter() - start, time.process_time() - cpu
    return Figure(bench, records, seconds, "page views of about 220 bytes, not decoded", used / records * 1e6)
