"""A worker: one view's Faust app with its lanes. The composition root of `vaart worker VIEW`.

Faust gives membership, assignment, fetching and the choreography of a rebalance. What a worker cannot go on with ends
the process: whoever supervises it starts it again, and it goes on from what was committed.
"""

import asyncio
import os
import signal
import socket
import threading
from collections.abc import Callable, Iterable
from functools import cache, partial
from typing import Any, Protocol, cast

import faust
import structlog
from faust.types import TP

from schemas.events.clock import ClockAdvanced
from schemas.events.dead_letters import DeadLettered
from schemas.registry import RegistryAway, SchemaUnknown
from schemas.topics import DEAD_LETTERS, Topic
from streams.engine.kafka_log import KafkaLog
from streams.engine.lanes import Lanes
from streams.engine.log import LaneLost
from streams.engine.replay import writers_of
from streams.engine.stores import MemoryStore, RocksStore, Store
from streams.engine.surroundings import Surroundings
from streams.engine.transport.consumer import Consumer
from streams.engine.transport.messages import BatchMessage, BatchSchema
from streams.view import View
from vaart import clock, kafka
from vaart.addresses import Addresses
from vaart.errors import ConfigFault, DependencyAway
from vaart.health import Health, HealthServer
from vaart.settings import Settings

SESSION_TIMEOUT_S = 10.0
HEARTBEAT_S = 2.0
POLL_RECORDS_MAX = 8_000
FETCH_BYTES_MAX = 4 << 20
COMMIT_INTERVAL_S = 1.0
AGENT_QUEUE_BATCHES = 8
BEAT_S = 1.0
STOP_S_MAX = 25.0

log = structlog.get_logger()


class Coding(Protocol):
    """Bytes to records and back, resolved once per topic and type (schemas.codec.Codec)."""

    def decoder(self, topic: Topic) -> Callable[[bytes], Any]:
        """Reads what stands on `topic`."""

    def encoder(self, topic: Topic, struct: type) -> Callable[[Any], bytes]:
        """Writes records of `struct` for `topic`."""


class LaneApp(faust.App):
    """A Faust app whose consumer asks `lanes` where to go on."""

    lanes: Lanes


class Worker:
    """Runs `view` until it is told to stop or cannot go on.

    `views` are all views of the deployment: they tell who else writes to this view's sources. `instance` names a
    member that comes back after a restart without a rebalance (one of each name at a time).
    """

    def __init__(
        self,
        view: View,
        views: Iterable[View],
        settings: Settings,
        addresses: Addresses,
        codec: Coding,
        instance: str = "",
    ) -> None:
        self._view = view
        self._settings = settings
        self._stopping = threading.Event()
        self._stopped = asyncio.Event()
        self.failure: BaseException | None = None
        self.app = _app(view, settings, addresses, instance)
        around = _surroundings(view, views, settings, addresses, codec)
        self._around = around
        self.lanes = Lanes(around, _store(view, settings, instance), self, self._fail)
        self.app.lanes = self.lanes
        self._connect()

    async def run(self) -> None:
        """Returns after SIGTERM or SIGINT, drained; raises what ended the worker otherwise.

        Raises ConfigFault at once where a topic is missing or the registry lacks our schemas, DependencyAway where the
        registry does not answer.
        """
        self._require_topics()
        self._require_schemas()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stopped.set)
        health = Health()
        health.check("lanes", lambda: None if self.lanes.is_ready else "lanes are being assigned or restored")
        server = HealthServer(self._settings, health)
        beating = asyncio.create_task(_beat(health))
        await self.app.start()
        waiting = [
            asyncio.create_task(self._stopped.wait()),
            asyncio.create_task(self.app.wait_until_stopped()),
        ]
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        self._stopping.set()
        patience = threading.Timer(STOP_S_MAX, _give_up)
        patience.daemon = True
        patience.start()
        await self.lanes.close()
        await self.app.stop()
        beating.cancel()
        server.close()
        patience.cancel()
        failure = self.failure or self.app.crash_reason
        if failure is not None:
            raise failure

    def pause(self, topic: str, partition: int) -> None:
        """See streams.engine.lanes.Flow."""
        self.app.consumer.pause_partitions({TP(topic, partition)})

    def resume(self, topic: str, partition: int) -> None:
        """See streams.engine.lanes.Flow."""
        if self.lanes.is_ready:
            self.app.consumer.resume_partitions({TP(topic, partition)})

    async def is_drained(self, topic: str, partition: int) -> bool:
        """See streams.engine.lanes.Flow."""
        consumer, tp = self._consumer, TP(topic, partition)
        if tp not in consumer.reached:
            return False
        end = consumer.highwater(tp)
        return end is not None and consumer.reached[tp] >= end

    def _require_topics(self) -> None:
        """Kafka would let us join a group over topics that are not there, and wait for ever."""
        view = self._view
        names = [topic.name for topic in (*view.sources, *view.outputs, DEAD_LETTERS)]
        self._around.log.topic_ids([*names, view.changelog])

    def _require_schemas(self) -> None:
        """What every lane needs to write, whatever its view; other schemas are asked for when they are first used."""
        try:
            for topic in self._view.outputs:
                self._around.encoders(topic, ClockAdvanced)
            self._around.encoders(DEAD_LETTERS, DeadLettered)
        except RegistryAway as error:
            raise DependencyAway(
                f"{error}.\nStart it (`vaart up` starts a local one), or set VAART_REGISTRY__URL to where it runs."
            ) from None

    @property
    def _consumer(self) -> Consumer:
        return cast(Consumer, self.app.consumer)

    def _fail(self, error: BaseException) -> None:
        """Ends the worker with `error`, the first one if there are several."""
        if self.failure is None:
            self.failure = error
            log.error("worker_failed", error=type(error).__name__)
        self._stopped.set()

    def _connect(self) -> None:
        topic = self.app.topic(
            *(self._settings.kafka.topic_prefix + source.name for source in self._view.sources),
            schema=BatchSchema(),
        )
        topic.maxsize = AGENT_QUEUE_BATCHES
        self.app.agent(topic, name=self._view.name)(self._receive)
        self.app.on_partitions_revoked.connect(self._on_revoked)
        self.app.on_rebalance_complete.connect(self._on_rebalance_complete)

    async def _receive(self, stream: Any) -> None:
        async for event in stream.noack().events():
            message: BatchMessage = event.value
            if message.epoch == self._consumer.fetch_epoch:
                if message.records:
                    self.lanes.deliver(message.topic, message.partition, message.records)
                self._consumer.reached[message.tp] = message.reached

    async def _on_revoked(self, *_: Any, **__: Any) -> None:
        self.lanes.suspend()

    async def _on_rebalance_complete(self, *_: Any, **__: Any) -> None:
        """Faust awaits this before it seeks and resumes. A failure ends the worker: Faust would stay paused."""
        generation = self.app.consumer_generation_id

        def is_current() -> bool:
            return bool(self.app.consumer_generation_id == generation) and not self._stopping.is_set()

        try:
            await self.lanes.assign(self.app.consumer.assignment(), is_current)
        except LaneLost as lost:
            if is_current():
                self._fail(lost)
        except Exception as error:
            self._fail(error)


