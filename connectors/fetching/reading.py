"""The topic of fetches, as a group of services reads it: one is over when it was answered, in whatever order."""

from collections.abc import Iterator, Sequence

import structlog
from confluent_kafka import Consumer, KafkaException, TopicPartition

from schemas.codec import Decode, Undecodable
from schemas.events.ingest import FetchRequested
from schemas.topics import FETCHES
from vaart import kafka
from vaart.addresses import Addresses
from vaart.settings import Settings

GROUP = "vaart.fetches.v1"
OPEN_MAX = 2_000
"""So many may be read and not answered; then no more are read."""
AT_ONCE = 100
POLL_S = 0.25

Place = tuple[int, int]
"""Partition and offset."""

log = structlog.get_logger()


class Progress:
    """Which offsets of a partition are open, and from where on it would be read again."""

    def __init__(self) -> None:
        self._open: set[int] = set()
        self._next = 0

    def taken(self, offset: int) -> None:
        """It is open."""
        self._open.add(offset)
        self._next = offset + 1

    def over(self, offset: int) -> None:
        """It is not open any more."""
        self._open.discard(offset)

    @property
    def count(self) -> int:
        """How many are open."""
        return len(self._open)

    @property
    def stand(self) -> int:
        """The first that is open, else the one behind the last."""
        return min(self._open, default=self._next)


class Fetches:
    """Reads them. Blocking: call it from one thread at a time; `over` from any."""

    def __init__(self, settings: Settings, addresses: Addresses, decode: Decode) -> None:
        config = kafka.consumer_config(settings, addresses, GROUP)
        self._consumer = Consumer({**config, "auto.offset.reset": "earliest"})
        self._decode = decode
        self._progress: dict[int, Progress] = {}
        self._committed: dict[int, int] = {}
        self._topic = kafka.topic_name(settings, FETCHES.name)
        self._consumer.subscribe([self._topic], on_revoke=self._revoked, on_lost=self._lost)
        self._is_paused = False

    def take(self) -> list[tuple[Place, FetchRequested]]:
        """What has come within POLL_S; nothing while OPEN_MAX are open."""
        self._hold_back(sum(each.count for each in self._progress.values()) >= OPEN_MAX)
        messages = self._consumer.consume(AT_ONCE, POLL_S)
        return list(self._wanted(messages))

    def over(self, place: Place) -> None:
        """It was answered, or given up."""
        partition, offset = place
        if partition in self._progress:
            self._progress[partition].over(offset)

    def commit(self) -> None:
        """After this what is over will not be read again, as far as all before it is over, too."""
        stands = {partition: each.stand for partition, each in list(self._progress.items())}
        moved = {
            partition: stand for partition, stand in stands.items() if self._committed.get(partition) != stand
        }
        if not moved:
            return
        offsets = [TopicPartition(self._topic, partition, stand) for partition, stand in moved.items()]
        try:
            self._consumer.commit(offsets=offsets, asynchronous=False)
            self._committed.update(moved)
        except KafkaException as error:
            log.warning("fetches_not_committed", error=error.args[0].name())

    def close(self) -> None:
        """Commits, and leaves the group."""
        self.commit()
        self._consumer.close()

    def _wanted(self, messages: Sequence[object]) -> Iterator[tuple[Place, FetchRequested]]:
        for message in messages:
            partition, offset = message.partition(), message.offset()  # type: ignore[attr-defined]
            if message.error() is not None:  # type: ignore[attr-defined]
                log.warning("fetches_not_read", error=message.error().name())  # type: ignore[attr-defined]
                continue
            progress = self._progress.setdefault(partition, Progress())
            progress.taken(offset)
            try:
                yield (partition, offset), self._decode(message.value())  # type: ignore[attr-defined]
            except Undecodable as error:
                log.error("fetch_unreadable", partition=partition, offset=offset, error=str(error))  # noqa: TRY400
                progress.over(offset)

    def _hold_back(self, is_full: bool) -> None:
        if is_full and not self._is_paused:
            self._consumer.pause(self._consumer.assignment())
        elif self._is_paused and not is_full:
            self._consumer.resume(self._consumer.assignment())
        self._is_paused = is_full

    def _revoked(self, _: Consumer, partitions: list[TopicPartition]) -> None:
        self.commit()
        self._forget(partitions)

    def _lost(self, _: Consumer, partitions: list[TopicPartition]) -> None:
        self._forget(partitions)

    def _forget(self, partitions: list[TopicPartition]) -> None:
        for each in partitions:
            self._progress.pop(each.partition, None)
            self._committed.pop(each.partition, None)
