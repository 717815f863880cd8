"""Membership of the consumer group: which partitions are ours, from which offset each is read, what lag Kafka shows."""

import time
from collections.abc import Callable, Mapping

import structlog
from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaException, TopicPartition

from vaart import metrics

GROUP = "vaart.sink.postgres.v1"
COMMIT_EVERY_S = 1.0

Place = tuple[str, int]
"""A topic's name on the broker, and a partition."""

log = structlog.get_logger()


class Membership:
    """Keeps count of the partitions. `generation` goes up with every change: what was read before it is void."""

    def __init__(self, consumer: Consumer, settle: Callable[[], None]) -> None:
        """`settle` returns once no transaction is under way."""
        self._consumer = consumer
        self._settle = settle
        self._applied: dict[Place, int] = {}
        self._is_committed = True
        self._committed_at = 0.0
        self.owned: set[Place] = set()
        self.generation = 0
        self.has_joined = False

    def subscribe(self, topics: list[str]) -> None:
        """Joins the group; partitions come with later polls."""
        self._consumer.subscribe(
            topics, on_assign=self._assigned, on_revoke=self._revoked, on_lost=self._lost
        )

    def restart(self, starts: Mapping[Place, int]) -> None:
        """Every owned partition is read from these offsets on, whatever was fetched before."""
        places = [TopicPartition(*place, starts[place] or OFFSET_BEGINNING) for place in sorted(self.owned)]
        if places:
            self._consumer.incremental_unassign(places)
            self._consumer.incremental_assign(places)
            self._consumer.resume(places)

    def pause(self) -> None:
        """Polls keep the membership and bring nothing."""
        self._consumer.pause(self._consumer.assignment())

    def resume(self) -> None:
        """Polls bring records again."""
        self._consumer.resume(self._consumer.assignment())

    def applied(self, ends: Mapping[Place, int]) -> None:
        """The database holds everything below these offsets: Kafka hears of it about once a second."""
        self._applied.update(ends)
        self._is_committed = False

    def report(self, *, is_last: bool = False) -> None:
        """Commits the offsets to Kafka and shows lag, if it is time. Kafka's offsets serve the display of lag alone."""
        now = time.monotonic()
        if not is_last and now - self._committed_at < COMMIT_EVERY_S:
            return
        self._committed_at = now
        for place in self.owned & self._applied.keys():
            self._show(place)
        if not self._is_committed:
            self._commit(is_last)

    def _commit(self, is_last: bool) -> None:
        offsets = [
            TopicPartition(*place, self._applied[place]) for place in self.owned & self._applied.keys()
        ]
        try:
            if offsets and is_last:
                self._consumer.commit(offsets=offsets, asynchronous=False)
            elif offsets:
                self._consumer.commit(offsets=offsets, asynchronous=True)
        except KafkaException as error:
            log.warning("lag_not_shown", error=error.args[0].name())
        self._is_committed = True

    def _show(self, place: Place) -> None:
        topic, partition = place
        low_and_high = self._consumer.get_watermark_offsets(TopicPartition(topic, partition), cached=True)
        labels = {"group": GROUP, "topic": topic, "partition": str(partition)}
        metrics.COMMITTED_OFFSET.labels(**labels).set(self._applied[place])
        if low_and_high is not None and low_and_high[1] >= 0:
            metrics.CONSUMER_LAG_RECORDS.labels(**labels).set(max(0, low_and_high[1] - self._applied[place]))

    def _assigned(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        self._changed(len(partitions), "partitions_assigned")
        self.owned |= {(each.topic, each.partition) for each in partitions}
        self.has_joined = True
        # The database says where to begin, but may be away and must not hold up the group: see `restart`.
        consumer.incremental_assign(
            [TopicPartition(each.topic, each.partition, OFFSET_BEGINNING) for each in partitions]
        )
        consumer.pause(partitions)

    def _revoked(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        self._changed(len(partitions), "partitions_revoked")
        self.report(is_last=True)
        self._drop(partitions)
        consumer.incremental_unassign(partitions)

    def _lost(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        self._changed(len(partitions), "partitions_lost")
        self._drop(partitions)
        consumer.incremental_unassign(partitions)

    def _changed(self, count: int, event: str) -> None:
        self._settle()
        self.generation += 1
        metrics.REBALANCES.labels(group=GROUP).inc()
        log.info(event, partitions=count)

    def _drop(self, partitions: list[TopicPartition]) -> None:
        for each in partitions:
            self.owned.discard((each.topic, each.partition))
            self._applied.pop((each.topic, each.partition), None)
