"""Topics and schemas on the real servers, and the gateway on a free port of this process."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from confluent_kafka import OFFSET_BEGINNING, Consumer, TopicPartition

from connectors.gateway.bodies import Bodies
from connectors.gateway.delivery import PRODUCER, Delivery
from connectors.gateway.door import Door
from connectors.gateway.encoding import Encoding
from connectors.gateway.keys import Keys
from connectors.gateway.limits import Limits
from connectors.gateway.server import application
from connectors.gateway.spool import Kept
from connectors.sources import Sources
from schemas.avsc import schema_of
from schemas.codec import Codec, subject_of
from schemas.meta import Event
from schemas.registry import Registry
from schemas.topic import Topic
from schemas.topics import DEAD_LETTERS, ORDERS, RAW, REFERENCES, STOCK
from tests.connectors.gateway.events import NOW
from tests.connectors.gateway.running import Edge, Ground, running
from vaart import kafka
from vaart.addresses import Addresses
from vaart.admin import Topics, Wanted
from vaart.settings import Settings

PARTITIONS = 2
SPOOL_BYTES_MAX = 64 << 20
USED = {
    STOCK: STOCK.events[:2],
    ORDERS: tuple(
        each for each in ORDERS.events if each.__name__ in ("OrderPlaced", "OrderReported", "SoldInStore")
    ),
    RAW: RAW.events,
    DEAD_LETTERS: DEAD_LETTERS.events,
    REFERENCES: REFERENCES.events,
}

Client = TestClient[web.Request, web.Application]


@dataclass
class Log:
    """What stands on the topics."""

    settings: Settings
    addresses: Addresses
    codec: Codec

    def events(self, count: int, topic: Topic = STOCK) -> list[Any]:
        """The first `count` records of a topic, by partition and offset; fewer if there are fewer."""
        decode = self.codec.decoder(topic)
        name = kafka.topic_name(self.settings, topic.name)
        consumer = Consumer(kafka.consumer_config(self.settings, self.addresses, "test"))
        consumer.assign([TopicPartition(name, each, OFFSET_BEGINNING) for each in range(PARTITIONS)])
        found = consumer.consume(count, timeout=10)
        consumer.close()
        return [decode(message.value()) for message in found]

    def send(self, *events: Event) -> None:
        """After this they stand on their topics."""
        records = asyncio.run(Encoding(self.codec, "secret").records(events))
        with kafka.Publisher(self.settings, self.addresses) as publisher:
            for each in records:
                assert isinstance(each, Kept), each
                publisher.publish(each.topic, each.key, each.value)


@dataclass
class Parts:
    """What a test may choose of a gateway."""

    sources: Sources = field(default_factory=Sources)
    spool_bytes_max: int = SPOOL_BYTES_MAX
    public_url: str = "https://in.example"
    proxies: int = 0
    connect: Callable[[], kafka.Publisher] | None = None
    failures: list[BaseException] = field(default_factory=list)


@pytest.fixture
def registry(settings: Settings, servers: Addresses) -> Iterator[Registry]:
    found = Registry(servers.registry)
    for topic, structs in USED.items():
        for struct in structs:
            subject = subject_of(topic, struct, settings.kafka.topic_prefix)
            found.register(subject, schema_of(struct), "FULL_TRANSITIVE")
    yield found
    found.close()


@pytest.fixture
def codec(settings: Settings, registry: Registry) -> Codec:
    return Codec(registry, settings.kafka.topic_prefix)


@pytest.fixture
def log(settings: Settings, servers: Addresses, codec: Codec) -> Log:
    wanted = [Wanted(kafka.topic_name(settings, topic.name), PARTITIONS, 1, topic.config()) for topic in USED]
    Topics(kafka.admin(settings, servers), servers.kafka).create(wanted)
    return Log(settings, servers, codec)


Open = Callable[[Parts], Any]


@pytest.fixture
def opened(settings: Settings, servers: Addresses, codec: Codec, log: Log, tmp_path: Path) -> Open:
    """`async with opened(Parts(...)) as (client, door)`: a gateway that listens."""

    @asynccontextmanager
    async def open_one(parts: Parts) -> AsyncIterator[tuple[Client, Door]]:
        delivery = Delivery(
            parts.connect or (lambda: kafka.Publisher(settings, servers, PRODUCER)),
            tmp_path / "spool" / "one",
            parts.spool_bytes_max,
            parts.failures.append,
        )
        async with httpx.AsyncClient() as asking:
            door = Door(
                sources=parts.sources,
                encoding=Encoding(codec, "secret"),
                delivery=delivery,
                keys=Keys(asking),
                limits=Limits(lambda: 0.0),
                bodies=Bodies(),
                clock=lambda: NOW,
                public_url=parts.public_url,
                proxies=parts.proxies,
            )
            async with TestClient(TestServer(application(door, codec))) as client:
                yield client, door
            await delivery.close()

    return open_one


@pytest.fixture
async def client(opened: Open) -> AsyncIterator[Client]:
    async with opened(Parts()) as (client, _):
        yield client


@pytest.fixture(scope="session")
def edge(servers: Addresses, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Edge]:
    """One gateway, a process of its own, for all tests that only send to it."""
    ground = Ground(servers, tmp_path_factory.mktemp("edge"))
    ground.prepare()
    with running(ground) as gateway:
        yield Edge(ground, gateway)
        assert gateway.stop() == 0
