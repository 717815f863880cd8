"""The lanes that a worker owns: opened after a rebalance, fed by the transport, each folded serially in a thread.

A lane's queue is bounded by pausing its partitions, so that a slow lane does not hold the others.
"""

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any, Protocol

import structlog

from schemas.registry import RegistryAway
from streams.engine.lane import Lane
from streams.engine.letters import Arrived
from streams.engine.log import LaneLost
from streams.engine.queues import Queue
from streams.engine.stores import Store
from streams.engine.surroundings import Surroundings
from vaart import metrics
from vaart.failpoint import failpoint

BATCH_RECORDS_MAX = 20_000
WAKE_EVERY_S = 0.25
MERGE_WAIT_S = 0.5
MERGE_POLL_S = 0.02
OPEN_ATTEMPTS_MAX = 3
REGISTRY_RETRY_S = 1.0

log = structlog.get_logger()


class Flow(Protocol):
    """What the lanes ask of the consumer. Topic names carry the deployment's prefix."""

    def pause(self, topic: str, partition: int) -> None:
        """Fetch nothing more of this partition."""

    def resume(self, topic: str, partition: int) -> None:
        """Fetch this partition again."""

    async def is_drained(self, topic: str, partition: int) -> bool:
        """Whether everything that the broker holds of this partition has been fetched."""


class _Running:
    """An open lane with its queues and its task."""

    def __init__(self, lane: Lane, sources: Iterable[str]) -> None:
        self.lane = lane
        self.queues = {source: Queue() for source in sources}
        self.arrived = asyncio.Event()
        self.paused: set[str] = set()
        self.next_offsets = lane.next_offsets
        self.wake_at = 0.0
        self.task: asyncio.Task[None] | None = None

    def clear(self) -> None:
        for queue in self.queues.values():
            queue.clear()
        self.paused.clear()