def _give_up() -> None:
    """What is not committed by now is read again by the next owner; a worker that hangs would keep its lanes."""
    log.error("stop_took_too_long", seconds=STOP_S_MAX)
    os._exit(1)


async def _beat(health: Health) -> None:
    while True:
        health.beat()
        await asyncio.sleep(BEAT_S)


def _app(view: View, settings: Settings, addresses: Addresses, instance: str) -> LaneApp:
    name = instance or f"{socket.gethostname()}-{os.getpid()}"
    folder = settings.state_dir / "faust" / view.name
    folder.mkdir(parents=True, exist_ok=True)
    return LaneApp(
        settings.kafka.topic_prefix + view.group,
        broker=[f"batch://{server}" for server in addresses.kafka.split(",")],
        store="memory://",
        datadir=str(folder),
        processing_guarantee="at_least_once",
        topic_partitions=settings.kafka.partitions,
        topic_allow_declare=False,
        topic_disable_leader=True,
        table_standby_replicas=0,
        stream_wait_empty=False,
        producer_threaded=False,
        web_enabled=False,
        consumer_auto_offset_reset="earliest",
        consumer_group_instance_id=instance or None,
        consumer_max_fetch_size=FETCH_BYTES_MAX,
        broker_max_poll_records=POLL_RECORDS_MAX,
        broker_session_timeout=SESSION_TIMEOUT_S,
        broker_heartbeat_interval=HEARTBEAT_S,
        broker_commit_interval=COMMIT_INTERVAL_S,
        canonical_url=f"http://{name}",
        worker_redirect_stdouts=False,
    )


def _surroundings(
    view: View,
    views: Iterable[View],
    settings: Settings,
    addresses: Addresses,
    codec: Coding,
) -> Surroundings:
    prefix, partitions = settings.kafka.topic_prefix, settings.kafka.partitions
    return Surroundings(
        view=view,
        log=KafkaLog(
            prefix,
            partitions,
            kafka.producer_config(settings, addresses),
            kafka.consumer_config(settings, addresses, view.group + ".restore"),
            kafka.admin_config(settings, addresses),
        ),
        prefix=prefix,
        partitions=partitions,
        decoders={source.name: codec.decoder(source) for source in view.sources},
        encoders=cache(partial(_encoder, codec)),
        writers=writers_of(view.sources, views, partitions),
        clock=clock.wall,
        is_replay=settings.clock == "replay",
    )


def _encoder(codec: Coding, topic: Topic, struct: type) -> Callable[[Any], bytes]:
    try:
        return codec.encoder(topic, struct)
    except SchemaUnknown as error:
        raise ConfigFault(str(error)) from error


def _store(view: View, settings: Settings, instance: str) -> Store:
    if settings.store == "memory":
        return MemoryStore()
    return RocksStore(settings.state_dir / "state" / f"{view.group}-{instance or 0}")
