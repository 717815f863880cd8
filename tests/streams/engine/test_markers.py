"""A source that is written by transactions ends in a marker: its reader has no lag all the same."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition

from tests.streams.engine import counting
from tests.streams.engine.counting import event
from tests.streams.engine.rig import MURMUR2, PARTITIONS, PATIENCE_S, Rig
from vaart.addresses import Addresses

pytestmark = pytest.mark.servers
COUNTED, PASSED = counting.COUNTED.name, counting.PASSED.name


@pytest.fixture
def rig(servers: Addresses, prefix: str, tmp_path: Path) -> Iterator[Rig]:
    made = Rig(servers.kafka, prefix, tmp_path)
    yield made
    made.close()


def lags(rig: Rig) -> list[int]:
    """Per source partition, how far the group's committed offset is from the end."""
    consumer = Consumer({"bootstrap.servers": rig.kafka, "group.id": rig.prefix + counting.VIEW.group})
    partitions = [TopicPartition(rig.prefix + COUNTED, number) for number in range(PARTITIONS)]
    committed = consumer.committed(partitions, timeout=10)
    ends = [consumer.get_watermark_offsets(each, timeout=10)[1] for each in partitions]
    consumer.close()
    return [end - max(0, each.offset) for end, each in zip(ends, committed, strict=True)]


def send_in_a_transaction(rig: Rig, count: int) -> None:
    producer = Producer(
        {**MURMUR2, "bootstrap.servers": rig.kafka, "transactional.id": rig.prefix + "upstream"}
    )
    producer.init_transactions(30)
    producer.begin_transaction()
    for number in range(count):
        producer.produce(
            rig.prefix + COUNTED, counting.encode(event(1, event_id=str(number))), f"key-{number}".encode()
        )
    producer.commit_transaction(30)


def test_a_quiet_lane_goes_past_the_markers_of_its_source(rig: Rig) -> None:
    send_in_a_transaction(rig, 100)
    rig.start("a")
    rig.wait_for(PASSED, 100)
    deadline = time.monotonic() + PATIENCE_S
    while any(lags(rig)):
        assert time.monotonic() < deadline, lags(rig)
    send_in_a_transaction(rig, 50)
    assert len(rig.wait_for(PASSED, 150)) == 150