class Lanes:
    """The lanes of one worker. Everything but the folding itself happens on the event loop."""

    def __init__(
        self, around: Surroundings, store: Store, flow: Flow, fail: Callable[[BaseException], None]
    ) -> None:
        self._around = around
        self._store = store
        self._flow = flow
        self._fail = fail
        self._sources = [topic.name for topic in around.view.sources]
        self._running: dict[int, _Running] = {}
        self._pool = ThreadPoolExecutor(max_workers=around.partitions, thread_name_prefix="lane")
        self._is_current: Callable[[], bool] = lambda: False
        self.is_ready = False

    @property
    def numbers(self) -> list[int]:
        """The lanes that are open."""
        return sorted(self._running)

    def next_offset(self, topic: str, partition: int) -> int | None:
        """The offset that the lane of this source partition goes on from; None where the lane is not open."""
        running = self._running.get(partition)
        return None if running is None else running.next_offsets.get(topic.removeprefix(self._around.prefix))

    def suspend(self) -> None:
        """After this nothing waits in a queue; what is being folded is finished. Called when partitions are revoked."""
        self.is_ready = False
        for running in self._running.values():
            running.clear()
        failpoint("during_revoke")

    async def assign(self, assigned: Iterable[tuple[str, int]], is_current: Callable[[], bool]) -> None:
        """After this exactly the lanes whose every source partition is in `assigned` are open.

        Raises LaneLost when a newer rebalance has overtaken this one, and what Lane.open raises.
        """
        self._is_current = is_current
        wanted = self._whole_lanes(assigned)
        for number in [number for number in self._running if number not in wanted]:
            await self._drop(number)
        started_at = time.monotonic()
        fresh = [number for number in wanted if number not in self._running]
        opened = await asyncio.gather(*(self._open(number, is_current) for number in fresh))
        for lane in opened:
            running = _Running(lane, self._sources)
            self._running[lane.number] = running
            running.task = asyncio.create_task(self._run(running))
        self.is_ready = True
        seconds = time.monotonic() - started_at
        metrics.REBALANCES.labels(self._around.view.group).inc()
        metrics.TABLE_RECOVERY_SECONDS.labels(self._around.view.group).set(seconds)
        log.info("lanes_ready", lanes=self.numbers, restore_s=round(seconds, 2))

    def deliver(self, topic: str, partition: int, records: Sequence[Arrived]) -> None:
        """After this `records` wait for their lane; a queue that is full pauses its partition."""
        running = self._running.get(partition)
        if running is None:
            return
        source = topic.removeprefix(self._around.prefix)
        queue = running.queues[source]
        queue.add(records)
        running.arrived.set()
        if queue.is_full and source not in running.paused:
            running.paused.add(source)
            self._flow.pause(topic, partition)

    async def close(self) -> None:
        """After this every lane has finished its batch and the store is closed."""
        for number in list(self._running):
            await self._drop(number)
        self._pool.shutdown(wait=True)
        self._store.close()

    def _whole_lanes(self, assigned: Iterable[tuple[str, int]]) -> list[int]:
        held: dict[int, set[str]] = {}
        for topic, partition in assigned:
            held.setdefault(partition, set()).add(topic.removeprefix(self._around.prefix))
        whole = [number for number, topics in held.items() if topics >= set(self._sources)]
        for number in held.keys() - set(whole):
            log.error("lane_lacks_sources", lane=number, sources=sorted(set(self._sources) - held[number]))
        return sorted(whole)

    async def _open(self, number: int, is_current: Callable[[], bool]) -> Lane:
        lane = Lane(number, self._around, self._store.lane(number))
        restored = await asyncio.get_running_loop().run_in_executor(self._pool, lane.open, is_current)
        log.info("lane_restored", lane=number, records=restored)
        return lane

    async def _drop(self, number: int) -> None:
        running = self._running.pop(number)
        running.clear()
        if running.task is not None:
            running.task.cancel()
            await asyncio.gather(running.task, return_exceptions=True)

    async def _run(self, running: _Running) -> None:
        try:
            while True:
                await self._turn(running)
        except LaneLost as lost:
            if self._is_current():
                self._fail(lost)
            else:  # the next assignment opens it anew, if it is ours then
                self._running.pop(running.lane.number, None)
        except Exception as error:
            self._fail(error)

    async def _turn(self, running: _Running) -> None:
        """Wakes silent keys when it is time, folds what is queued, then waits out the view's commit interval."""
        started_at = time.monotonic()
        if started_at >= running.wake_at:
            has_more = await self._keep_up(running)
            running.wake_at = 0.0 if has_more else started_at + WAKE_EVERY_S
        batches = self._take(running, await self._horizon(running))
        if not batches:
            await self._idle(running)
            return
        count = await self._in_thread(running, lambda lane: lane.fold(batches))
        self._measure(running, batches, count, time.monotonic() - started_at)
        rest_s = self._around.view.commit_interval_ms / 1_000 - (time.monotonic() - started_at)
        if rest_s > 0 and sum(map(len, running.queues.values())) < BATCH_RECORDS_MAX:
            await asyncio.sleep(rest_s)

    def _measure(
        self, running: _Running, batches: Mapping[str, Sequence[Arrived]], count: int, seconds: float
    ) -> None:
        group, number = self._around.view.group, str(running.lane.number)
        metrics.BATCH_SECONDS.labels(group).observe(seconds)
        metrics.BATCH_RECORDS.labels(group).observe(count)
        for source, records in batches.items():
            metrics.EVENTS_PROCESSED.labels(group, source, "committed").inc(len(records))
            metrics.COMMITTED_OFFSET.labels(group, source, number).set(running.next_offsets[source])
            metrics.QUEUE_DEPTH.labels(f"{group}:{source}:{number}").set(len(running.queues[source]))

    async def _idle(self, running: _Running) -> None:
        """Returns when something arrives, or when silent keys should be looked at."""
        running.arrived.clear()
        rest_s = max(0.0, running.wake_at - time.monotonic())
        with suppress(TimeoutError):
            await asyncio.wait_for(running.arrived.wait(), rest_s)

    async def _keep_up(self, running: _Running) -> bool:
        """A page of alarms of silent keys, and of records of forgotten keys. True when there may be more."""
        if not self.is_ready:
            return False
        metrics.PROGRESS_TIMESTAMP.labels(self._around.view.group).set_to_current_time()
        has_more: bool = await self._in_thread(running, Lane.tidy)
        if not self._around.is_replay:
            now = await self._now(running)
            has_more |= await self._in_thread(running, lambda lane: lane.wake(now))
        return has_more

    async def _now(self, running: _Running) -> int:
        """The wall clock once every source is drained, else the newest time up to which all of them were folded."""
        now = self._around.clock()
        moments = [
            now if await self._is_drained(running, source) else running.lane.newest.get(source, 0)
            for source in self._sources
        ]
        return min(moments)

    async def _is_drained(self, running: _Running, source: str) -> bool:
        """Whether everything that the broker holds of the source has been folded."""
        if running.queues[source]:
            return False
        return await self._flow.is_drained(self._around.prefix + source, running.lane.number)

    async def _horizon(self, running: _Running) -> int | None:
        """The time up to which every source is known: what is newer waits, for an older record may still come.

        None where nothing need wait. A source that is not drained and yet sends nothing is waited for MERGE_WAIT_S.
        """
        if len(running.queues) == 1 or not any(running.queues.values()):
            return None
        deadline = time.monotonic() + MERGE_WAIT_S
        while silent := [
            source
            for source, queue in running.queues.items()
            if not queue and not await self._is_drained(running, source)
        ]:
            if time.monotonic() > deadline:
                log.warning("source_is_behind", lane=running.lane.number, sources=silent)
                return None
            running.arrived.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(running.arrived.wait(), MERGE_POLL_S)
        return min((queue.newest for queue in running.queues.values() if queue), default=None)

    def _take(self, running: _Running, horizon: int | None) -> dict[str, Sequence[Arrived]]:
        batches: dict[str, Sequence[Arrived]] = {}
        room = BATCH_RECORDS_MAX
        for source, queue in running.queues.items():
            taken = queue.take(room, horizon)
            room -= len(taken)
            if taken:
                batches[source] = taken
            if source in running.paused and queue.is_low:
                running.paused.discard(source)
                self._flow.resume(self._around.prefix + source, running.lane.number)
        return batches

    async def _in_thread(self, running: _Running, work: Callable[[Lane], Any]) -> Any:
        """The result of `work` in the lane's thread. Waits for a registry that is away; opens a lost lane again."""
        lost = 0
        while True:
            try:
                result = await self._finished(running.lane, work)
            except RegistryAway:
                log.warning("registry_away", lane=running.lane.number)
                await asyncio.sleep(REGISTRY_RETRY_S)
            except LaneLost as error:
                lost += 1
                log.warning("lane_lost", lane=running.lane.number, reason=str(error), times=lost)
                if lost == OPEN_ATTEMPTS_MAX or running.lane.number not in self._running:
                    raise
                await self._reopen(running)
            else:
                running.next_offsets = running.lane.next_offsets
                return result

    async def _reopen(self, running: _Running) -> None:
        """A newer rebalance that left us the lane may overtake this: then it is opened for that one."""
        while True:
            is_current = self._is_current
            try:
                running.lane = await self._open(running.lane.number, is_current)
            except LaneLost:
                if is_current is self._is_current:
                    raise
            else:
                return

    async def _finished(self, lane: Lane, work: Callable[[Lane], Any]) -> Any:
        """Even when this task is cancelled, what the thread does is brought to its end."""
        job = asyncio.get_running_loop().run_in_executor(self._pool, work, lane)
        try:
            return await asyncio.shield(job)
        except asyncio.CancelledError:
            await asyncio.gather(job, return_exceptions=True)
            raise
