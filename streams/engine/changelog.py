"""The changelog: reading a lane's state back, and refusing a state that no longer fits its topics.

Read after the lane's older owner is fenced, `read_committed`, to the end that the broker reports then: by position,
since the tail may be transaction markers. A store that is still there needs the tail only.
"""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import msgspec
import structlog
from confluent_kafka import Consumer, KafkaError, KafkaException, TopicCollection, TopicPartition
from confluent_kafka.admin import AdminClient

from streams.engine import position, records
from streams.engine.position import Position, SourcePosition
from streams.engine.stores import LaneStore
from streams.engine.surroundings import LaneLost, Surroundings
from vaart.errors import ConfigFault, DependencyAway

END_KEY = records.POSITION + b"e"
BATCH = 5_000
STALE_AFTER_US = int(3.5 * 24 * 3600 * 1e6)
"""Half of the state topics' delete.retention.ms: an older store has missed tombstones that are gone by now."""
BROKER_TIMEOUT_S = 30.0
SILENCE_S_MAX = 60.0
TOPIC_VISIBLE_S_MAX = 5.0
TOPIC_ASKED_EVERY_S = 0.2

log = structlog.get_logger()


class End(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """Up to where in the changelog the store is level, and when it was."""

    topic_id: str
    offset: int
    at: int


@dataclass(frozen=True, slots=True)
class Restored:
    """A lane that can go on: its position, its changelog's end, how many records were read."""

    position: Position
    end: End
    records: int


encode_end = msgspec.msgpack.Encoder().encode


def restore(around: Surroundings, lane: int, store: LaneStore, is_current: Callable[[], bool]) -> Restored:
    """After this `store` equals the lane's committed changelog. Raises ConfigFault, LaneLost, DependencyAway."""
    ids = topic_ids(around, [topic.name for topic in around.view.sources] + [around.view.changelog])
    changelog_id = ids[around.view.changelog]
    consumer = Consumer({**around.consumer_config, "enable.partition.eof": True})
    try:
        start = _start(around, lane, store, consumer, changelog_id)
        count, end = _read(around, lane, store, consumer, start, is_current)
        found = _fitting(around, lane, consumer, _stored_position(around, store), ids)
    finally:
        consumer.close()
    return Restored(found, End(changelog_id, end, around.clock()), count)


def topic_ids(around: Surroundings, names: Iterable[str]) -> dict[str, str]:
    """The ids of these topics. Raises ConfigFault where one is missing or has other partitions than configured."""
    admin = AdminClient(dict(around.admin_config))
    found = {}
    for name in dict.fromkeys(names):
        description = _description(admin, around.prefix + name)
        if len(description.partitions) != around.partitions:
            raise ConfigFault(
                f"topic {around.prefix + name} has {len(description.partitions)} partitions, "
                f"{around.partitions} are configured: a view's topics keep one count for life"
            )
        found[name] = str(description.topic_id)
    return found


def _description(admin: AdminClient, topic: str) -> Any:
    """A topic that was just made is not known everywhere at once, so one that seems missing is asked for again."""
    deadline = time.monotonic() + TOPIC_VISIBLE_S_MAX
    while True:
        asked = admin.describe_topics(TopicCollection([topic]), request_timeout=BROKER_TIMEOUT_S)
        try:
            return asked[topic].result()
        except KafkaException as error:
            code = error.args[0].code()
            if code != KafkaError.UNKNOWN_TOPIC_OR_PART:
                raise DependencyAway(f"Kafka does not describe {topic}: {error.args[0].str()}") from error
            if time.monotonic() > deadline:
                raise ConfigFault(f"topic {topic} does not exist: run `vaart topics apply`") from error
            time.sleep(TOPIC_ASKED_EVERY_S)


def _start(around: Surroundings, lane: int, store: LaneStore, consumer: Consumer, changelog_id: str) -> int:
    """Where to read from: the store's own end if it can be trusted, else the beginning, with an empty store."""
    low, high = _bounds(consumer, around.prefix + around.view.changelog, lane)
    encoded = store.get(END_KEY)
    if encoded is not None:
        end = msgspec.msgpack.decode(encoded, type=End)
        is_fresh = around.clock() - end.at < STALE_AFTER_US
        if end.topic_id == changelog_id and low <= end.offset <= high and is_fresh:
            return end.offset
        log.warning("warm_store_discarded", lane=lane)
        store.clear()
    return low


def _read(
    around: Surroundings,
    lane: int,
    store: LaneStore,
    consumer: Consumer,
    start: int,
    is_current: Callable[[], bool],
) -> tuple[int, int]:
    topic = around.prefix + around.view.changelog
    _, high = _bounds(consumer, topic, lane)
    consumer.assign([TopicPartition(topic, lane, start)])
    count, reached, heard_at = 0, start, time.monotonic()
    while reached < high:
        if not is_current():
            raise LaneLost("the lane was taken away while it was restored")
        messages: list[Any] = consumer.consume(BATCH, 1.0)
        if messages:
            heard_at = time.monotonic()
        elif time.monotonic() - heard_at > SILENCE_S_MAX:
            raise DependencyAway(
                f"Kafka has sent nothing of {topic} for {SILENCE_S_MAX:.0f} s: is the broker up?"
            )
        writes: dict[bytes, bytes | None] = {}
        for message in messages:
            error = message.error()
            if error is None:
                writes[message.key()] = message.value()
                count += 1
                reached = message.offset() + 1
            elif error.code() == KafkaError._PARTITION_EOF:
                reached = max(reached, message.offset())
            else:
                raise DependencyAway(f"Kafka cannot read {topic}: {error.str()}")
        store.write(_with_index(store, writes))
    return count, reached


def _with_index(store: LaneStore, writes: dict[bytes, bytes | None]) -> dict[bytes, bytes | None]:
    """`writes` and what follows from them for the due index."""
    found = dict(writes)
    heads = [key for key in writes if key.startswith(records.HEAD)]
    for key, before in zip(heads, store.get_many(heads), strict=True):
        text = records.head_key_text(key)
        after = writes[key]
        old = None if before is None else records.wake_of(before)
        new = None if after is None else records.wake_of(after)
        if old is not None and old != new:
            found[records.due_key(old, text)] = None
        if new is not None:
            found[records.due_key(new, text)] = b""
    return found


def _stored_position(around: Surroundings, store: LaneStore) -> Position:
    encoded = store.get(records.POSITION)
    return Position(around.partitions) if encoded is None else position.decode(encoded)


def _fitting(
    around: Surroundings, lane: int, consumer: Consumer, found: Position, ids: dict[str, str]
) -> Position:
    """`found`, with a position for every source. Raises ConfigFault where the sources are not what they were."""
    if found.partitions != around.partitions:
        raise ConfigFault(
            f"the state of {around.view.group} was built with {found.partitions} partitions, {around.partitions} are "
            "configured: set VAART_KAFKA__PARTITIONS back, or rebuild the view as a new version"
        )
    for source in around.view.sources:
        low, high = _bounds(consumer, around.prefix + source.name, lane)
        known = found.sources.get(source.name)
        if known is None:
            found.sources[source.name] = SourcePosition(ids[source.name], low, {})
            continue
        if known.topic_id != ids[source.name]:
            raise ConfigFault(
                f"topic {around.prefix + source.name} is not the one that {around.view.group} has read: it was deleted "
                "and made again. Rebuild the view as a new version, or restore the topic"
            )
        if not low <= known.next_offset <= high:
            raise ConfigFault(
                f"{around.view.group} stands at offset {known.next_offset} of {around.prefix + source.name}[{lane}], "
                f"which now holds {low} to {high}: records are missing. Rebuild the view as a new version"
            )
    return found


def _bounds(consumer: Consumer, topic: str, partition: int) -> tuple[int, int]:
    bounds: Any = consumer.get_watermark_offsets(
        TopicPartition(topic, partition), timeout=BROKER_TIMEOUT_S, cached=False
    )
    if bounds is None:
        raise DependencyAway(f"Kafka does not answer for {topic}[{partition}]: is the broker up?")
    low, high = bounds
    return int(low), int(high)
