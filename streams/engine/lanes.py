"""The lanes that a worker owns: opened after a rebalance, fed by the transport, each folded serially in a thread.

A lane's queue is bounded by pausing its partitions, so that a slow lane does not hold the others.
"""

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import structlog

from schemas.registry import RegistryAway
from streams.engine import muting, stops
from streams.engine.intake import BATCH_RECORDS_MAX, Flow, Intake
from streams.engine.lag import Standing
from streams.engine.lane import Lane
from streams.engine.letters import Arrived
from streams.engine.log import LaneLost
from streams.engine.position import Stopped
from streams.engine.stores import Store
from streams.engine.surroundings import Surroundings
from vaart import metrics
from vaart.errors import ConfigFault, DependencyAway
from vaart.failpoint import failpoint

WAKE_EVERY_S = 0.25
OPEN_ATTEMPTS_MAX = 3
REGISTRY_RETRY_S = 1.0
REOPEN_AFTER_S = 1.0
"""Whoever took the lane from us, to own it or to write its position, has this long before we take it back."""
SOLE_EVERY_S = 3.0
"""How often an idle lane looks whether another has written to its changelog."""
TRY_AGAIN_EVERY_S = 2.0
"""How often a lane looks whether dead letters were replayed to it, and one that stopped whether it may go on."""
QUIET_S = 1.0
"""A lane without news for this long looks whether only transaction markers are ahead of it."""

log = structlog.get_logger()


class _Rewound(Exception):
    """The lane stands further back than before: what was taken from its queues is fetched again."""


