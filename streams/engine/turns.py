"""An open lane and its task: turn after turn it wakes silent keys, folds what waits, and looks around when idle.

The folding happens in a thread of the worker's pool, everything else on the event loop.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import Executor
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import structlog

from schemas.registry import RegistryAway
from streams.engine import muting, stops
from streams.engine.intake import BATCH_RECORDS_MAX, Intake
from streams.engine.lag import Standing
from streams.engine.lane import Lane
from streams.engine.letters import Arrived
from streams.engine.log import LaneLost
from streams.engine.position import Stopped
from streams.engine.surroundings import Surroundings
from vaart import metrics
from vaart.errors import DependencyAway

WAKE_EVERY_S = 0.25
REST_S_MAX = 0.1
"""From the begin of one turn to the next, where no view asks for more."""
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


class Rewound(Exception):
    """The lane stands further back than before: what was taken from its queues is fetched again."""


@dataclass(frozen=True, slots=True)
class Tenancy:
    """What the lanes of one worker ask of it.

    `reopened` opens a lane anew, for the newest assignment that left it to us. `rewind` lets everything be fetched
    again. `is_ready` is false while lanes are assigned. `holds` is false for a lane that is being dropped.
    """

    pool: Executor
    reopened: Callable[[int], Awaitable[Lane]]
    rewind: Callable[[], None]
    is_ready: Callable[[], bool]
    holds: Callable[[int], bool]


class Turns:
    """The turns of one open lane. `run` goes on until it is cancelled or the lane is lost."""

    def __init__(self, lane: Lane, intake: Intake, around: Surroundings, tenancy: Tenancy) -> None:
        self.lane = lane
        self.intake = intake
        self.next_offsets = lane.next_offsets
        self.task: asyncio.Task[None] | None = None
        self._around = around
        self._tenancy = tenancy
        self._sources = [topic.name for topic in around.view.sources]
        self._committed_at = time.monotonic()
        self._wake_at = 0.0
        self._sole_at = 0.0
        self._try_again_at = 0.0
        self._is_still = False
        self._is_folding = False

    def standings(self) -> list[Standing]:
        """Where every source partition of the lane stands."""
        return [
            self.intake.standing(source, next_offset, is_folding=self._is_folding)
            for source, next_offset in self.next_offsets.items()
        ]

    async def run(self) -> None:
        """Raises LaneLost, or what the worker cannot go on with."""
        while True:
            with suppress(Rewound):
                await self._turn()

    async def _turn(self) -> None:
        """Wakes silent keys when it is time, folds what is queued, then rests."""
        stopped = self.lane.stopped
        if stopped is not None:
            await self._stand_still(stopped)
            return
        started_at = time.monotonic()
        if started_at >= self._wake_at:
            has_more = await self._keep_up()
            self._wake_at = 0.0 if has_more else started_at + WAKE_EVERY_S
        place = self.lane.place
        batches = self.intake.take(await self.intake.horizon(self.next_offsets, place), place)
        if not batches:
            await self.intake.wait(max(0.0, self._wake_at - time.monotonic()))
            return
        count = await self._fold(batches)
        if self.lane.stopped is not None:
            return
        self._measure(batches, count, time.monotonic() - started_at)
        rest_s = self._rest_s(time.monotonic() - started_at)
        if rest_s > 0 and len(self.intake) < BATCH_RECORDS_MAX:
            await asyncio.sleep(rest_s)

    def _rest_s(self, took_s: float) -> float:
        """As long as the turn took, up to REST_S_MAX: load makes fewer transactions, not ever more of them."""
        interval_s = self._around.view.commit_interval_ms / 1_000
        return max(interval_s - took_s, min(took_s, REST_S_MAX - took_s))

    async def _fold(self, batches: Mapping[str, Sequence[Arrived]]) -> int:
        self._is_folding = True
        try:
            count: int = await self._in_thread(lambda lane: lane.fold(batches))
        finally:
            self._is_folding = False
        self._committed_at = time.monotonic()
        return count

    def _measure(self, batches: Mapping[str, Sequence[Arrived]], count: int, seconds: float) -> None:
        group, newest = self._around.view.group, self.lane.newest
        metrics.BATCH_SECONDS.labels(group).observe(seconds)
        metrics.BATCH_RECORDS.labels(group).observe(count)
        for source, records in batches.items():
            metrics.EVENTS_PROCESSED.labels(group, source, "committed").inc(len(records))
            if source in newest and not self._around.is_replay:
                age_us = self._around.clock() - newest[source]
                metrics.EVENT_AGE_SECONDS.labels(group).observe(max(0, age_us) / 1e6)

    async def _stand_still(self, stopped: Stopped) -> None:
        """A stopped lane has nothing waiting and fetches nothing, until its position says that it may go on."""
        if not self._is_still:
            self._is_still = True
            stops.show(self._around.view, self.lane.number, stopped)
            self.intake.clear()
            for source in self._sources:
                self.intake.pause(source)
        await asyncio.sleep(TRY_AGAIN_EVERY_S)
        await self._look(Lane.require_sole)

    async def _keep_up(self) -> bool:
        """A page of what no record brings: alarms, forgotten keys, replayed letters. True when there may be more."""
        if not self._tenancy.is_ready():
            return False
        metrics.PROGRESS_TIMESTAMP.labels(self._around.view.group).set_to_current_time()
        has_more: bool = await self._in_thread(Lane.tidy)
        if time.monotonic() >= self._try_again_at:
            has_letters = bool(await self._look(Lane.try_again))
            self._try_again_at = 0.0 if has_letters else time.monotonic() + TRY_AGAIN_EVERY_S
            has_more |= has_letters
        if self.lane.place is not None:
            await self._follow()
        elif not self._around.is_replay:
            now = self._now()
            has_more |= await self._in_thread(lambda lane: lane.wake(now))
        if not has_more and time.monotonic() - self._committed_at > QUIET_S:
            await self._look_around()
        return has_more

    async def _follow(self) -> None:
        """Afterwards a muted lane knows how far it may fold, and whether it is to speak."""
        place, intake = self.lane.place, self.intake
        if place is not None:
            steps = dict(muting.steps(intake.queues, self.next_offsets, intake.reached, place))
            if steps:
                await self._in_thread(lambda lane: lane.pass_markers(steps))
        await self._look(Lane.follow)
        if self.lane.place is None:
            log.info("lane_speaks", lane=self.lane.number)

    async def _look_around(self) -> None:
        """A lane without news goes past markers, and finds out whether its position was changed from outside."""
        if self.lane.place is None:
            await self._pass_markers()
        if time.monotonic() > self._sole_at:
            await self._look(Lane.require_sole)
            self._sole_at = time.monotonic() + SOLE_EVERY_S

    async def _pass_markers(self) -> None:
        """Afterwards a drained source has no lag, and is not taken for truncated when its markers are deleted."""
        steps = self.intake.markers(self.next_offsets)
        if steps:
            await self._in_thread(lambda lane: lane.pass_markers(steps))

    def _now(self) -> int:
        """The wall clock once every source is drained, else the newest time up to which all of them were folded."""
        now = self._around.clock()
        return min(
            now if self.intake.is_drained(source) else self.lane.newest.get(source, 0)
            for source in self._sources
        )

    async def _look(self, work: Callable[[Lane], Any]) -> Any:
        """What `work` finds; None while the broker is away: it is asked another time, and nothing else waits for it."""
        try:
            return await self._in_thread(work)
        except DependencyAway:
            log.debug("broker_away", lane=self.lane.number)
            return None

    async def _in_thread(self, work: Callable[[Lane], Any]) -> Any:
        """The result of `work` in the lane's thread. Waits for a registry that is away; opens a lost lane again."""
        lost = 0
        while True:
            try:
                result = await self._finished(work)
            except RegistryAway:
                log.warning("registry_away", lane=self.lane.number)
                await asyncio.sleep(REGISTRY_RETRY_S)
            except LaneLost as error:
                lost += 1
                log.warning("lane_lost", lane=self.lane.number, reason=str(error), times=lost)
                if lost == OPEN_ATTEMPTS_MAX or not self._tenancy.holds(self.lane.number):
                    raise
                await asyncio.sleep(REOPEN_AFTER_S)
                await self._reopen()
            else:
                self.next_offsets = self.lane.next_offsets
                return result

    async def _reopen(self) -> None:
        self.lane = await self._tenancy.reopened(self.lane.number)
        before, self.next_offsets = self.next_offsets, self.lane.next_offsets
        goes_on, self._is_still = self._is_still and self.lane.stopped is None, False
        if goes_on or any(offset < before.get(source, 0) for source, offset in self.next_offsets.items()):
            self._tenancy.rewind()
            raise Rewound

    async def _finished(self, work: Callable[[Lane], Any]) -> Any:
        """Even when this task is cancelled, what the thread does is brought to its end."""
        job = asyncio.get_running_loop().run_in_executor(self._tenancy.pool, work, self.lane)
        try:
            return await asyncio.shield(job)
        except asyncio.CancelledError:
            await asyncio.gather(job, return_exceptions=True)
            raise
