"""The load of the Kafka benches: page views of 50,000 visitors, and the two views that are measured on them.

Readers, writers and framing are the real ones. The counted snapshot has a schema of its own, kept here because it is
no contract.
"""

import random
from collections.abc import Callable, Iterator
from typing import Any

from confluent_kafka import Producer

from schemas.avsc import schema_of
from schemas.codec import Codec, frame, subject_of
from schemas.coders import Reader, Writer
from schemas.compatibility import BACKWARD
from schemas.events.activity import PageViewed
from schemas.events.clock import ClockAdvanced
from schemas.events.dead_letters import DeadLettered
from schemas.identifiers import ANONYMOUS_ID
from schemas.ids import event_id
from schemas.meta import Event, Identifier, Instant, Meta, Snapshot
from schemas.registry import Registry
from schemas.topic import Topic
from schemas.topics import DEAD_LETTERS, SETTLED_LETTERS
from streams.view import Output, Record, State, Step, View
from tests.bench.ground import OURS, Failed, Ground, on
from vaart.kafka import LINGER_MS

PREFIX = "bench."
VISITORS = 50_000
START = 1_767_225_600_000_000
"""Midnight of 1 January 2026, UTC."""
SECOND = 1_000_000
SEED = 20_260_101
BROKER_TIME = {"message.timestamp.type": "LogAppendTime"}
"""Outputs carry the moment at which the broker took them, so that nobody needs to watch."""


class VisitorCounted(Snapshot, gc=False, kw_only=True):
    """How many pages a visitor has seen."""

    visitor: str
    views: int
    first_at: Instant
    last_at: Instant
    last_path: str | None = None


COUNTED_SCHEMA: dict[str, Any] = {
    "type": "record",
    "namespace": "vaart.bench",
    "name": "VisitorCounted",
    "fields": [
        {"name": "seq", "type": "long", "default": 0},
        {"name": "updated_at", "type": {"type": "long", "logicalType": "timestamp-micros"}, "default": 0},
        {"name": "visitor", "type": "string"},
        {"name": "views", "type": "long"},
        {"name": "first_at", "type": {"type": "long", "logicalType": "timestamp-micros"}},
        {"name": "last_at", "type": {"type": "long", "logicalType": "timestamp-micros"}},
        {"name": "last_path", "type": ["null", "string"], "default": None},
    ],
}

VIEWS = Topic("page-views.v1", (PageViewed,), key=lambda event, _: str(event.meta.identifiers[0].value))
COUNTS = Topic("visitor-counts.v1", (VisitorCounted,))
PASSED = Topic("passed-on.v1", (PageViewed,))
FAUST_COUNTS = Topic("faust-counts.v1", (VisitorCounted,))


def without_units(schema: Any) -> Any:
    """`schema` without logical types: the same bytes, without the time that conversion takes."""
    if isinstance(schema, list):
        return [without_units(part) for part in schema]
    if isinstance(schema, dict):
        return {
            name: without_units(part)
            for name, part in schema.items()
            if name not in ("logicalType", "doc", "pii")
        }
    return schema


class Visitor(Record):
    """What is kept of a visitor."""

    views: int = 0
    first_at: int = 0
    last_at: int = 0
    last_path: str | None = None


def count(state: State[Visitor], viewed: PageViewed) -> Step:
    """After this the visitor's page view is counted."""
    at = viewed.meta.occurred_at
    head = state.head or Visitor(first_at=at)
    head.views += 1
    head.last_at = max(head.last_at, at)
    head.last_path = viewed.path
    counted = VisitorCounted(
        visitor=state.key,
        views=head.views,
        first_at=head.first_at,
        last_at=head.last_at,
        last_path=head.last_path,
        updated_at=head.last_at,
    )
    return Step(head, (Output(COUNTS, state.key, counted),))


def pass_on(state: State[Record], event: Any) -> Step:
    """The event goes on as it came; nothing is kept."""
    return Step(None, (Output(PASSED, state.key, event),))


COUNTING = View("count", (VIEWS,), (COUNTS,), Visitor, count)
PASSING = View("pass", (VIEWS,), (PASSED,), Record, pass_on)


class Opaque(Event, frozen=True, gc=False, kw_only=True):
    """An event that nobody looks into."""


class Unread:
    """A codec for what is passed on: no byte is looked at."""

    def decoder(self, _topic: Topic) -> Callable[[bytes], Any]:
        """Reads nothing."""
        opaque = Opaque(meta=Meta(event_id="", occurred_at=0, received_at=0, channel="", source=""))
        return lambda _: opaque

    def encoder(self, _topic: Topic, _struct: type) -> Callable[[Any], bytes]:
        """Writes nothing: what is passed on is not encoded again."""
        return lambda _: b""


