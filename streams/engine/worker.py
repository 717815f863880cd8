"""A worker: one view's Faust app with its lanes. The composition root of `vaart worker VIEW`.

Faust gives membership, assignment, fetching and the choreography of a rebalance. What a worker cannot go on with ends
the process: whoever supervises it starts it again, and it goes on from what was committed.
"""

import asyncio
import os
import signal
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, cast

import structlog
from aiokafka.errors import KafkaError
from faust.types import TP

from streams.engine import stops
from streams.engine.app import instance_of, lane_app
from streams.engine.assembly import Coding, require_schemas, require_topics, store_of, surroundings_of
from streams.engine.lanes import Lanes, given_up
from streams.engine.log import LaneLost
from streams.engine.seat import Seat
from streams.engine.transport.consumer import Consumer
from streams.engine.transport.messages import BatchMessage, BatchSchema
from streams.engine.watch import Watch
from streams.view import View
from vaart import kafka
from vaart.addresses import Addresses
from vaart.errors import DependencyAway, VaartError
from vaart.health import Health, HealthServer
from vaart.settings import Settings

AGENT_QUEUE_BATCHES = 8
STOP_S_MAX = 23.0
"""Less than the 25 s that a supervisor waits before it kills."""
LEAVE_S_MAX = 5.0
"""Once the lanes are closed nothing can be lost; a broker that is away never hears the goodbye."""
STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)

log = structlog.get_logger()


