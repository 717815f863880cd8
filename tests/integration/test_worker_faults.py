"""A worker of a real view, with the real codec, meets what it cannot read."""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition

from schemas.codec import Codec
from schemas.events.dead_letters import DeadLettered
from schemas.events.states import StockLevel
from schemas.events.stock import StockCounted
from schemas.meta import Meta
from schemas.topic import Topic
from schemas.topics import DEAD_LETTERS, LEVELS, STOCK
from vaart import addresses, kafka
from vaart.cli import schemas, topics
from vaart.settings import Settings

pytestmark = pytest.mark.servers
PATIENCE_S = 60


@contextmanager
def worker(environment: dict[str, str], view: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "vaart.cli", "worker", view]
    running = subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    try:
        yield running
    finally:
        running.terminate()
        assert running.wait(30) is not None


def counted(sku: str, units: int) -> StockCounted:
    meta = Meta(event_id=f"count-{sku}", occurred_at=1, received_at=1, channel="store", source="test")
    return StockCounted(
        meta=meta, sku=sku, location_id="here", quantities={"available": units}, as_of=1, count_id=f"c-{sku}"
    )


def read(settings: Settings, codec: Codec, topic: Topic, count: int) -> list[Any]:
    """The first `count` committed records of `topic`."""
    there = addresses.resolve(settings)
    consumer = Consumer(kafka.consumer_config(settings, there, "reader"))
    name = kafka.topic_name(settings, topic.name)
    consumer.assign([TopicPartition(name, number, 0) for number in range(settings.kafka.partitions)])
    decode, deadline = codec.decoder(topic), time.monotonic() + PATIENCE_S
    found: list[Any] = []
    while len(found) < count:
        assert time.monotonic() < deadline, found
        message = consumer.poll(0.5)
        if message is not None and message.error() is None:
            found.append(decode(message.value()))
    consumer.close()
    return found


def test_each_unreadable_record_is_one_dead_letter(settings: Settings, environment: dict[str, str]) -> None:
    topics.ensure(settings)
    schemas.ensure(settings)
    there = addresses.resolve(settings)
    with schemas.registry_of(settings) as registry:
        codec = Codec(registry, settings.kafka.topic_prefix)
        good = codec.encoder(STOCK, StockCounted)(counted("pear", 7))
        foreign = codec.encoder(LEVELS, StockLevel)(
            StockLevel(sku="pear", location_id="here", owner="own", **dict.fromkeys(BUCKETS, 0))
        )
        rubbish = {
            "empty_value": b"",
            "too_short": good[:3],
            "wrong_magic": b"\x07" + good[1:],
            "unknown_schema_id": b"\x00\x7f\xff\xff\xff" + good[5:],
            "truncated": good[:-4],
            "trailing_bytes": good + b"\x00",
            "foreign_schema": foreign,
            "json": b'{"sku": "pear"}',
        }
        producer = Producer(kafka.producer_config(settings, there))
        name = kafka.topic_name(settings, STOCK.name)
        for value in (*rubbish.values(), good):
            producer.produce(name, value, b"pear")
        producer.produce(name, good, None)
        assert producer.flush(30) == 0
        with worker(environment, "stock") as running:
            (level,) = read(settings, codec, LEVELS, 1)
            letters = read(settings, codec, DEAD_LETTERS, len(rubbish) + 1)
    assert (level.sku, level.available) == ("pear", 7)
    assert all(isinstance(letter, DeadLettered) and letter.stage == "decode" for letter in letters)
    assert {letter.reason: letter.value for letter in letters if letter.key} == {
        reason: value or None for reason, value in rubbish.items()
    } | {"empty_value": b""}
    assert [letter.reason for letter in letters if letter.key is None] == ["invalid_key"]
    assert "pear" not in (running.stdout.read() if running.stdout else "")


BUCKETS = (
    "available", "held", "committed", "picked", "quality_control", "damaged", "safety", "blocked", "on_hand",
    "shortage", "incoming", "in_transit",
)  # fmt: skip


def test_topics_that_are_not_there_are_said_at_once(environment: dict[str, str]) -> None:
    with worker(environment, "stock") as running:
        assert running.wait(60) == 78
        assert "vaart topics apply" in (running.stdout.read() if running.stdout else "")


def test_schemas_that_are_not_registered_are_said_at_once(
    settings: Settings, environment: dict[str, str]
) -> None:
    topics.ensure(settings)
    with worker(environment, "stock") as running:
        assert running.wait(60) == 78
        assert "vaart schemas register" in (running.stdout.read() if running.stdout else "")
