"""What the engine relies on in a log, held for the real Kafka and for the log in memory alike."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from streams.engine import kafka_log
from streams.engine.kafka_log import KafkaLog, log_of
from streams.engine.log import Fate, LaneLost, Log, Outgoing
from streams.engine.testing.memory_log import MemoryLog
from vaart.addresses import Addresses
from vaart.errors import ConfigFault, DependencyAway
from vaart.settings import Settings

PARTITIONS = 2
PATIENCE_S = 20
A, B = "made.a.v1", "made.b.v1"


@dataclass
class Ground:
    """A log with the topics A and B, and what only a test does to it."""

    log: Log
    append: Callable[[str, bytes, bytes, int], object]
    create_again: Callable[[str], object]
    create: Callable[[str, int], object]
    truncate: Callable[[str, int, int], object]
    arrived: Callable[[str, int], object]
    """Waits until a topic's partition 0 has so many records, uncommitted ones too."""


@pytest.fixture(params=["memory", pytest.param("kafka", marks=pytest.mark.servers)])
def ground(request: pytest.FixtureRequest) -> Iterator[Ground]:
    if request.param == "memory":
        log = MemoryLog(PARTITIONS)
        log.create(A, B)
        yield Ground(
            log,
            log.append,
            log.create,
            lambda name, number: log.create(name, partitions=number),
            log.truncate,
            lambda topic, count: None,
        )
        return
    settings: Settings = request.getfixturevalue("settings")
    addresses: Addresses = request.getfixturevalue("servers")
    yield _on_kafka(settings, addresses)


def _on_kafka(settings: Settings, addresses: Addresses) -> Ground:
    settings = settings.model_copy(
        update={"kafka": settings.kafka.model_copy(update={"partitions": PARTITIONS})}
    )
    prefix = settings.kafka.topic_prefix
    admin = AdminClient({"bootstrap.servers": addresses.kafka})
    producer = Producer({"bootstrap.servers": addresses.kafka})

    def create(name: str, partitions: int = PARTITIONS) -> None:
        admin.create_topics([NewTopic(prefix + name, partitions, 1)])[prefix + name].result()

    def create_again(name: str) -> None:
        admin.delete_topics([prefix + name])[prefix + name].result()
        create(name)

    def append(topic: str, key: bytes, value: bytes, partition: int) -> None:
        producer.produce(prefix + topic, value, key, partition)
        assert producer.flush(10) == 0

    def truncate(topic: str, partition: int, low: int) -> None:
        place = TopicPartition(prefix + topic, partition, low)
        admin.delete_records([place])[place].result()

    def arrived(topic: str, count: int) -> None:
        dirty = Consumer(
            {
                "bootstrap.servers": addresses.kafka,
                "group.id": "dirty",
                "isolation.level": "read_uncommitted",
            }
        )
        deadline = time.monotonic() + PATIENCE_S
        while dirty.get_watermark_offsets(TopicPartition(prefix + topic, 0), timeout=10)[1] < count:
            assert time.monotonic() < deadline, f"fewer than {count} records have come to {topic}"
            time.sleep(0.02)
        dirty.close()

    create(A)
    create(B)
    log = log_of(settings, addresses, "conformance")
    assert isinstance(log, KafkaLog)
    return Ground(log, append, create_again, create, truncate, arrived)


def seen(log: Log, topic: str, partition: int = 0) -> list[tuple[bytes, bytes | None]]:
    """Everything that can be read now."""
    low, high = log.bounds(topic, partition)
    return [record for page in log.read(topic, partition, low, high) for record in page.records]


def eventually(ask: Callable[[], object], expected: object) -> None:
    """A commit returns before its markers stand in every partition; until then a reader is a commit behind."""
    deadline = time.monotonic() + PATIENCE_S
    while (found := ask()) != expected and time.monotonic() < deadline:
        time.sleep(0.05)
    assert found == expected


def out(topic: str, value: bytes | None, key: bytes = b"k") -> Outgoing:
    return Outgoing(topic, key, value, 0)


