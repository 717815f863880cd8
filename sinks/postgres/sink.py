"""The Postgres sink: reads the topics of all projections and keeps their tables, each record once.

One thread reads, decodes and makes rows, while a second one has the batch before in a transaction. While Postgres is
away the partitions are paused, yet polled: the group does not rebalance, and nothing is given up.
"""

import contextlib
import threading
import time
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import wait as wait_for
from typing import Any

import structlog
from confluent_kafka import Consumer, TopicCollection

from schemas.codec import Codec
from schemas.events.dead_letters import DeadLettered
from schemas.registry import Registry
from schemas.topics import DEAD_LETTERS
from sinks import contracts
from sinks.postgres.changes import Floors, Source, happened, outcome_of
from sinks.postgres.letters import Post
from sinks.postgres.membership import GROUP, Membership, Place
from sinks.postgres.offsets import Lane, Moved
from sinks.postgres.reader import Reader, Stopped
from sinks.postgres.session import Abandoned, Session
from sinks.postgres.writer import Writer, Written
from sinks.projections.projection import Projection
from vaart import kafka, metrics
from vaart.addresses import Addresses
from vaart.clock import Clock, wall
from vaart.errors import ConfigFault
from vaart.health import Health
from vaart.settings import Settings

APP = "sink-postgres"
PATIENCE_S = 1.0
"""A transaction that takes longer: the partitions are paused, so that polling brings nothing more."""
DRAIN_S = 20.0
TURN_S = 0.1
ADMIN_S = 10.0

log = structlog.get_logger()


class PostgresSink:
    """Runs until it is told to stop. Give each process one."""

    def __init__(
        self,
        settings: Settings,
        addresses: Addresses,
        projections: Iterable[Projection],
        health: Health | None = None,
        clock: Clock = wall,
        instance: str = "",
    ) -> None:
        """`instance` is a stable name, one for each process: a restart under it takes its partitions back at once."""
        self._health = health or Health()
        self._clock = clock
        self._admin = kafka.admin(settings, addresses)
        self._publisher = kafka.Publisher(settings, addresses)
        codec = Codec(
            Registry.of(addresses.registry, settings.registry, settings.state_dir),
            settings.kafka.topic_prefix,
        )
        self._sources = {source.name: source for source in _sources(settings, codec, projections)}
        post = Post(self._publisher, contracts.encoder(codec, DEAD_LETTERS, DeadLettered), clock)
        self._session = Session(addresses.postgres)
        self._writer = Writer(self._session, post.send)
        self._writing = ThreadPoolExecutor(max_workers=1, thread_name_prefix="postgres")
        self._pending: Future[Any] | None = None
        self._consumer = Consumer(_consumer_config(settings, addresses, instance))
        self._members = Membership(self._consumer, self._settle)
        self._reader = Reader(self._consumer, self._sources, self._await_registry)
        self._floors: Floors = {}
        self._placed = -1
        """The membership's generation for which every partition is read from the right offset."""
        self._topic_ids: dict[str, str] = {}
        self._stopping = threading.Event()
        self._health.check("partitions", self._unready)

    def run(self, stopping: threading.Event) -> None:
        """Returns after `stopping` is set, when what was read is in the database or will be read again."""
        self._stopping = stopping
        self._topic_ids = self._ask_topic_ids()
        self._members.subscribe(sorted(self._sources))
        try:
            with contextlib.suppress(Stopped):
                while not stopping.is_set():
                    self._turn()
            self._drain()
        finally:
            self._close()

    def _turn(self) -> None:
        self._health.beat()
        metrics.PROGRESS_TIMESTAMP.labels(app=APP).set_to_current_time()
        if self._placed != self._members.generation:
            self._place()
            return
        batch = self._reader.read(self._floors)
        self._finish()
        self._members.report()
        # A rebalance in the meantime voids what was read: it will be read again from where the database stands.
        if batch is not None and self._placed == self._members.generation:
            self._pending = self._writing.submit(self._writer.write, batch)

    def _place(self) -> None:
        """Reads on from where the database says."""
        generation = self._members.generation
        self._finish()
        lanes = [
            Lane(projection.name, topic, self._topic_ids[topic], partition)
            for topic, partition in sorted(self._members.owned)
            for projection in self._sources[topic].projections
        ]
        self._pending = self._writing.submit(self._writer.place, lanes)
        floors = self._finish()
        if floors is None or generation != self._members.generation:
            return
        self._floors = floors
        self._members.restart(_starts(floors))
        self._placed = generation

    def _finish(self) -> Any:
        """The result of what is under way, once it is committed; None when there is nothing, or it came to nothing."""
        if self._pending is None:
            return None
        if not _is_done(self._pending, PATIENCE_S):
            self._wait_paused(self._pending)
        return self._outcome()

    def _wait_paused(self, pending: "Future[Any]") -> None:
        self._members.pause()
        while self._pending is pending and not _is_done(pending, TURN_S):
            self._let_pass(0)
            metrics.SINK_PAUSED.labels(sink=APP).set(self._session.is_paused)
            if self._stopping.is_set():
                self._session.abandon(is_abandoned=True)
        metrics.SINK_PAUSED.labels(sink=APP).set(0)
        self._members.resume()

    def _settle(self) -> None:
        """No transaction is under way: it was committed, or given up because Postgres is away."""
        if self._pending is not None:
            self._session.abandon(is_abandoned=True)
            wait_for([self._pending])
            self._outcome()
            self._session.abandon(is_abandoned=False)

    def _outcome(self) -> Any:
        pending, self._pending = self._pending, None
        try:
            result = pending.result() if pending is not None else None
        except (Moved, Abandoned) as error:
            log.warning("batch_void", reason=type(error).__name__)
            self._placed = -1
            return None
        if isinstance(result, Written):
            self._members.applied(result.batch.ends)
            _count(result, self._clock())
        return result

    def _await_registry(self, seconds: float) -> None:
        if self._stopping.is_set():
            raise Stopped
        self._members.pause()
        self._let_pass(seconds)
        self._members.resume()

    def _let_pass(self, seconds: float) -> None:
        """Time passes, and we stay a member of the group. Whatever a poll brings here is read again later."""
        self._health.beat()
        if self._consumer.poll(seconds) is not None:
            self._placed = -1

    def _drain(self) -> None:
        deadline = time.monotonic() + DRAIN_S
        while self._pending is not None and not _is_done(self._pending, TURN_S):
            if time.monotonic() > deadline or self._session.is_paused:
                self._session.abandon(is_abandoned=True)
        self._outcome()
        self._members.report(is_last=True)
        log.info("drained")

    def _close(self) -> None:
        self._session.abandon(is_abandoned=True)
        self._writing.shutdown()
        self._consumer.close()
        self._session.close()
        self._publisher.close()

    def _unready(self) -> str | None:
        is_placed = self._members.has_joined and self._placed == self._members.generation
        return (
            None
            if is_placed
            else "partitions are not assigned yet, or the database has not said where to begin"
        )

    def _ask_topic_ids(self) -> dict[str, str]:
        found = self._admin.describe_topics(TopicCollection(sorted(self._sources)), request_timeout=ADMIN_S)
        ids = {}
        missing = []
        for topic, described in found.items():
            if described.exception(timeout=ADMIN_S) is not None:
                missing.append(topic)
            else:
                ids[topic] = str(described.result().topic_id)
        if missing:
            raise ConfigFault(f"topics are missing ({', '.join(missing)}): run `vaart topics apply`.")
        return ids


