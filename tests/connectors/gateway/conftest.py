"""A topic and a schema on the real servers, and the gateway on a free port of this process."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from confluent_kafka import OFFSET_BEGINNING, Consumer, TopicPartition

from connectors.gateway.keeping import PRODUCER, Keeper
from connectors.gateway.server import application
from schemas.avsc import schema_of
from schemas.codec import Codec, subject_of
from schemas.meta import Event
from schemas.registry import Registry
from schemas.topics import STOCK
from tests.connectors.gateway.events import NOW
from vaart import kafka
from vaart.addresses import Addresses
from vaart.admin import Topics, Wanted
from vaart.settings import Settings

PARTITIONS = 2

Client = TestClient[web.Request, web.Application]


@dataclass
class Log:
    """What stands on the stock topic."""

    settings: Settings
    addresses: Addresses
    codec: Codec

    def events(self, count: int) -> list[Event]:
        """The first `count` events, by partition and offset; fewer if there are fewer."""
        decode = self.codec.decoder(STOCK)
        name = kafka.topic_name(self.settings, STOCK.name)
        consumer = Consumer(kafka.consumer_config(self.settings, self.addresses, "test"))
        consumer.assign([TopicPartition(name, each, OFFSET_BEGINNING) for each in range(PARTITIONS)])
        found = consumer.consume(count, timeout=10)
        consumer.close()
        return [decode(message.value()) for message in found]


@pytest.fixture
def registry(settings: Settings, servers: Addresses) -> Iterator[Registry]:
    found = Registry(servers.registry)
    for struct in STOCK.events[:2]:
        subject = subject_of(STOCK, struct, settings.kafka.topic_prefix)
        found.register(subject, schema_of(struct), "FULL_TRANSITIVE")
    yield found
    found.close()


@pytest.fixture
def codec(settings: Settings, registry: Registry) -> Codec:
    return Codec(registry, settings.kafka.topic_prefix)


@pytest.fixture
def log(settings: Settings, servers: Addresses, codec: Codec) -> Log:
    name = kafka.topic_name(settings, STOCK.name)
    Topics(kafka.admin(settings, servers), servers.kafka).create([Wanted(name, PARTITIONS, 1, {})])
    return Log(settings, servers, codec)


@pytest.fixture
async def client(settings: Settings, servers: Addresses, codec: Codec, log: Log) -> AsyncIterator[Client]:
    publisher = kafka.Publisher(settings, servers, PRODUCER)
    app = application(Keeper(publisher, codec, "secret"), codec, lambda: NOW)
    async with TestClient(TestServer(app)) as opened:
        yield opened
    publisher.close()
