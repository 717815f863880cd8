"""Others' topics, on a real Kafka: no gap and no double, whatever dies, grows, vanishes or cannot be read."""

import asyncio
import os
import signal
import sys
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from confluent_kafka import TopicPartition
from confluent_kafka.admin import NewPartitions

from connectors.polling.ledger import Replaced
from connectors.queues import topic_reader
from connectors.queues.arrival import VALUE_BYTES_MAX
from connectors.queues.service import Around, connection
from connectors.queues.turning import turns
from schemas.topics import CURSORS, DEAD_LETTERS
from tests.connectors.queues.conftest import Rig, order, shipped, turned, until
from vaart import kafka
from vaart.settings import load

pytestmark = pytest.mark.servers
BOTH = ["OrderPlaced 1", "OrderPlaced 2", "OrderShipped 1"]


def has(rig: Rig, count: int) -> Callable[[], bool]:
    return lambda: len(rig.events()) >= count


async def test_what_others_write_comes_in_once(rig: Rig) -> None:
    rig.write(order(1), None, shipped(1))
    rig.write(order(2), partition=1)
    first, second = rig.topics(), rig.topics()
    await first.open()
    await turned(first, has(rig, 3))
    assert rig.facts() == BOTH
    await second.open()
    rig.write(order(3))
    await turned(second, has(rig, 4))
    assert rig.facts() == sorted([*BOTH, "OrderPlaced 3"])
    await second.close()
    await first.close()


async def test_a_second_process_shuts_the_first_out(rig: Rig) -> None:
    rig.write(order(1))
    first, second = rig.topics(), rig.topics()
    await first.open()
    await second.open()
    await turned(second, has(rig, 1))
    rig.write(order(2))
    with pytest.raises(Replaced):
        await turned(first, has(rig, 2))
    await turned(second, has(rig, 2))
    assert rig.facts() == ["OrderPlaced 1", "OrderPlaced 2"]
    await first.close()
    await second.close()


async def test_one_that_is_shut_out_stops_and_says_so(rig: Rig) -> None:
    first, second = rig.topics(), rig.topics()
    turning = asyncio.create_task(turns(first, asyncio.Event()))
    await until(lambda: first._reader._consumer is not None)
    await second.open()
    rig.write(order(1))
    await asyncio.wait_for(turning, 30)
    assert first.fault == "shop-db: another process reads it now"
    await second.close()


async def test_reading_again_gives_the_same_records(rig: Rig) -> None:
    rig.write(order(1), shipped(1), b"no json")
    topics, found = rig.topics(), []
    for _ in range(2):
        await asyncio.to_thread(topics._reader.open, {})
        arrivals: list[Any] = []
        while len(arrivals) < 3:
            arrivals += topics._reader.read().arrivals
        found.append((await topics._taking.of_topic(arrivals)).records)
    assert len(found[0]) == 3
    assert found[0] == found[1]
    await topics.close()


async def test_what_cannot_be_read_is_a_dead_letter_and_the_rest_goes_on(rig: Rig) -> None:
    rig.write(order(1))
    rig.write(b"\xff no json", order(2, total="x"), key=b"k", headers=[("trace", b"t"), ("none", None)])
    rig.write(order(3))
    topics = rig.topics()
    await topics.open()
    await turned(topics, has(rig, 2))
    assert rig.facts() == ["OrderPlaced 1", "OrderPlaced 3"]
    letters = sorted(rig.events(DEAD_LETTERS), key=lambda letter: letter.offset)
    assert [(each.reason, each.source_topic, each.partition, each.offset) for each in letters] == [
        ("unreadable", rig.topic, 0, 1),
        ("unfit", rig.topic, 0, 2),
    ]
    assert (letters[0].value, letters[0].key, letters[0].left_out_bytes) == (b"\xff no json", b"k", 0)
    assert [(each.name, each.value) for each in letters[0].headers] == [("trace", b"t"), ("none", None)]
    assert letters[0].service == "queues.debezium"
    await topics.close()


async def test_a_record_beyond_the_bound_is_a_dead_letter_with_its_beginning(rig: Rig) -> None:
    whole = b"[" + b"1" * (1024 * 1024)
    admin = kafka.admin(rig.settings, rig.addresses)
    rig.make(big := rig.topic + ".big", 1)
    await asyncio.to_thread(_grown, admin, big)
    producer = {"message.max.bytes": "4000000"}
    settings = rig.settings.model_copy(
        update={"kafka": rig.settings.kafka.model_copy(update={"extra": producer})}
    )
    replace(rig, settings=settings).write(whole, topic=big)
    rig.write(order(2), topic=big)
    topics = rig.topics(topics=[big])
    await topics.open()
    await turned(topics, has(rig, 1))
    [letter] = rig.events(DEAD_LETTERS)
    assert (letter.reason, letter.offset, letter.value) == ("too_large", 0, whole[:VALUE_BYTES_MAX])
    assert letter.left_out_bytes == len(whole) - VALUE_BYTES_MAX
    assert "1" * 10 not in letter.detail
    await topics.close()


def _grown(admin: Any, topic: str) -> None:
    from confluent_kafka.admin import AlterConfigOpType, ConfigEntry, ConfigResource, ResourceType

    entry = ConfigEntry("max.message.bytes", "4000000", incremental_operation=AlterConfigOpType.SET)
    resource = ConfigResource(ResourceType.TOPIC, topic, incremental_configs=[entry])
    admin.incremental_alter_configs([resource])[resource].result(10)


