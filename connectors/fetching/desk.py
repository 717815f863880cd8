"""What requests only pointed at, asked for: each source by itself, so that one that is away holds no other back."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping

import structlog

from connectors.fetching.answering import Answering
from connectors.fetching.reading import Fetches, Place
from connectors.polling.asking import Away
from connectors.polling.waiting import back_off_s
from schemas.events.ingest import FetchRequested
from schemas.registry import RegistryAway, SchemaUnknown
from vaart import metrics
from vaart.clock import Clock
from vaart.errors import DependencyAway

GIVEN_UP_AFTER_S = 2 * 24 * 3600
"""A source that is away for longer is asked no more: a dead letter says so."""
NOT_ASKED, GIVEN_UP = "not_asked", "given_up"
SECOND_US = 1_000_000

log = structlog.get_logger()


class Desk:
    """Hands each fetch to its source's queue. `faults` says of each source why it is not answered at present."""

    def __init__(self, fetches: Fetches, answering: Mapping[str, Answering], clock: Clock) -> None:
        self._fetches = fetches
        self._answering = answering
        self._clock = clock
        self._queues: dict[str, asyncio.Queue[tuple[Place, FetchRequested]]] = {
            name: asyncio.Queue() for name in answering
        }
        self._places: dict[tuple[str, str, str], list[Place]] = {}
        self._unasked: set[tuple[str, str]] = set()
        self.faults: dict[str, str] = {}

    async def run(self) -> None:
        """Reads and answers until it is cancelled; what was begun and not ended is answered again by the next."""
        async with asyncio.TaskGroup() as group:
            for name in self._queues:
                group.create_task(self._serve(name))
            while True:
                for place, wanted in await asyncio.to_thread(self._fetches.take):
                    self._queue(place, wanted)
                await asyncio.to_thread(self._fetches.commit)

    def _queue(self, place: Place, wanted: FetchRequested) -> None:
        """What waits already is not asked for once more."""
        queue = self._queues.get(wanted.meta.source)
        if queue is None:
            self._pass_over(place, wanted)
            return
        places = self._places.setdefault(_key(wanted), [])
        places.append(place)
        if len(places) == 1:
            queue.put_nowait((place, wanted))

    def _pass_over(self, place: Place, wanted: FetchRequested) -> None:
        """Its source has no `poll` section, or is not there any more."""
        self._fetches.over(place)
        metrics.FETCHES.labels(NOT_ASKED).inc()
        if (wanted.meta.source, wanted.what) not in self._unasked:
            self._unasked.add((wanted.meta.source, wanted.what))
            log.warning("fetches_not_asked", source=wanted.meta.source, what=wanted.what)

    async def _serve(self, name: str, sleep: Callable[[float], Awaitable[object]] = asyncio.sleep) -> None:
        while True:
            _, wanted = await self._queues[name].get()
            # From here on it is asked for again by whoever points at it: it may change while it is asked for.
            places = self._places.pop(_key(wanted))
            word = await self._answered(name, wanted, sleep)
            metrics.FETCHES.labels(word).inc()
            for place in places:
                self._fetches.over(place)

    async def _answered(
        self, name: str, wanted: FetchRequested, sleep: Callable[[float], Awaitable[object]]
    ) -> str:
        failures = 0
        while True:
            try:
                word = await self._tried(name, wanted)
            except (Away, DependencyAway, RegistryAway, SchemaUnknown) as error:
                failures += 1
                told = error.wait_s if isinstance(error, Away) else None
                wait_s = back_off_s(failures, random.random) if told is None else told
                self.faults[name] = f"{name}: {error}"
                log.warning("fetch_failed", source=name, error=str(error), wait_s=round(wait_s, 1))
                await sleep(wait_s)
            else:
                self.faults.pop(name, None)
                return word

    async def _tried(self, name: str, wanted: FetchRequested) -> str:
        if self._clock() - wanted.meta.received_at > GIVEN_UP_AFTER_S * SECOND_US:
            await self._answering[name].give_up(wanted, "the source was away for two days")
            return GIVEN_UP
        return await self._answering[name].answer(wanted)


def _key(wanted: FetchRequested) -> tuple[str, str, str]:
    return wanted.meta.source, wanted.what, wanted.foreign_id
