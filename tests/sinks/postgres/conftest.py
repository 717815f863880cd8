"""A database that is up to date, topics with schemas, and a sink to run over them."""

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from confluent_kafka import Consumer, TopicPartition

from schemas.avsc import schema_of
from schemas.codec import Codec, subject_of
from schemas.events.dead_letters import DeadLettered
from schemas.registry import Registry
from schemas.topic import Topic
from schemas.topics import DEAD_LETTERS
from sinks.postgres import schema
from sinks.postgres.sink import PostgresSink
from sinks.projections import PROJECTIONS
from vaart import admin, kafka
from vaart.addresses import Addresses, resolve
from vaart.settings import Settings

PARTITIONS = 2
PATIENCE_S = 60
INSTANCE = "one"
"""The broker gives a restart under this name its partitions at once; else it waits for the dead one's session."""


@pytest.fixture
def migrated(database: str) -> str:
    """The DSN of a database with our schema."""
    schema.upgrade(database)
    return database


class Pipe:
    """Topics and tables of one test: publishes records, runs sinks, reads rows."""

    def __init__(self, settings: Settings, environment: dict[str, str]) -> None:
        self.settings = settings
        self.environment = environment
        self.addresses: Addresses = resolve(settings)
        self.registry = Registry(self.addresses.registry)
        self.codec = Codec(self.registry, settings.kafka.topic_prefix)
        self.publisher = kafka.Publisher(settings, self.addresses)
        self._encoders: dict[tuple[str, type], Callable[[Any], bytes]] = {}

    def publish(self, topic: Topic, key: str, event: Any) -> None:
        """One record; `event` may be bytes that are no event, or None for a tombstone."""
        value = (
            event if event is None or isinstance(event, bytes) else self._encoder(topic, type(event))(event)
        )
        self.publisher.publish(topic.name, key, value)

    def _encoder(self, topic: Topic, struct: type) -> Callable[[Any], bytes]:
        if (topic.name, struct) not in self._encoders:
            subject = subject_of(topic, struct, self.settings.kafka.topic_prefix)
            self.registry.register(subject, schema_of(struct), "NONE")
            self._encoders[topic.name, struct] = self.codec.encoder(topic, struct)
        return self._encoders[topic.name, struct]

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.addresses.postgres) as connection:
            return connection.execute(query.encode()).fetchall()

    @contextmanager
    def running(self) -> Iterator[PostgresSink]:
        """A sink in this process, until the block ends. What it raises, the block's end raises."""
        stopping = threading.Event()
        raised: list[BaseException] = []
        sink = PostgresSink(self.settings, self.addresses, PROJECTIONS, instance=INSTANCE)

        def run() -> None:
            try:
                sink.run(stopping)
            except BaseException as error:
                raised.append(error)

        thread = threading.Thread(target=run, name="sink")
        thread.start()
        try:
            yield sink
        finally:
            stopping.set()
            thread.join(PATIENCE_S)
            assert not thread.is_alive()
            if raised:
                raise raised[0]

    def process(self, failpoint: str = "", instance: str = INSTANCE) -> "subprocess.Popen[bytes]":
        """`vaart sink postgres` as a process of its own, which dies at the failpoint."""
        return subprocess.Popen(
            [sys.executable, "-m", "vaart.cli", "sink", "postgres", "--instance", instance],
            env=self.environment | {"VAART_FAILPOINT": failpoint},
            stdout=subprocess.DEVNULL,
        )

    def wait_for(self, query: str, expected: Any) -> None:
        """Returns once the query's one value is `expected`; there may be no row yet."""
        deadline = time.monotonic() + PATIENCE_S
        while (found := [row[0] for row in self.rows(query)[:1]]) != [expected]:
            assert time.monotonic() < deadline, f"{query}: {found}, not {expected}"
            time.sleep(0.05)

    def dead_letters(self, count: int) -> list[DeadLettered]:
        """The first `count` dead letters."""
        consumer = Consumer(kafka.consumer_config(self.settings, self.addresses, "letters"))
        name = kafka.topic_name(self.settings, DEAD_LETTERS.name)
        consumer.assign([TopicPartition(name, partition, 0) for partition in range(PARTITIONS)])
        decode = self.codec.decoder(DEAD_LETTERS)
        found: list[DeadLettered] = []
        deadline = time.monotonic() + PATIENCE_S
        while len(found) < count and time.monotonic() < deadline:
            found += [decode(message.value()) for message in consumer.consume(count, 0.5)]
        consumer.close()
        return found


@pytest.fixture
def pipe(settings: Settings, environment: dict[str, str], migrated: str) -> Iterator[Pipe]:
    """The sink's topics, empty; the dead letters' schema, registered."""
    assert migrated == settings.postgres.dsn.get_secret_value()
    built = Pipe(settings, environment)
    topics = {topic for projection in PROJECTIONS for topic in projection.topics} | {DEAD_LETTERS}
    wanted = [
        admin.Wanted(kafka.topic_name(settings, topic.name), PARTITIONS, 1, topic.config())
        for topic in topics
    ]
    admin.Topics(kafka.admin(settings, built.addresses), built.addresses.kafka).create(wanted)
    built.registry.register(
        subject_of(DEAD_LETTERS, DeadLettered, settings.kafka.topic_prefix), schema_of(DeadLettered), "NONE"
    )
    yield built
    built.publisher.close()
    kafka.admin(settings, built.addresses).delete_topics([each.name for each in wanted])
