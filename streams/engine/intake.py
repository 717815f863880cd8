"""What was fetched for one lane and waits for it: a queue a source, each bounded by pausing its partition."""

import asyncio
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Protocol

import structlog

from streams.engine import muting
from streams.engine.lag import Standing
from streams.engine.letters import Arrived
from streams.engine.muting import Place
from streams.engine.queues import Queue

BATCH_RECORDS_MAX = 20_000
MERGE_WAIT_S = 0.5
MERGE_POLL_S = 0.02

log = structlog.get_logger()


class Flow(Protocol):
    """What the lanes ask of the consumer. Topic names carry the deployment's prefix."""

    def pause(self, topic: str, partition: int) -> None:
        """Fetch nothing more of this partition."""

    def resume(self, topic: str, partition: int) -> None:
        """Fetch this partition again."""

    def rewind(self) -> None:
        """Fetch everything from the lanes' next offsets on; what was fetched until now never arrives."""

    def end(self, topic: str, partition: int) -> int | None:
        """The end of this partition as the broker told last; None while it has not."""


class Intake:
    """The queues of lane `number`. Sources are named without the prefix."""

    def __init__(self, number: int, sources: Iterable[str], prefix: str, flow: Flow) -> None:
        self._number = number
        self._prefix = prefix
        self._flow = flow
        self.queues = {source: Queue() for source in sources}
        self.paused: set[str] = set()
        self.reached: dict[str, int] = {}
        """Per source, the position up to which everything was delivered, markers included."""
        self.arrived = asyncio.Event()

    def __len__(self) -> int:
        return sum(map(len, self.queues.values()))

    def add(self, source: str, records: Sequence[Arrived], reached: int) -> None:
        """After this `records` wait; a queue that is full pauses its partition."""
        queue = self.queues[source]
        self.reached[source] = reached
        if records:
            queue.add(records)
            self.arrived.set()
        if queue.is_full:
            self.pause(source)

    def joins(self, source: str, since: int, next_offset: int) -> bool:
        """Whether what was fetched from `since` on leaves no gap behind what was delivered, or behind the lane."""
        reached = self.reached.get(source)
        return 0 <= since <= next_offset if reached is None else since == reached

    def pause(self, source: str) -> None:
        """After this nothing more of the source is fetched."""
        if source not in self.paused:
            self.paused.add(source)
            self._flow.pause(self._prefix + source, self._number)

    def resume(self, source: str) -> None:
        """After this the source is fetched again."""
        if source in self.paused:
            self.paused.discard(source)
            self._flow.resume(self._prefix + source, self._number)

    def clear(self) -> None:
        """After this nothing waits. Whoever seeks next resumes every partition."""
        for queue in self.queues.values():
            queue.clear()
        self.paused.clear()
        self.reached.clear()

    async def wait(self, most_s: float) -> None:
        """Returns when something arrives, or after so long."""
        self.arrived.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(
                most_s
            ):  # wait_for of Python 3.11 may swallow that its task is cancelled
                await self.arrived.wait()

    def is_drained(self, source: str) -> bool:
        """Whether everything that the broker holds of the source was taken."""
        if self.queues[source] or source not in self.reached:
            return False
        end = self._flow.end(self._prefix + source, self._number)
        return end is not None and self.reached[source] >= end

    def markers(self, next_offsets: Mapping[str, int]) -> dict[str, tuple[int, int]]:
        """Per source that only markers lie ahead of, where it stands and where they end."""
        return {
            source: (here, self.reached[source])
            for source, here in next_offsets.items()
            if self.is_drained(source) and self.reached[source] > here
        }

    async def horizon(self, next_offsets: Mapping[str, int], place: Place | None) -> int | None:
        """The time up to which every source is known: what is newer waits, for an older record may still come.

        None where nothing need wait. A source that is not drained and yet sends nothing is waited for MERGE_WAIT_S.
        """
        queues = muting.open_queues(self.queues, next_offsets, place)
        if len(queues) <= 1 or not any(queues.values()):
            return None
        deadline = time.monotonic() + MERGE_WAIT_S
        while silent := [
            source for source, queue in queues.items() if not queue and not self.is_drained(source)
        ]:
            if time.monotonic() > deadline:
                log.warning("source_is_behind", lane=self._number, sources=silent)
                return None
            await self.wait(MERGE_POLL_S)
        return min((queue.newest for queue in queues.values() if queue), default=None)

    def take(self, horizon: int | None, place: Place | None) -> dict[str, Sequence[Arrived]]:
        """The next records by source, none newer than `horizon` or beyond `place`. What is low is fetched again."""
        batches: dict[str, Sequence[Arrived]] = {}
        room = BATCH_RECORDS_MAX
        limits = {} if place is None else place.offsets
        for source, queue in self.queues.items():
            taken = queue.take(room, horizon, limits.get(source))
            room -= len(taken)
            if taken:
                batches[source] = taken
            if queue.is_low:
                self.resume(source)
        return batches

    def standing(self, source: str, next_offset: int, *, is_folding: bool) -> Standing:
        """How far the source's partition has come."""
        queue = self.queues[source]
        is_busy = is_folding or len(queue) > 0
        level = next_offset if is_busy else max(next_offset, self.reached.get(source, 0))
        return Standing(source, self._number, next_offset, level, len(queue), queue.oldest_s)