class Worker:
    """Runs `view` until it is told to stop or cannot go on.

    `views` are all views of the deployment: they tell who else writes to this view's sources. `instance` names a
    member that comes back after a restart without a rebalance (one of each name at a time); without one it is the
    settings' or the machine's. Where the view has no state yet it `follows` that older version of itself, muted, until
    `vaart views switch`.
    """

    def __init__(
        self,
        view: View,
        views: Iterable[View],
        settings: Settings,
        addresses: Addresses,
        codec: Coding,
        instance: str = "",
        follows: int = 0,
    ) -> None:
        self._view = view
        self._settings = settings
        self._stopping = threading.Event()
        self._stopped = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self.failure: BaseException | None = None
        name = instance_of(settings, instance)
        self._seat = Seat(
            kafka.admin_config(settings, addresses), kafka.topic_name(settings, view.group), name
        )
        self.app = lane_app(view, settings, addresses, name)
        self._around = surroundings_of(view, views, settings, addresses, codec, follows)
        self.lanes = Lanes(self._around, store_of(view, settings, name), self, self._fail)
        self.app.lanes = self.lanes
        self.app.is_replaced = self._is_replaced
        self._connect()
        log.info("worker_starts", view=view.name, group=view.group, instance=name)

    async def run(self) -> None:
        """Returns after SIGTERM or SIGINT, drained; a second one ends the process at once.

        Raises what ended the worker otherwise: ConfigFault at once where a topic is missing or the registry lacks our
        schemas, DependencyAway where the registry does not answer.
        """
        require_topics(self._around)
        require_schemas(self._around)
        for number in STOP_SIGNALS:
            self._loop.add_signal_handler(number, self._on_signal)
        health = self._health()
        watch = Watch(self.app, self._view, self._settings.kafka.topic_prefix, health, self._fail)
        server = HealthServer(self._settings, health)
        watching = asyncio.create_task(watch.run())
        await self.app.start()
        watch.is_started = True
        await self._ended(watching)
        watching.cancel()
        with self._patience(STOP_S_MAX - LEAVE_S_MAX, 1):
            await self._close_lanes()
        with self._patience(LEAVE_S_MAX, 0):
            await self.app.stop()
        server.close()
        failure = self.failure or self.app.crash_reason
        if isinstance(failure, KafkaError):
            raise DependencyAway(
                f"Kafka has ended our membership of {self._view.group}: {failure!r}"
            ) from failure
        if failure is not None:
            raise failure
        log.info("worker_stopped")

    def pause(self, topic: str, partition: int) -> None:
        """See streams.engine.intake.Flow."""
        self.app.consumer.pause_partitions({TP(topic, partition)})

    def resume(self, topic: str, partition: int) -> None:
        """See streams.engine.intake.Flow."""
        if self.lanes.is_ready:
            self.app.consumer.resume_partitions({TP(topic, partition)})

    def rewind(self) -> None:
        """See streams.engine.intake.Flow."""
        self._consumer.rewind()

    def end(self, topic: str, partition: int) -> int | None:
        """See streams.engine.intake.Flow."""
        end: int | None = self._consumer.highwater(TP(topic, partition))
        return end

    @property
    def _consumer(self) -> Consumer:
        return cast(Consumer, self.app.consumer)

    def _health(self) -> Health:
        health = Health()
        health.check("lanes", lambda: None if self.lanes.is_ready else "lanes are being assigned or restored")
        health.check("dead_letters", lambda: stops.fault(self._view, self.lanes.stopped))
        return health

    async def _close_lanes(self) -> None:
        """A full disk shows here at the latest; that is what the worker ends with, unless something was before."""
        try:
            await self.lanes.close()
        except Exception as error:
            self._fail(error)

    def _on_signal(self) -> None:
        log.info("worker_drains")
        for number in STOP_SIGNALS:
            self._loop.remove_signal_handler(number)
            # The system's own answer: it ends the process even while this loop is held up.
            signal.signal(number, signal.SIG_DFL)
        self._stopped.set()

    async def _ended(self, watching: asyncio.Task[None]) -> None:
        """Returns when there is nothing to go on for."""
        waiting = [
            asyncio.create_task(self._stopped.wait()),
            asyncio.create_task(self.app.wait_until_stopped()),
        ]
        await asyncio.wait([*waiting, watching], return_when=asyncio.FIRST_COMPLETED)
        self._stopping.set()
        for task in waiting:
            task.cancel()
        fault = watching.exception() if watching.done() else None
        if fault is not None:
            self._fail(fault)

    @contextmanager
    def _patience(self, seconds: float, code: int) -> Iterator[None]:
        """Ends the process with `code`, or with that of its failure, where this takes longer. From a thread: the main
        loop may hang, too.
        """
        failure = self.failure or self.app.crash_reason
        if failure is not None:
            code = failure.exit_code if isinstance(failure, VaartError) else 1
        timer = threading.Timer(seconds, _give_up, (seconds, code))
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def _fail(self, error: BaseException) -> None:
        """Ends the worker with `error`, the first one if there are several."""
        if self.failure is None:
            self.failure = error
            reason = {"reason": str(error)} if isinstance(error, VaartError) else {}
            log.error("worker_failed", error=type(error).__name__, **reason)
        self._stopped.set()

    async def _is_replaced(self, member_id: str) -> bool:
        """Whether another process sits in our seat; then this one ends. Runs in the consumer's thread."""
        taken = await asyncio.get_running_loop().run_in_executor(None, self._seat.taken, member_id)
        if taken is not None:
            self._loop.call_soon_threadsafe(self._fail, taken)
        return taken is not None

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
                place = (message.topic, message.partition)
                self.lanes.deliver(*place, message.records, message.since, message.reached)

    async def _on_revoked(self, *_: Any, **__: Any) -> None:
        self.lanes.suspend()

    async def _on_rebalance_complete(self, *_: Any, **__: Any) -> None:
        """Faust awaits this before it seeks and resumes. A failure ends the worker: Faust would stay paused."""
        generation = self.app.consumer_generation_id

        def is_current() -> bool:
            return bool(self.app.consumer_generation_id == generation) and not self._stopping.is_set()

        log.info("lanes_assigned", generation=generation)
        try:
            await self.lanes.assign(self.app.consumer.assignment(), is_current)
        except LaneLost as lost:
            if is_current():
                self._fail(given_up(self._view.name, lost))
        except Exception as error:
            self._fail(error)


def _give_up(seconds: float, code: int) -> None:
    """What is not committed by now is read again by the next owner; a worker that hangs would keep its lanes."""
    log.error("stop_took_too_long" if code else "goodbye_not_heard", seconds=seconds, exit_code=code)
    os._exit(code)