def test_a_transaction_is_seen_whole_and_in_order_once_it_is_committed(ground: Ground) -> None:
    writer = ground.log.writer("lane")
    writer.begin()
    writer.send(out(A, b"1"))
    writer.send(out(B, None))
    end = writer.commit(out(B, b"2"))
    eventually(lambda: seen(ground.log, A), [(b"k", b"1")])
    eventually(lambda: seen(ground.log, B), [(b"k", None), (b"k", b"2")])
    assert end == 2


def test_what_is_not_committed_is_not_seen_and_ends_what_can_be_read(ground: Ground) -> None:
    open_one = ground.log.writer("open")
    open_one.begin()
    open_one.send(out(A, b"uncommitted"))
    open_one.commit(out(B, b"first"))
    open_one.begin()
    open_one.send(out(A, b"open"))
    fenced_by = ground.log.writer("open")
    fenced_by.begin()
    fenced_by.commit(out(A, b"after"))
    eventually(lambda: seen(ground.log, A), [(b"k", b"uncommitted"), (b"k", b"after")])


def test_an_open_transaction_ends_what_can_be_read_until_it_ends(ground: Ground) -> None:
    ground.append(A, b"x", b"before", 0)
    writer = ground.log.writer("open")
    writer.begin()
    writer.send(out(A, b"open"))
    ground.arrived(A, 2)
    ground.append(A, b"y", b"behind", 0)
    assert ground.log.bounds(A, 0) == (0, 1)
    assert seen(ground.log, A) == [(b"x", b"before")]
    writer.commit(out(B, b"committed"))
    eventually(lambda: seen(ground.log, A), [(b"x", b"before"), (b"k", b"open"), (b"y", b"behind")])


def test_a_log_that_stays_silent_is_not_waited_for(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kafka_log, "SILENCE_S_MAX", 0.5)
    ground.append(A, b"x", b"there", 0)
    pages = ground.log.read(A, 0, 0, 2)
    with pytest.raises(DependencyAway):
        list(pages)


def test_what_retention_took_is_outside_the_bounds(ground: Ground) -> None:
    for number in range(4):
        ground.append(A, b"x", b"%d" % number, 0)
    ground.truncate(A, 0, 3)
    assert ground.log.bounds(A, 0) == (3, 4)
    assert seen(ground.log, A) == [(b"x", b"3")]


def test_a_read_stops_where_it_is_told_to(ground: Ground) -> None:
    for number in range(12):
        ground.append(A, b"x", b"%d" % number, 0)
    pages = list(ground.log.read(A, 0, 3, 9))
    assert [value for page in pages for _, value in page.records][:6] == [
        b"%d" % each for each in range(3, 9)
    ]
    assert pages[-1].reached >= 9


def test_an_older_writer_of_a_name_commits_nothing_more(ground: Ground) -> None:
    older = ground.log.writer("lane")
    older.begin()
    older.send(out(A, b"older"))
    newer = ground.log.writer("lane")
    with pytest.raises(LaneLost):
        older.commit(out(A, b"too late"))
    newer.begin()
    newer.commit(out(A, b"newer"))
    eventually(lambda: seen(ground.log, A), [(b"k", b"newer")])


def test_writers_of_other_names_do_not_fence_each_other(ground: Ground) -> None:
    first, second = ground.log.writer("lane-1"), ground.log.writer("lane-2")
    first.begin()
    second.begin()
    first.commit(out(A, b"first"))
    second.commit(out(A, b"second"))
    eventually(lambda: seen(ground.log, A), [(b"k", b"first"), (b"k", b"second")])


def test_a_new_writer_knows_how_the_last_transaction_of_its_name_was_to_end(ground: Ground) -> None:
    first = ground.log.writer("lane")
    assert first.left is Fate.OPEN
    first.begin()
    first.commit(out(A, b"1"))
    second = ground.log.writer("lane")
    assert second.left is Fate.COMMITTED
    second.begin()
    second.send(out(A, b"2"))
    second.abort()
    third = ground.log.writer("lane")
    assert third.left is Fate.ABORTED
    third.begin()
    third.send(out(A, b"3"))
    assert ground.log.writer("other").left is Fate.OPEN
    assert ground.log.writer("lane").left is Fate.OPEN
    assert ground.log.writer("lane").left is Fate.OPEN
    eventually(lambda: seen(ground.log, A), [(b"k", b"1")])