class Avro:
    """The codec of the counting view: the real reader, and a writer for the snapshot that has no file."""

    def __init__(self, registry: Registry, prefix: str) -> None:
        self._registry = registry
        self._codec = Codec(registry, prefix)
        self._prefix = prefix

    def decoder(self, topic: Topic) -> Callable[[bytes], Any]:
        """Reads page views."""
        return self._codec.decoder(topic)

    def encoder(self, topic: Topic, struct: type) -> Callable[[Any], bytes]:
        """Writes counts, and whatever else has a schema file."""
        if struct is not VisitorCounted:
            return self._codec.encoder(topic, struct)
        schema_id = self._registry.id_of(counted_subject(self._prefix), COUNTED_SCHEMA)
        return Writer(COUNTED_SCHEMA, struct, frame(schema_id)).write


def counted_subject(prefix: str) -> str:
    """Under which the counts' schema is registered."""
    return f"{prefix}{COUNTS.name}-vaart.bench.VisitorCounted"


def read_counted() -> Callable[[bytes], Any]:
    """Reads what COUNTS and FAUST_COUNTS hold."""
    return Reader(COUNTED_SCHEMA, COUNTED_SCHEMA, VisitorCounted).read


def prepare(ground: Ground, records: int) -> None:
    """Topics and schemas are there, and VIEWS holds `records` page views, spread over visitors by a fixed seed."""
    state = {"cleanup.policy": "compact"}
    ground.create_topics(
        {PREFIX + topic.name: {} for topic in (VIEWS, DEAD_LETTERS, SETTLED_LETTERS)}
        | {PREFIX + topic.name: BROKER_TIME for topic in (COUNTS, PASSED, FAUST_COUNTS)}
        | {PREFIX + view.changelog: state for view in (COUNTING, PASSING)}
    )
    with Registry(ground.addresses.registry) as registry:
        for struct in (PageViewed, ClockAdvanced):
            registry.register(subject_of(VIEWS, struct, PREFIX), schema_of(struct), BACKWARD)
        registry.register(counted_subject(PREFIX), COUNTED_SCHEMA, BACKWARD)
        for topic, entry in ((COUNTS, ClockAdvanced), (DEAD_LETTERS, DeadLettered)):
            registry.register(subject_of(topic, entry, PREFIX), schema_of(entry), BACKWARD)
        encode = Codec(registry, PREFIX).encoder(VIEWS, PageViewed)
    with on(OURS):
        publish(ground, PREFIX + VIEWS.name, ((key, encode(event)) for key, event in page_views(records)))


def publish(ground: Ground, topic: str, keyed: Iterator[tuple[str, bytes]]) -> int:
    """Kafka has all of them; says how many."""
    producer = Producer(
        {
            "bootstrap.servers": ground.addresses.kafka,
            "partitioner": "murmur2_random",
            "compression.type": "lz4",
            "linger.ms": LINGER_MS,
            "enable.idempotence": True,
        }
    )
    count = 0
    for key, value in keyed:
        count += 1
        while not _is_taken(producer, topic, key.encode(), value):
            producer.poll(0.1)
    if producer.flush(60):
        raise Failed(f"Kafka did not take everything for {topic}")
    return count


def _is_taken(producer: Producer, topic: str, key: bytes, value: bytes) -> bool:
    try:
        producer.produce(topic, value, key)
    except BufferError:
        return False
    return True


def page_views(records: int) -> Iterator[tuple[str, PageViewed]]:
    """Record keys and events, about 220 bytes each once they are written."""
    chance = random.Random(SEED)
    for number in range(records):
        visitor = f"v{chance.randrange(VISITORS):05}"
        yield visitor, _page_view(number, visitor, chance)


def _page_view(number: int, visitor: str, chance: random.Random) -> PageViewed:
    at = START + number * SECOND
    page = f"/shop/{chance.randrange(2_000)}"
    meta = Meta(
        event_id=event_id("shop", "PageViewed", str(number)),
        occurred_at=at,
        received_at=at + 120_000,
        channel="web",
        source="shop",
        source_event_id=str(number),
        identifiers=[
            Identifier(ANONYMOUS_ID, visitor),
            Identifier("customer_id", f"c{visitor}", verified=True),
        ],
        context={"locale": "nl-NL", "device": "mobile", "campaign": f"c{chance.randrange(50)}"},
    )
    return PageViewed(
        meta=meta, url=f"https://shop.example{page}", path=page, title="Shop", session_id=f"s{number // 10}"
    )