@pytest.mark.usefixtures("eager")
async def test_partitions_may_become_more(rig: Rig) -> None:
    rig.write(order(1))
    topics = rig.topics()
    await topics.open()
    await turned(topics, has(rig, 1))
    admin = kafka.admin(rig.settings, rig.addresses)
    asked = admin.create_partitions([NewPartitions(rig.topic, 3)])
    await asyncio.to_thread(asked[rig.topic].result, 10)
    rig.write(order(2), partition=2)
    rig.write(order(3))
    await turned(topics, has(rig, 3))
    assert rig.facts() == ["OrderPlaced 1", "OrderPlaced 2", "OrderPlaced 3"]
    await topics.close()


@pytest.mark.usefixtures("eager")
async def test_a_missing_topic_is_said_and_the_others_are_read(rig: Rig) -> None:
    later = f"{rig.topic}.later"
    rig.write(order(1))
    topics = rig.topics(topics=[rig.topic, later])
    await topics.open()
    await turned(topics, has(rig, 1))
    told = topics.fault
    assert told == f"shop-db: there is no topic {later}"
    rig.make(later)
    rig.write(order(2), topic=later)
    await turned(topics, has(rig, 2))
    told = topics.fault
    assert told is None
    await topics.close()


async def test_what_the_topic_let_go_before_it_was_read_is_told_as_lost(rig: Rig) -> None:
    rig.write(order(1))
    topics = rig.topics()
    await topics.open()
    await turned(topics, has(rig, 1))
    await topics.close()
    rig.write(order(2), order(3), order(4))
    admin = kafka.admin(rig.settings, rig.addresses)
    gone = admin.delete_records([TopicPartition(rig.topic, 0, 3)])
    await asyncio.to_thread(next(iter(gone.values())).result, 10)
    again = rig.topics()
    await again.open()
    await turned(again, has(rig, 2))
    assert rig.facts() == ["OrderPlaced 1", "OrderPlaced 4"]
    [letter] = rig.events(DEAD_LETTERS)
    assert (letter.reason, letter.partition, letter.offset) == ("lost", 0, 1)
    assert "from offset 1 to 3 is gone" in letter.detail
    await again.close()


@pytest.mark.usefixtures("eager")
async def test_a_topic_that_was_made_anew_is_read_from_its_beginning(rig: Rig) -> None:
    rig.write(order(1), order(2))
    topics = rig.topics()
    await topics.open()
    await turned(topics, has(rig, 2))
    await topics.close()
    await asyncio.to_thread(_made_anew, rig)
    rig.write(order(3), order(4), order(5))
    again = rig.topics()
    await again.open()
    await turned(again, has(rig, 5))
    assert rig.facts() == [f"OrderPlaced {number}" for number in (1, 2, 3, 4, 5)]
    assert [letter.reason for letter in rig.events(DEAD_LETTERS)] == ["lost"]
    await again.close()


def _made_anew(rig: Rig) -> None:
    admin = kafka.admin(rig.settings, rig.addresses)
    admin.delete_topics([rig.topic])[rig.topic].result(10)
    while rig.topic in admin.list_topics(timeout=10).topics:
        pass
    rig.make(rig.topic)


@pytest.mark.parametrize("point", ["poller_before_commit", "poller_after_commit"])
async def test_a_crash_leaves_no_gap_and_no_double(rig: Rig, environment: dict[str, str], point: str) -> None:
    rig.write(order(1), shipped(1), order(2))
    variables = {**environment, "VAART_GATEWAY__SOURCES": str(rig.file({"topics": [rig.topic]}))}
    died = await _served({**variables, "VAART_FAILPOINT": point})
    assert await asyncio.wait_for(died.wait(), 60) == -signal.SIGKILL
    assert len(rig.events(CURSORS)) == (point == "poller_after_commit")
    rig.write(order(3))
    again = await _served(variables)
    await until(lambda: "OrderPlaced 3" in rig.facts())
    again.terminate()
    assert await asyncio.wait_for(again.wait(), 30) == 0
    assert rig.facts() == sorted([*BOTH, "OrderPlaced 3"])


async def _served(variables: dict[str, str]) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "vaart.cli", "serve", "queues", env={**os.environ, **variables}
    )


async def test_another_kafka_that_is_away_is_a_fault_that_is_tried_again(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(topic_reader, "ANSWER_WITHIN_S", 0.3)
    topics = rig.topics(topics=["orders"], bootstrap="127.0.0.1:1")
    stopping = asyncio.Event()
    turning = asyncio.create_task(turns(topics, stopping, lambda: 0.0))
    await until(lambda: topics.fault is not None)
    assert topics.fault is not None
    assert "Kafka at 127.0.0.1:1 does not answer for orders" in topics.fault
    stopping.set()
    await asyncio.wait_for(turning, 30)


def test_nothing_of_ours_goes_to_another_kafka(rig: Rig, environment: dict[str, str]) -> None:
    settings = load({**environment, "VAART_KAFKA__EXTRA__SASL_PASSWORD": "our own"})
    around = Around(settings, rig.addresses, rig.codec)
    found = rig.installed(
        topics=["orders"],
        bootstrap="kafka.shop.example:9093",
        security={
            "protocol": "SASL_SSL",
            "mechanism": "SCRAM-SHA-512",
            "username": "vaart",
            "password": {"env": "SECRET"},
        },
    )
    for config in connection(found, around):
        assert config["bootstrap.servers"] == "kafka.shop.example:9093"
        assert config["sasl.password"] == "hush"
        assert "our own" not in map(str, config.values())
    assert connection(rig.installed(), around)[0]["sasl.password"] == "our own"
