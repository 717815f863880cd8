"""Others' topics, read from known positions on: batches within bounds, partitions as they are now, and what was lost.

A topic is known by its id: one that was deleted and made anew, or is on another cluster, begins at its beginning. What
a topic let go before it was read is told as lost, never jumped over.
"""

import random
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from confluent_kafka import (
    OFFSET_BEGINNING,
    TIMESTAMP_NOT_AVAILABLE,
    Consumer,
    KafkaError,
    KafkaException,
    Message,
    TopicCollection,
    TopicPartition,
)
from confluent_kafka.admin import AdminClient, TopicDescription

from connectors.polling.waiting import back_off_s
from connectors.queues.arrival import Arrived
from vaart.clock import Clock
from vaart.errors import DependencyAway

RECORDS_MAX = 500
BYTES_MAX = 8 * 1024 * 1024
WAIT_S = 0.5
ANSWER_WITHIN_S = 10.0
REFRESH_S = 30.0
"""So often it is asked which partitions there are; sooner while a topic is missing."""
MILLISECOND_US = 1_000
_MISSING = (KafkaError.UNKNOWN_TOPIC_OR_PART, KafkaError._UNKNOWN_TOPIC, KafkaError._UNKNOWN_PARTITION)
_GONE = (KafkaError.OFFSET_OUT_OF_RANGE, KafkaError._AUTO_OFFSET_RESET)

Place = tuple[str, int]
"""A topic and a partition of it."""


@dataclass(frozen=True, slots=True)
class Stand:
    """How far a topic is read: its id, and of each partition the offset that comes next."""

    topic_id: str
    next: Mapping[int, int]


@dataclass(slots=True)
class Batch:
    """What was read: records, and per place that lost some the offset that was to come, and words on it."""

    arrivals: list[Arrived] = field(default_factory=list)
    losses: list[tuple[Place, int, str]] = field(default_factory=list)
    size: int = 0

    @property
    def is_full(self) -> bool:
        """Whether there is enough for one transaction."""
        return len(self.arrivals) >= RECORDS_MAX or self.size >= BYTES_MAX


