"""Restore: a worker's state read back from its changelogs into an empty folder, by sorted files and by puts.

One process, four lanes at once, as a worker that starts without its folder. The peer is what the same client reads from
the same topic with the same settings when nothing is kept.
"""

import resource
import shutil
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from random import Random
from typing import Any

from confluent_kafka import Producer

from schemas.events.activity import PageViewed
from schemas.topic import Topic
from streams.engine import changelog, position, records
from streams.engine.kafka_log import log_of
from streams.engine.rocks_store import RocksStore
from streams.engine.surroundings import Surroundings
from streams.view import Record, Step, View
from tests.bench.figures import Figure
from tests.bench.ground import OURS, PARTITIONS, Failed, Ground, on
from vaart import settings

RECORDS, RECORDS_QUICK = 5_000_000, 600_000
VALUE_BYTES = 300
SPREAD = 2_654_435_761
"""A prime: record number n has the key n * SPREAD modulo their number, so that keys come in no order."""
ALARM_EVERY = 10
YEAR_US = 365 * 86_400_000_000
PREFIX = "bench-restore."
NEVER = 1 << 62
UNTOUCHED = {"cleanup.policy": "compact", "min.compaction.lag.ms": str(YEAR_US // 1_000)}
"""The broker does not compact it while it is read."""

SOURCE = Topic("restored.v1", (PageViewed,))
VIEW = View("restored", (SOURCE,), (), Record, lambda state, event: Step(None))


def run(ground: Ground) -> Iterator[Figure]:
    """The peer, then both ways of restoring, from the same topic."""
    count = RECORDS_QUICK if ground.is_quick else RECORDS
    around = _surroundings(ground)
    ground.create_topics({PREFIX + SOURCE.name: {}, PREFIX + VIEW.changelog: UNTOUCHED})
    with on(OURS):
        _fill(ground, count)
        _read(around, 0)  # the first reading warms the broker up
        yield _figure(
            "changelog, only read", count, "as restores read, nothing kept", lambda: _each(around, _read)
        )
        yield _restored(ground, around, count, "restore", "by sorted files, which RocksDB takes in")
        with _only_puts():
            yield _restored(ground, around, count, "restore by puts", "page by page")


def _restored(ground: Ground, around: Surroundings, count: int, bench: str, how: str) -> Figure:
    folder = ground.folder / "restored"
    try:
        with closing(RocksStore(folder)) as store:

            def restore(_: Surroundings, lane: int) -> int:
                return changelog.restore(around, lane, store.lane(lane), lambda: True).records

            how = f"{VALUE_BYTES}-byte values of as many keys, every {ALARM_EVERY}th with an alarm; {how}"
            return _figure(bench, count, how, lambda: _each(around, restore))
    finally:
        shutil.rmtree(folder)


def _figure(bench: str, count: int, how: str, work: Callable[[], int]) -> Figure:
    began, used = time.perf_counter(), time.process_time()
    found = work()
    seconds, cpu_s = time.perf_counter() - began, time.process_time() - used
    if found != count + PARTITIONS:
        raise Failed(f"{bench}: {found} records were read, {count + PARTITIONS} are there")
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
    return Figure(bench, count, seconds, how, cpu_s / count * 1e6, more={"peak_mb": peak_mb})


def _each(around: Surroundings, work: Callable[[Surroundings, int], int]) -> int:
    with ThreadPoolExecutor(PARTITIONS) as pool:
        return sum(pool.map(work, [around] * PARTITIONS, range(PARTITIONS)))


def _read(around: Surroundings, lane: int) -> int:
    low, high = around.log.bounds(VIEW.changelog, lane)
    return sum(len(page.records) for page in around.log.read(VIEW.changelog, lane, low, high))


@contextmanager
def _only_puts() -> Iterator[None]:
    before, changelog.LARGE_OFFSETS = changelog.LARGE_OFFSETS, NEVER
    try:
        yield
    finally:
        changelog.LARGE_OFFSETS = before


def _fill(ground: Ground, count: int) -> None:
    """The changelog holds `count` heads, and each lane's position behind them."""
    producer = Producer(
        {
            "bootstrap.servers": ground.addresses.kafka,
            "compression.type": "lz4",
            "linger.ms": 20,
            "enable.idempotence": True,
        }
    )
    for number, (key, value) in enumerate(_heads(count)):
        _produce(producer, key, value, number % PARTITIONS)
    for lane in range(PARTITIONS):
        standing = position.encode(position.Position(PARTITIONS, epoch=VIEW.epoch))
        _produce(producer, records.POSITION, standing, lane)
    if producer.flush(60):
        raise Failed("Kafka did not take the whole changelog")


def _produce(producer: Producer, key: bytes, value: bytes, lane: int) -> None:
    while True:
        try:
            producer.produce(PREFIX + VIEW.changelog, value, key, lane)
        except BufferError:
            producer.poll(0.1)
        else:
            return


def _heads(count: int) -> Iterator[tuple[bytes, bytes]]:
    """Half of each value can be compressed, as in states of names and numbers."""
    noise = Random(1).randbytes(1 << 20)
    empty = Record()
    for number in range(count):
        key = number * SPREAD % count
        wake_at = YEAR_US + key if key % ALARM_EVERY == 0 else None
        value = records.head_value(empty, wake_at)
        half = (VALUE_BYTES - len(value)) // 2
        start = number * 97 % (len(noise) - half)
        value = (value + noise[start : start + half]).ljust(VALUE_BYTES, b"-")
        yield records.head_key(b"customer-%09d" % key), value


def _surroundings(ground: Ground) -> Surroundings:
    loaded = settings.load(ground.environment(PREFIX))
    return Surroundings(
        view=VIEW,
        log=log_of(loaded, ground.addresses, "bench-restore"),
        prefix=PREFIX,
        partitions=PARTITIONS,
        decoders={},
        encoders=_nothing,
        writers={},
        clock=lambda: time.time_ns() // 1_000,
        is_replay=False,
    )


def _nothing(_topic: Topic, _struct: type) -> Any:
    raise LookupError("nothing is written")
