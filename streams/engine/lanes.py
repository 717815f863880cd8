"""The lanes that a worker owns: opened after a rebalance, fed by the transport, each folded serially in a thread.

A lane's queue is bounded by pausing its partitions, so that a slow lane does not hold the others.
"""

import asyncio
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor

import structlog

from streams.engine import stops
from streams.engine.intake import Flow, Intake
from streams.engine.lag import Standing
from streams.engine.lane import Lane
from streams.engine.letters import Arrived
from streams.engine.log import LaneLost
from streams.engine.position import Stopped
from streams.engine.stores import Store
from streams.engine.surroundings import Surroundings
from streams.engine.turns import Tenancy, Turns
from vaart import metrics
from vaart.errors import ConfigFault, DependencyAway
from vaart.failpoint import failpoint

log = structlog.get_logger()


def given_up(view: str, lost: LaneLost) -> DependencyAway:
    """What a worker ends with that cannot keep a lane which the group says is its own."""
    return DependencyAway(
        f"a lane of {view} was lost again and again, last because of {lost}: are Kafka's brokers well, and does nobody "
        "else run this view in the same deployment?"
    )


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
        self._running: dict[int, Turns] = {}
        self._pool = ThreadPoolExecutor(max_workers=around.partitions, thread_name_prefix="lane")
        self._is_current: Callable[[], bool] = lambda: False
        self.is_ready = False
        self._tenancy = Tenancy(
            self._pool,
            self._reopened,
            self._rewind,
            lambda: self.is_ready,
            lambda number: number in self._running,
        )

    @property
    def numbers(self) -> list[int]:
        """The lanes that are open."""
        return sorted(self._running)

    @property
    def stopped(self) -> dict[int, Stopped]:
        """The lanes that stand still because of their dead letters."""
        found = {number: turns.lane.stopped for number, turns in self._running.items()}
        return {number: stopped for number, stopped in found.items() if stopped is not None}

    @property
    def entries(self) -> int:
        """How many records of state this worker keeps, about."""
        return self._store.count()

    def standings(self) -> list[Standing]:
        """Where every source partition of the open lanes stands."""
        return [standing for turns in self._running.values() for standing in turns.standings()]

    def is_resting(self, topic: str, partition: int) -> bool:
        """Whether this partition is not fetched because it waits for its lane."""
        turns = self._running.get(partition)
        return turns is not None and topic.removeprefix(self._around.prefix) in turns.intake.paused

    def next_offset(self, topic: str, partition: int) -> int | None:
        """The offset that the lane of this source partition goes on from; None where the lane is not open."""
        turns = self._running.get(partition)
        return None if turns is None else turns.next_offsets.get(topic.removeprefix(self._around.prefix))

    def suspend(self) -> None:
        """After this nothing waits in a queue; what is being folded is finished. Called when partitions are revoked."""
        self.is_ready = False
        for turns in self._running.values():
            turns.intake.clear()
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
            turns = self._running[lane.number] = Turns(lane, intake, self._around, self._tenancy)
            turns.task = asyncio.create_task(self._run(turns))
        self.is_ready = True
        seconds = time.monotonic() - started_at
        metrics.REBALANCES.labels(self._around.view.group).inc()
        metrics.TABLE_RECOVERY_SECONDS.labels(self._around.view.group).set(seconds)
        log.info("lanes_ready", lanes=self.numbers, restore_s=round(seconds, 2))
        if not self._running:
            log.warning(
                "worker_idles", reason="there are more workers than lanes", lanes=self._around.partitions
            )

    def deliver(
        self, topic: str, partition: int, records: Sequence[Arrived], since: int, reached: int
    ) -> None:
        """After this `records` wait for their lane; a queue that is full pauses its partition.

        They are all that lies between `since` and `reached`, but for markers. What does not join on to what was
        delivered before is fetched again, from where each lane stands: a gap would never be noticed later.
        """
        turns = self._running.get(partition)
        if turns is None:
            return
        source = topic.removeprefix(self._around.prefix)
        if turns.lane.stopped is not None:  # this is fetched again when the lane goes on
            turns.intake.pause(source)
        elif turns.intake.joins(source, since, turns.next_offsets[source]):
            turns.intake.add(source, records, reached)
        else:
            log.warning("fetch_does_not_join", lane=partition, topic=source, since=since, reached=reached)
            self._rewind()

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
        turns = self._running.pop(number)
        turns.intake.clear()
        stops.forget(self._around.view, number)
        if turns.task is not None:
            turns.task.cancel()
            await asyncio.gather(turns.task, return_exceptions=True)

    async def _run(self, turns: Turns) -> None:
        try:
            await turns.run()
        except LaneLost as lost:
            if self._is_current():
                self._fail(given_up(self._around.view.name, lost))
            else:  # the next assignment opens it anew, if it is ours then
                self._running.pop(turns.lane.number, None)
        except Exception as error:
            self._fail(error)

    async def _reopened(self, number: int) -> Lane:
        """A newer rebalance that left us the lane may overtake this: then it is opened for that one."""
        while True:
            is_current = self._is_current
            try:
                return await self._open(number, is_current)
            except LaneLost:
                if is_current is self._is_current:
                    raise

    def _rewind(self) -> None:
        """After this everything is fetched again from where each lane stands."""
        for turns in self._running.values():
            for source in self._sources:
                turns.intake.resume(source)
            turns.intake.clear()
        self._flow.rewind()