def _consumer_config(settings: Settings, addresses: Addresses, instance: str) -> dict[str, Any]:
    static = {"group.instance.id": instance} if instance else {}
    return {**kafka.consumer_config(settings, addresses, GROUP), **static, "enable.partition.eof": True}


def _sources(settings: Settings, codec: Codec, projections: Iterable[Projection]) -> list[Source]:
    by_topic: dict[Any, list[Projection]] = {}
    for projection in projections:
        for topic in projection.topics:
            by_topic.setdefault(topic, []).append(projection)
    return [
        Source(
            kafka.topic_name(settings, topic.name),
            codec.decoder(topic),
            tuple(fed),
            topic.cleanup == "compact",
        )
        for topic, fed in by_topic.items()
    ]


def _starts(floors: Floors) -> dict[Place, int]:
    """A topic is read from where the table that has least of it stands; the others leave out what they have."""
    starts: dict[Place, int] = {}
    for (_, topic, partition), offset in floors.items():
        starts[topic, partition] = min(offset, starts.get((topic, partition), offset))
    return starts


def _is_done(pending: "Future[Any]", within_s: float) -> bool:
    return bool(wait_for([pending], timeout=within_s).done)


def _count(written: Written, now: int) -> None:
    metrics.SINK_BATCH_ROWS.labels(sink=APP).observe(written.rows)
    metrics.SINK_COMMIT_SECONDS.labels(sink=APP).observe(written.seconds)
    outcomes = Counter((record.source.name, outcome_of(record)) for record in written.batch.records)
    outcomes.subtract((letter.topic, "applied") for letter in written.unwritable)
    outcomes.update((letter.topic, "dead") for letter in (*written.unwritable, *written.batch.unreadable))
    for (topic, outcome), count in outcomes.items():
        metrics.EVENTS_PROCESSED.labels(app=APP, topic=topic, outcome=outcome).inc(count)
    happened_at = next(filter(None, map(happened, reversed(written.batch.records))), None)
    if happened_at is not None:
        metrics.EVENT_AGE_SECONDS.labels(app=APP).observe(max(0, now - happened_at) / 1e6)
    if written.refused:
        log.info("rows_not_newer", rows=written.refused)