class TopicReader:
    """Reads all `names`. Blocking: one call at a time. `config` is a consumer's, `asking` an administrator's.

    `missing` are the topics that are not there now.
    """

    def __init__(
        self, config: Mapping[str, Any], asking: Mapping[str, Any], names: Sequence[str], clock: Clock
    ) -> None:
        self._address = str(config["bootstrap.servers"])
        self._config = {**config, "enable.partition.eof": True}
        self._names = names
        self._clock = clock
        self._consumer: Consumer | None = None
        self._asking = dict(asking)
        self._admin: AdminClient | None = None
        self._ids: dict[str, str] = {}
        self._next: dict[Place, int] = {}
        self._assigned: set[Place] = set()
        self._at_end: set[Place] = set()
        self._refresh_at = 0.0
        self._misses = 0
        self._replaced: list[tuple[Place, int, str]] = []
        self.missing: Sequence[str] = ()

    def open(self, stands: Mapping[str, Stand]) -> None:
        """From now on it reads from there. Raises DependencyAway."""
        self.close()
        self._ids = {name: stand.topic_id for name, stand in stands.items()}
        self._next = {
            (name, each): offset for name, stand in stands.items() for each, offset in stand.next.items()
        }
        try:
            self._admin = AdminClient(self._asking)
            self._consumer = Consumer(self._config)
        except KafkaException as error:
            raise self._fault(error.args[0], ", ".join(self._names)) from None
        self._refresh()

    def close(self) -> None:
        """After this nothing is read and nothing connected."""
        if self._consumer is not None:
            self._consumer.close()
        self._consumer, self._admin = None, None
        self._assigned, self._at_end, self._replaced = set(), set(), []

    @property
    def stands(self) -> dict[str, Stand]:
        """How far all is read that `read` gave."""
        found: dict[str, dict[int, int]] = {name: {} for name in self._ids}
        for (name, partition), offset in self._next.items():
            found[name][partition] = offset
        return {name: Stand(self._ids[name], offsets) for name, offsets in found.items()}

    def lags(self) -> Iterator[tuple[Place, int]]:
        """Of each partition that something was read of, how many offsets there are behind it."""
        assert self._consumer is not None
        for place in self._assigned & self._next.keys():
            with suppress(KafkaException):  # of a partition that is not known any more
                bounds: Any = self._consumer.get_watermark_offsets(TopicPartition(*place), cached=True)
                yield place, 0 if place in self._at_end else max(0, bounds[1] - self._next[place])

    def read(self) -> Batch:
        """What comes next, perhaps nothing; it waits WAIT_S for it at most. Raises DependencyAway."""
        assert self._consumer is not None
        if time.monotonic() >= self._refresh_at:
            self._refresh()
        batch = Batch(losses=self._replaced)
        self._replaced = []
        message = self._consumer.poll(0 if batch.losses else WAIT_S)
        while message is not None:
            self._take(message, batch)
            message = None if batch.is_full else self._consumer.poll(0)
        return batch

    def _refresh(self) -> None:
        """After this it reads all partitions that there are now."""
        assert self._admin is not None
        told = self._admin.describe_topics(
            TopicCollection(list(self._names)), request_timeout=ANSWER_WITHIN_S
        )
        found = {name: self._partitions(name, each) for name, each in told.items()}
        self.missing = [name for name in self._names if found[name] is None]
        self._misses = self._misses + 1 if self.missing else 0
        wait_s = min(REFRESH_S, back_off_s(self._misses, random.random)) if self.missing else REFRESH_S
        self._refresh_at = time.monotonic() + wait_s
        places = {(name, each) for name, partitions in found.items() for each in partitions or ()}
        if places != self._assigned:
            self._assign(places)

    def _assign(self, places: set[Place]) -> None:
        assert self._consumer is not None
        self._consumer.assign(
            [TopicPartition(*place, self._next.get(place, OFFSET_BEGINNING)) for place in sorted(places)]
        )
        self._assigned = places

    def _partitions(self, name: str, told: Future[TopicDescription]) -> Sequence[int] | None:
        """None where the topic is missing. One that was made anew is forgotten, and read from its beginning."""
        try:
            topic = told.result()
        except KafkaException as error:
            if error.args[0].code() in _MISSING:
                return None
            raise self._fault(error.args[0], name) from None
        topic_id = str(topic.topic_id)
        if self._ids.setdefault(name, topic_id) != topic_id:
            self._forget(name)
            self._ids[name] = topic_id
        return [each.id for each in topic.partitions]

    def _forget(self, name: str) -> None:
        for place in [place for place in self._next if place[0] == name]:
            why = "the topic is another one now: what of the former was not read is not known"
            self._replaced.append((place, self._next.pop(place), why))
        self._assigned = {place for place in self._assigned if place[0] != name}

    def _take(self, message: Message, batch: Batch) -> None:
        place: Place = (message.topic() or "", message.partition() or 0)
        error = message.error()
        if error is None:
            self._at_end.discard(place)
            self._next[place] = (message.offset() or 0) + 1
            batch.arrivals.append(self._arrived(message))
            batch.size += len(message)
        elif error.code() == KafkaError._PARTITION_EOF:
            self._at_end.add(place)
        elif error.code() in _GONE:
            batch.losses.append(self._lost(place))
        elif error.code() in _MISSING:
            self._refresh_at = 0.0
        else:
            raise self._fault(error, place[0])

    def _lost(self, place: Place) -> tuple[Place, int, str]:
        """After this it reads on where the partition begins now."""
        assert self._consumer is not None
        try:
            bounds: Any = self._consumer.get_watermark_offsets(
                TopicPartition(*place), timeout=ANSWER_WITHIN_S
            )
        except KafkaException as error:
            raise self._fault(error.args[0], place[0]) from None
        wanted, low = self._next.get(place, 0), int(bounds[0])
        self._next[place] = low
        self._assign(self._assigned)
        if wanted > low:
            return place, wanted, f"the partition ends before offset {wanted}: it is read again from {low}"
        return (
            place,
            wanted,
            f"what stood from offset {wanted} to {low} is gone: it was kept for too short a time",
        )

    def _arrived(self, message: Message) -> Arrived:
        """A time that is still to come is a wrong clock's."""
        now, (kind, at_ms) = self._clock(), message.timestamp()
        headers: Any = message.headers() or ()
        is_told = kind != TIMESTAMP_NOT_AVAILABLE and at_ms > 0
        return Arrived(
            place=message.topic() or "",
            value=message.value(),
            received_at=min(now, at_ms * MILLISECOND_US) if is_told else now,
            key=message.key(),
            headers=headers,
            partition=message.partition() or 0,
            offset=message.offset() or 0,
        )

    def _fault(self, error: KafkaError, name: str) -> DependencyAway:
        if error.code() == KafkaError.TOPIC_AUTHORIZATION_FAILED:
            return DependencyAway(
                f"Kafka at {self._address} forbids reading {name}: grant Read and Describe."
            )
        return DependencyAway(f"Kafka at {self._address} does not answer for {name} ({error.name()}).")