class _Running:
    """An open lane, what waits for it, and its task."""

    def __init__(self, lane: Lane, intake: Intake) -> None:
        self.lane = lane
        self.intake = intake
        self.next_offsets = lane.next_offsets
        self.committed_at = time.monotonic()
        self.wake_at = 0.0
        self.sole_at = 0.0
        self.try_again_at = 0.0
        self.is_still = False
        self.is_folding = False
        self.task: asyncio.Task[None] | None = None


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

    @property
    def stopped(self) -> dict[int, Stopped]:
        """The lanes that stand still because of their dead letters."""
        found = {number: running.lane.stopped for number, running in self._running.items()}
        return {number: stopped for number, stopped in found.items() if stopped is not None}

    @property
    def entries(self) -> int:
        """How many records of state this worker keeps, about."""
        return self._store.count()

    def standings(self) -> list[Standing]:
        """Where every source partition of the open lanes stands."""
        return [
            running.intake.standing(source, next_offset, is_folding=running.is_folding)
            for running in self._running.values()
            for source, next_offset in running.next_offsets.items()
        ]

    def is_resting(self, topic: str, partition: int) -> bool:
        """Whether this partition is not fetched because it waits for its lane."""
        running = self._running.get(partition)
        return running is not None and topic.removeprefix(self._around.prefix) in running.intake.paused

    def next_offset(self, topic: str, partition: int) -> int | None:
        """The offset that the lane of this source partition goes on from; None where the lane is not open."""
        running = self._running.get(partition)
        return None if running is None else running.next_offsets.get(topic.removeprefix(self._around.prefix))

    def suspend(self) -> None:
        """After this nothing waits in a queue; what is being folded is finished. Called when partitions are revoked."""
        self.is_ready = False
        for running in self._running.values():
            running.intake.clear()
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
        opening = (self._open(number, is_current) for number in fresh)
        # All of them: the next assignment must not open a lane while this one still does.
        opened = await asyncio.gather(*opening, return_exceptions=True)
        for lane in opened:
            if isinstance(lane, BaseException):
                raise lane
            intake = Intake(lane.number, self._sources, self._around.prefix, self._flow)
            running = _Running(lane, intake)
            self._running[lane.number] = running
            running.task = asyncio.create_task(self._run(running))
        self.is_ready = True
        seconds = time.monotonic() - started_at
        metrics.REBALANCES.labels(self._around.view.group).inc()
        metrics.TABLE_RECOVERY_SECONDS.labels(self._around.view.group).set(seconds)
        log.info("lanes_ready", lanes=self.numbers, restore_s=round(seconds, 2))
        if not self._running:
            log.warning(
                "worker_idles", reason="there are more workers than lanes", lanes=self._around.partitions
            )

    def deliver(self, topic: str, partition: int, records: Sequence[Arrived], reached: int) -> None:
        """After this `records` wait for their lane; a queue that is full pauses its partition.

        `reached` is the position up to which everything has been delivered; what lies behind the records are markers.
        """
        running = self._running.get(partition)
        if running is None:
            return
        source = topic.removeprefix(self._around.prefix)
        if running.lane.stopped is None:
            running.intake.add(source, records, reached)
        else:  # this is fetched again when the lane goes on
            running.intake.pause(source)

    async def close(self) -> None:
        """After this every lane has finished its batch and the store is closed."""
        for number in list(self._running):
            await self._drop(number)
        self._pool.shutdown(wait=True)
        self._store.close()

    def _whole_lanes(self, assigned: Iterable[tuple[str, int]]) -> list[int]:
        held: dict[int, set[str]] = {}
        for topic, partition in assigned:
            if partition >= self._around.partitions:
                raise ConfigFault(
                    f"topic {topic} has got more partitions, {self._around.partitions} are configured: its keys are "
                    "elsewhere now, and a view's topics keep one count for life. Rebuild the view as a new version"
                )
            held.setdefault(partition, set()).add(topic.removeprefix(self._around.prefix))
        whole = [number for number, topics in held.items() if topics >= set(self._sources)]
        for number in held.keys() - set(whole):
            log.error("lane_lacks_sources", lane=number, sources=sorted(set(self._sources) - held[number]))
        return sorted(whole)

    async def _open(self, number: int, is_current: Callable[[], bool]) -> Lane:
        lane = Lane(number, self._around, self._store.lane(number))
        restored = await asyncio.get_running_loop().run_in_executor(self._pool, lane.open, is_current)
        if lane.stopped is None:
            stops.show(self._around.view, number, None)
        log.info("lane_restored", lane=number, records=restored, is_muted=lane.place is not None)
        return lane

    async def _drop(self, number: int) -> None:
        running = self._running.pop(number)
        running.intake.clear()
        stops.forget(self._around.view, number)
        if running.task is not None:
            running.task.cancel()
            await asyncio.gather(running.task, return_exceptions=True)

    async def _run(self, running: _Running) -> None:
        try:
            while True:
                with suppress(_Rewound):
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
        if running.lane.stopped is not None:
            await self._stand_still(running, running.lane.stopped)
            return
        started_at = time.monotonic()
        if started_at >= running.wake_at:
            has_more = await self._keep_up(running)
            running.wake_at = 0.0 if has_more else started_at + WAKE_EVERY_S
        place = running.lane.place
        batches = running.intake.take(await running.intake.horizon(running.next_offsets, place), place)
        if not batches:
            await running.intake.wait(max(0.0, running.wake_at - time.monotonic()))
            return
        count = await self._fold(running, batches)
        if running.lane.number in self.stopped:
            return
        self._measure(running, batches, count, time.monotonic() - started_at)
        rest_s = self._around.view.commit_interval_ms / 1_000 - (time.monotonic() - started_at)
        if rest_s > 0 and len(running.intake) < BATCH_RECORDS_MAX:
            await asyncio.sleep(rest_s)

    async def _fold(self, running: _Running, batches: Mapping[str, Sequence[Arrived]]) -> int:
        running.is_folding = True
        try:
            count: int = await self._in_thread(running, lambda lane: lane.fold(batches))
        finally:
            running.is_folding = False
        running.committed_at = time.monotonic()
        return count

    def _measure(
        self, running: _Running, batches: Mapping[str, Sequence[Arrived]], count: int, seconds: float
    ) -> None:
        group, newest = self._around.view.group, running.lane.newest
        metrics.BATCH_SECONDS.labels(group).observe(seconds)
        metrics.BATCH_RECORDS.labels(group).observe(count)
        for source, records in batches.items():
            metrics.EVENTS_PROCESSED.labels(group, source, "committed").inc(len(records))
            if source in newest and not self._around.is_replay:
                age_us = self._around.clock() - newest[source]
                metrics.EVENT_AGE_SECONDS.labels(group).observe(max(0, age_us) / 1e6)

    async def _stand_still(self, running: _Running, stopped: Stopped) -> None:
        """A stopped lane has nothing waiting and fetches nothing, until its position says that it may go on."""
        if not running.is_still:
            running.is_still = True
            stops.show(self._around.view, running.lane.number, stopped)
            running.intake.clear()
            for source in self._sources:
                running.intake.pause(source)
        await asyncio.sleep(TRY_AGAIN_EVERY_S)
        await self._look(running, Lane.require_sole)

    async def _keep_up(self, running: _Running) -> bool:
        """A page of what no record brings: alarms, forgotten keys, replayed letters. True when there may be more."""
        if not self.is_ready:
            return False
        metrics.PROGRESS_TIMESTAMP.labels(self._around.view.group).set_to_current_time()
        has_more: bool = await self._in_thread(running, Lane.tidy)
        if time.monotonic() >= running.try_again_at:
            has_letters = bool(await self._look(running, Lane.try_again))
            running.try_again_at = 0.0 if has_letters else time.monotonic() + TRY_AGAIN_EVERY_S
            has_more |= has_letters
        if running.lane.place is not None:
            await self._follow(running)
        elif not self._around.is_replay:
            now = self._now(running)
            has_more |= await self._in_thread(running, lambda lane: lane.wake(now))
        if not has_more and time.monotonic() - running.committed_at > QUIET_S:
            await self._look_around(running)
        return has_more

    async def _follow(self, running: _Running) -> None:
        """Afterwards a muted lane knows how far it may fold, and whether it is to speak."""
        place, intake = running.lane.place, running.intake
        if place is not None:
            steps = dict(muting.steps(intake.queues, running.next_offsets, intake.reached, place))
            if steps:
                await self._in_thread(running, lambda lane: lane.pass_markers(steps))
        await self._look(running, Lane.follow)
        if running.lane.place is None:
            log.info("lane_speaks", lane=running.lane.number)

    async def _look_around(self, running: _Running) -> None:
        """A lane without news goes past markers, and finds out whether its position was changed from outside."""
        if running.lane.place is None:
            await self._pass_markers(running)
        if time.monotonic() > running.sole_at:
            await self._look(running, Lane.require_sole)
            running.sole_at = time.monotonic() + SOLE_EVERY_S

    async def _pass_markers(self, running: _Running) -> None:
        """Afterwards a drained source has no lag, and is not taken for truncated when its markers are deleted."""
        steps = running.intake.markers(running.next_offsets)
        if steps:
            await self._in_thread(running, lambda lane: lane.pass_markers(steps))

    def _now(self, running: _Running) -> int:
        """The wall clock once every source is drained, else the newest time up to which all of them were folded."""
        now = self._around.clock()
        return min(
            now if running.intake.is_drained(source) else running.lane.newest.get(source, 0)
            for source in self._sources
        )

    async def _look(self, running: _Running, work: Callable[[Lane], Any]) -> Any:
        """What `work` finds; None while the broker is away: it is asked another time, and nothing else waits for it."""
        try:
            return await self._in_thread(running, work)
        except DependencyAway:
            log.debug("broker_away", lane=running.lane.number)
            return None

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
                await asyncio.sleep(REOPEN_AFTER_S)
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
                break
        before, running.next_offsets = running.next_offsets, running.lane.next_offsets
        goes_on, running.is_still = running.is_still and running.lane.stopped is None, False
        if goes_on or any(offset < before.get(source, 0) for source, offset in running.next_offsets.items()):
            self._rewind()
            raise _Rewound

    def _rewind(self) -> None:
        """After this everything is fetched again from where each lane stands."""
        for running in self._running.values():
            for source in self._sources:
                running.intake.resume(source)
            running.intake.clear()
        self._flow.rewind()

    async def _finished(self, lane: Lane, work: Callable[[Lane], Any]) -> Any:
        """Even when this task is cancelled, what the thread does is brought to its end."""
        job = asyncio.get_running_loop().run_in_executor(self._pool, work, lane)
        try:
            return await asyncio.shield(job)
        except asyncio.CancelledError:
            await asyncio.gather(job, return_exceptions=True)
            raise
