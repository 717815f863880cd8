"""Topics of others beside our own on the real Kafka, and an SQS-compatible server on a port of its own."""

import asyncio
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest
from confluent_kafka import Producer
from moto.server import ThreadedMotoServer

from connectors import sources
from connectors.queues import topic_reader
from connectors.queues.service import Around, turner
from connectors.queues.topics import Topics
from connectors.sources import Installed
from schemas.avsc import schema_of
from schemas.codec import Codec, subject_of
from schemas.registry import Registry
from schemas.topic import Topic
from schemas.topics import CURSORS, DEAD_LETTERS, FETCHES, ORDERS, RAW, REFERENCES
from tests.connectors.channels.samples.debezium import ROW, SHIPPED, TABLES, change
from vaart import kafka
from vaart.addresses import Addresses
from vaart.admin import Topics as Wanting
from vaart.admin import Wanted
from vaart.reading import Reader
from vaart.settings import Settings

MADE = ("OrderPlaced", "OrderShipped", "OrderCancelled")
USED = {
    ORDERS: tuple(each for each in ORDERS.events if each.__name__ in MADE),
    CURSORS: CURSORS.events,
    DEAD_LETTERS: DEAD_LETTERS.events,
    RAW: RAW.events,
    FETCHES: FETCHES.events,
    REFERENCES: REFERENCES.events,
}
PARTITIONS = 2


def order(number: int, **changes: Any) -> dict[str, Any]:
    """A new order, as Debezium tells it."""
    return change("c", {**ROW, "id": number, **changes})


def shipped(number: int) -> dict[str, Any]:
    """The same order, on its way."""
    return change("u", {**SHIPPED, "id": number})


@dataclass
class Rig:
    """A shop's topic, readers of it, and what stands on our own topics."""

    settings: Settings
    addresses: Addresses
    codec: Codec
    topic: str
    folder: Path

    @property
    def around(self) -> Around:
        return Around(self.settings, self.addresses, self.codec)

    def make(self, topic: str, partitions: int = PARTITIONS) -> None:
        """Afterwards there is such a topic of others."""
        Wanting(kafka.admin(self.settings, self.addresses), self.addresses.kafka).create(
            [Wanted(topic, partitions, 1, {})]
        )

    def write(self, *values: Any, topic: str = "", partition: int = 0, **told: Any) -> None:
        """As others write them: documents, bytes, or None for a tombstone."""
        producer = Producer(kafka.producer_config(self.settings, self.addresses))
        for value in values:
            raw = value if isinstance(value, bytes | None) else json.dumps(value).encode()
            producer.produce(topic or self.topic, raw, partition=partition, **told)
        assert producer.flush(10) == 0

    def file(self, queue: Mapping[str, Any], channel: str = "debezium") -> Path:
        """The file of sources, with that queue."""
        path = self.folder / "sources.yaml"
        options = {"tables": TABLES} if channel == "debezium" else {}
        form = {"channel": channel, "options": options, "queue": queue}
        path.write_text(json.dumps({"sources": {"shop-db": form}}))
        return path

    def installed(self, channel: str = "debezium", **queue: Any) -> Installed:
        """The source, which reads the shop's topic where nothing else is said."""
        queue = queue or {"topics": [self.topic]}
        return sources.load(self.file(queue, channel), {"SECRET": "hush"}).by_name["shop-db"]

    def topics(self, **queue: Any) -> Topics:
        """What takes it in."""
        found = turner(self.installed(**queue), self.around)
        assert isinstance(found, Topics)
        return found

    def events(self, topic: Topic = ORDERS) -> list[Any]:
        """All that is committed."""
        decode = self.codec.decoder(topic)
        with Reader(self.settings, self.addresses, "test") as reader:
            starts = {
                each: reader.bounds(topic.name, each)[0] for each in range(self.settings.kafka.partitions)
            }
            return [decode(message.value()) for message in reader.records(topic.name, starts)]

    def facts(self) -> list[str]:
        """Each event's type and order, sorted."""
        return sorted(f"{type(each).__name__} {each.order_id}" for each in self.events())


async def turned(topics: Topics, is_enough: Callable[[], bool], most: int = 20) -> None:
    """Turns until there is enough."""
    for _ in range(most):
        await topics.turn()
        if is_enough():
            return
    raise AssertionError("it did not come to that")


async def until(is_so: Callable[[], bool]) -> None:
    """Returns once it is so."""
    async with asyncio.timeout(60):
        while not await asyncio.to_thread(is_so):
            pass


@pytest.fixture
def codec(settings: Settings, servers: Addresses) -> Iterator[Codec]:
    registry = Registry(servers.registry)
    for topic, structs in USED.items():
        for struct in structs:
            subject = subject_of(topic, struct, settings.kafka.topic_prefix)
            registry.register(subject, schema_of(struct), "FULL_TRANSITIVE")
    yield Codec(registry, settings.kafka.topic_prefix)
    registry.close()


@pytest.fixture
def rig(settings: Settings, servers: Addresses, codec: Codec, tmp_path: Path) -> Rig:
    wanted = [
        Wanted(kafka.topic_name(settings, topic.name), settings.kafka.partitions, 1, topic.config())
        for topic in USED
    ]
    Wanting(kafka.admin(settings, servers), servers.kafka).create(wanted)
    rig = Rig(settings, servers, codec, f"{settings.kafka.topic_prefix}inventory.public.orders", tmp_path)
    rig.make(rig.topic)
    return rig


@pytest.fixture
def eager(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is asked before each batch which partitions there are."""
    monkeypatch.setattr(topic_reader, "REFRESH_S", 0.0)


@pytest.fixture(scope="session")
def aws() -> Iterator[str]:
    """The address of an SQS-compatible server."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@dataclass
class Mailbox:
    """A queue, as who sends to it knows it."""

    url: str
    endpoint: str
    sqs: Any

    def send(self, *bodies: Any, **told: Any) -> None:
        for body in bodies:
            text = body if isinstance(body, str) else json.dumps(body)
            self.sqs.send_message(QueueUrl=self.url, MessageBody=text, **told)

    def form(self, **changes: Any) -> dict[str, Any]:
        key = {"access_key_id": "AKIAVAART", "secret_access_key": {"env": "SECRET"}}
        told = {"queue_url": self.url, "region": "eu-west-1", "endpoint_url": self.endpoint}
        return {**told, **key, **changes}

    def left(self) -> int:
        """Messages that are still there, hidden or not."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        told = self.sqs.get_queue_attributes(QueueUrl=self.url, AttributeNames=names)["Attributes"]
        return sum(int(told[name]) for name in names)


@pytest.fixture
def mailbox(aws: str, prefix: str) -> Mailbox:
    sqs = boto3.client(
        "sqs",
        endpoint_url=aws,
        region_name="eu-west-1",
        aws_access_key_id="AKIASHOP",
        aws_secret_access_key="other",
    )
    url = sqs.create_queue(QueueName=prefix.strip(".") + "-orders")["QueueUrl"]
    return Mailbox(url, aws, sqs)