def test_what_is_not_decided_lies_between_the_bounds_and_the_end(ground: Ground) -> None:
    writer = ground.log.writer("open")
    writer.begin()
    writer.send(out(A, b"open"))
    ground.arrived(A, 1)
    assert (ground.log.bounds(A, 0), ground.log.end(A, 0)) == ((0, 0), 1)
    writer.abort()
    eventually(lambda: (ground.log.bounds(A, 0), ground.log.end(A, 0)), ((0, 2), 2))
    assert seen(ground.log, A) == []


def test_positions_lie_behind_markers_and_reading_ends_at_them(ground: Ground) -> None:
    writer = ground.log.writer("lane")
    ends = []
    for number in range(3):
        writer.begin()
        ends.append(writer.commit(out(A, b"%d" % number)))
    assert ends == [1, 3, 5]
    eventually(lambda: ground.log.bounds(A, 0), (0, 6))
    _, high = ground.log.bounds(A, 0)
    pages = list(ground.log.read(A, 0, ends[1], high))
    assert [record for page in pages for record in page.records] == [(b"k", b"2")]
    assert pages[-1].reached >= high
    assert list(ground.log.read(A, 0, high, high)) == []


def test_a_tail_of_markers_and_aborted_records_is_read_to_its_end(ground: Ground) -> None:
    writer = ground.log.writer("lane")
    writer.begin()
    writer.commit(out(A, b"kept"))
    writer.begin()
    writer.send(out(A, b"aborted"))
    again = ground.log.writer("lane")
    again.begin()
    again.commit(out(B, b"elsewhere"))
    eventually(lambda: seen(ground.log, B), [(b"k", b"elsewhere")])
    low, high = ground.log.bounds(A, 0)
    pages = list(ground.log.read(A, 0, low, high))
    assert [record for page in pages for record in page.records] == [(b"k", b"kept")]
    assert pages[-1].reached >= high


def test_plain_records_stand_between_transactions(ground: Ground) -> None:
    ground.append(A, b"x", b"plain", 0)
    writer = ground.log.writer("lane")
    writer.begin()
    writer.commit(out(A, b"committed"))
    ground.append(A, b"y", b"plain", 0)
    eventually(lambda: seen(ground.log, A), [(b"x", b"plain"), (b"k", b"committed"), (b"y", b"plain")])


def test_a_key_decides_on_the_partition_by_murmur2(ground: Ground) -> None:
    writer = ground.log.writer("lane")
    writer.begin()
    for number in range(20):
        writer.send(Outgoing(A, b"key-%d" % number, b""))
    writer.commit(out(B, b""))
    reference = MemoryLog(PARTITIONS)
    reference.create(A)
    expected = {b"key-%d" % number for number in range(20)}
    for partition in range(PARTITIONS):
        eventually(
            lambda partition=partition: {key for key, _ in seen(ground.log, A, partition)},  # type: ignore[misc]
            {key for key in expected if reference.partition_of(A, key) == partition},
        )


def test_a_topic_that_is_made_again_has_another_id(ground: Ground) -> None:
    before = ground.log.topic_ids([A, B])
    ground.create_again(B)
    after = ground.log.topic_ids([A, B])
    assert before[A] == after[A]
    assert before[B] != after[B]


def test_missing_topics_and_other_partition_counts_are_refused(ground: Ground) -> None:
    ground.create("made.wide.v1", PARTITIONS + 1)
    with pytest.raises(ConfigFault, match="3 partitions, 2 are configured"):
        ground.log.topic_ids(["made.wide.v1"])
    with pytest.raises(ConfigFault, match="does not exist"):
        ground.log.topic_ids(["made.missing.v1"])


def test_a_second_transaction_is_not_begun_within_the_first(ground: Ground) -> None:
    writer = ground.log.writer("lane")
    writer.begin()
    writer.send(out(A, b"1"))
    with pytest.raises(LaneLost):
        writer.begin()
