"""What every engine is given: the same page views from memory, all at once or at a pace; and topics to work on."""

import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient

from schemas.avsc import schema_of
from schemas.codec import Codec, subject_of
from schemas.compatibility import BACKWARD
from schemas.events.activity import PageViewed
from schemas.events.clock import ClockAdvanced
from schemas.events.dead_letters import DeadLettered
from schemas.registry import Registry
from schemas.topics import DEAD_LETTERS, SETTLED_LETTERS
from tests.bench.ground import Failed, Ground
from tests.bench.page_views import (
    BROKER_TIME,
    COUNTED_SCHEMA,
    COUNTING,
    COUNTS,
    FAUST_COUNTS,
    VIEWS,
    counted_subject,
    page_views,
)

STEP_S = 0.005
LINGER_MS = 10
FLUSH_S = 60.0
LOG_LEVEL = 2
"""A broker that is just starting is no news; what fails is raised."""

Keyed = tuple[str, bytes]
"""A record's key and its framed Avro."""
Stamps = Mapping[str, list[float]]
"""Per key, when each of its records was handed over, in order."""


@dataclass(frozen=True)
class Site:
    """Where one engine works: topics of its own under `prefix`, a folder of its own."""

    ground: Ground
    prefix: str
    counted_id: int

    @property
    def input(self) -> str:
        """The topic of page views."""
        return self.prefix + VIEWS.name

    @cached_property
    def environment(self) -> dict[str, str]:
        """What a service of ours is told, its state folder among it."""
        return self.ground.environment(self.prefix)

    @property
    def state(self) -> str:
        """The folder that an engine may keep its store in."""
        return self.environment["VAART_STATE_DIR"]


def site(ground: Ground, prefix: str) -> Site:
    """Topics and schemas are there, and the topics are empty. Outputs are stamped by the broker."""
    ground.create_topics(
        {prefix + topic.name: {} for topic in (VIEWS, DEAD_LETTERS, SETTLED_LETTERS)}
        | {prefix + topic.name: BROKER_TIME for topic in (COUNTS, FAUST_COUNTS)}
        | {prefix + COUNTING.changelog: {"cleanup.policy": "compact"}}
    )
    with Registry(ground.addresses.registry) as registry:
        for topic, struct in (
            (VIEWS, PageViewed),
            (VIEWS, ClockAdvanced),
            (COUNTS, ClockAdvanced),
            (DEAD_LETTERS, DeadLettered),
        ):
            registry.register(subject_of(topic, struct, prefix), schema_of(struct), BACKWARD)
        return Site(ground, prefix, registry.register(counted_subject(prefix), COUNTED_SCHEMA, BACKWARD))


def clear(at: Site) -> None:
    """No topic of the site is left, those that the engine made included."""
    config: dict[str, str | int | float | bool] = {
        "bootstrap.servers": at.ground.addresses.kafka,
        "log_level": LOG_LEVEL,
    }
    admin = AdminClient(config)
    names = [name for name in admin.list_topics(timeout=10).topics if at.prefix in name]
    for gone in admin.delete_topics(names).values():
        gone.result()


def encoded(at: Site, records: int) -> list[Keyed]:
    """Page views of 50,000 visitors, always the same ones."""
    with Registry(at.ground.addresses.registry) as registry:
        encode = Codec(registry, at.prefix).encoder(VIEWS, PageViewed)
        return [(visitor, encode(event)) for visitor, event in page_views(records)]


class Feed:
    """Sends records to the site's input, and keeps count of what it sent per key."""

    def __init__(self, at: Site) -> None:
        self._topic = at.input
        self.sent: Counter[str] = Counter()
        self._producer = Producer(
            {
                "bootstrap.servers": at.ground.addresses.kafka,
                "partitioner": "murmur2_random",
                "compression.type": "lz4",
                "linger.ms": LINGER_MS,
                "enable.idempotence": False,
                "log_level": LOG_LEVEL,
            }
        )

    def send(self, records: Iterable[Keyed]) -> None:
        """Kafka has all of them."""
        sent = self.sent
        for key, value in records:
            self._hand_over(key, value)
            sent[key] += 1
        self._flush()

    def pace(self, records: Iterator[Keyed], rate: float, seconds: float) -> Stamps:
        """Kafka has `rate` of them a second, whether or not anybody keeps up. Says when each was handed over."""
        stamps: dict[str, list[float]] = defaultdict(list)
        began, count = time.monotonic(), 0
        while (passed := time.monotonic() - began) < seconds:
            for _ in range(int(rate * passed) - count):
                key, value = next(records)
                stamps[key].append(time.time())
                self._hand_over(key, value)
                count += 1
            self._producer.poll(0)
            time.sleep(STEP_S)
        self._flush()
        self.sent.update({key: len(times) for key, times in stamps.items()})
        return stamps

    def _hand_over(self, key: str, value: bytes) -> None:
        while True:
            try:
                self._producer.produce(self._topic, value, key)
            except BufferError:
                self._producer.poll(0.1)
            else:
                return

    def _flush(self) -> None:
        if self._producer.flush(FLUSH_S):
            raise Failed(f"Kafka did not take everything for {self._topic}")
