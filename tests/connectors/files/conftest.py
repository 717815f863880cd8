"""Topics for receipts, stock and dead letters on the real Kafka, and a way to read them."""

from collections.abc import Iterator
from typing import Any

import pytest
from confluent_kafka import Consumer, TopicPartition

from connectors.files.outlet import KafkaOutlet
from schemas.avsc import schema_of
from schemas.codec import Codec, subject_of
from schemas.registry import Registry
from schemas.topic import Topic
from schemas.topics import DEAD_LETTERS, ORDERS, STOCK
from vaart import admin, kafka
from vaart.addresses import Addresses, resolve
from vaart.settings import Settings

PARTITIONS = 3
TOPICS = (ORDERS, STOCK, DEAD_LETTERS)
PATIENCE_S = 60.0


class Wharf:
    """What a test sends to and reads from."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.addresses: Addresses = resolve(settings)
        self.registry = Registry(self.addresses.registry)
        self.names = [kafka.topic_name(settings, topic.name) for topic in TOPICS]

    def prepare(self) -> None:
        """The topics exist, and the schemas that these tests send are registered."""
        wanted = [
            admin.Wanted(name, PARTITIONS, 1, topic.config())
            for name, topic in zip(self.names, TOPICS, strict=True)
        ]
        admin.Topics(kafka.admin(self.settings, self.addresses), self.addresses.kafka).create(wanted)
        sent = {"SoldInStore", "StockCounted", "DeadLettered", "ClockAdvanced"}
        for topic in TOPICS:
            for struct in topic.carries:
                if struct.__name__ in sent:
                    subject = subject_of(topic, struct, self.settings.kafka.topic_prefix)
                    self.registry.register(subject, schema_of(struct), "NONE")

    def outlet(self) -> KafkaOutlet:
        return KafkaOutlet(self.settings, self.addresses, self.registry)

    def read(self, topic: Topic) -> list[list[tuple[str, Any]]]:
        """All that stands on each partition now, as keys and records."""
        consumer = Consumer(kafka.consumer_config(self.settings, self.addresses, "reader"))
        name = kafka.topic_name(self.settings, topic.name)
        decode = Codec(self.registry, self.settings.kafka.topic_prefix).decoder(topic)
        found: list[list[tuple[str, Any]]] = []
        for partition in range(PARTITIONS):
            place = TopicPartition(name, partition, 0)
            _, end = consumer.get_watermark_offsets(place, timeout=PATIENCE_S)
            consumer.assign([place])
            messages: list[Any] = []
            while len(messages) < end:
                messages += consumer.consume(end - len(messages), PATIENCE_S)
            found.append([(message.key().decode(), decode(message.value())) for message in messages])
        consumer.close()
        return found

    def records(self, topic: Topic) -> list[Any]:
        """All records of a topic."""
        return [record for partition in self.read(topic) for _, record in partition]


@pytest.fixture
def wharf(settings: Settings) -> Iterator[Wharf]:
    """Topics with nothing on them."""
    found = Wharf(settings)
    found.prepare()
    yield found
    kafka.admin(settings, found.addresses).delete_topics(found.names)
