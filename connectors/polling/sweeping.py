"""A source's sweeps: page after page, each sent with the cursor behind it, until nothing newer is told."""

import asyncio
import hashlib
import random
from collections.abc import Awaitable, Callable, Sequence

import structlog

from connectors.gateway.encoding import Encoding, Misfit
from connectors.gateway.spool import Kept
from connectors.plans.checking import Plan, checked
from connectors.plans.counting import count
from connectors.polling.asking import Asking, Away, Declined
from connectors.polling.ledger import Ledger, Replaced
from connectors.polling.waiting import back_off_s
from connectors.protocol.channel import Reject, Source
from connectors.protocol.documents import NotReadable, Unfit
from connectors.protocol.poller import Page, Poller
from schemas import ids
from schemas.events.dead_letters import DeadLettered
from schemas.events.ingest import CursorMoved
from schemas.meta import Event, Instant, Meta
from schemas.registry import RegistryAway, SchemaUnknown
from schemas.topics import DEAD_LETTERS
from vaart import __version__, metrics
from vaart.clock import Clock
from vaart.errors import DependencyAway
from vaart.failpoint import failpoint

SEEN_MAX = 5_000
"""Ids of events that are known to be sent. What is older comes again with the same id, and is passed over later on."""
PAGES_MAX = 10_000
SECOND_US = 1_000_000
SERVICE = "pollers"

log = structlog.get_logger()


class Sweeps:
    """Those of one source. `fault` says why it is not being asked at present; None while all is well."""

    def __init__(
        self,
        poller: Poller,
        source: Source,
        asking: Asking,
        ledger: Ledger,
        encoding: Encoding,
        clock: Clock,
        plan: Plan | None = None,
    ) -> None:
        self._poller = poller
        self._source = source
        self._asking = asking
        self._ledger = ledger
        self._encoding = encoding
        self._clock = clock
        self._plan = plan
        self._stand: CursorMoved | None = None
        self.fault: str | None = None

    async def run(
        self,
        every_s: float,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
        chance: Callable[[], float] = random.random,
    ) -> None:
        """Sweeps for ever; returns once another poller has taken the source. Back-offs grow with each failure.

        Where the source is away the ledger stays as it is: opening it anew would shut out whoever took over meanwhile.
        """
        failures = 0
        while True:
            try:
                await self.sweep(self._stand or await self.opened(), sleep)
                self._heard(self._clock())
                self.fault, failures, wait_s = None, 0, every_s
            except Replaced as error:
                self.fault = str(error)
                log.warning("poller_replaced", source=self._source.name)
                return
            except (Away, Declined, DependencyAway, RegistryAway, SchemaUnknown) as error:
                self.fault, failures = f"{self._source.name}: {error}", failures + 1
                self._stand = None if isinstance(error, DependencyAway) else self._stand
                wait_s = _wait_s(error, failures, chance)
                log.warning(
                    "poll_failed", source=self._source.name, error=str(error), wait_s=round(wait_s, 1)
                )
            await sleep(wait_s)

    async def opened(self) -> CursorMoved:
        """Where the source stands; no older poller of it can write any more."""
        last = await asyncio.to_thread(self._ledger.open)
        start = self._clock() - self._poller.start_s * SECOND_US
        if last is not None:
            self._heard(last.meta.received_at)
        self._stand = last or self._cursor(start, start, "", [])
        return self._stand

    async def sweep(
        self, cursor: CursorMoved, sleep: Callable[[float], Awaitable[object]] = asyncio.sleep
    ) -> CursorMoved:
        """Asks until there is no next page; after each page it and its cursor are on Kafka.

        A source that says that nothing remains of its limit is left alone until it begins anew.
        """
        for _ in range(PAGES_MAX):
            self._stand = cursor = await self._turned(cursor)
            failpoint("poller_between_pages")
            if not cursor.page:
                return cursor
            if self._asking.rest_s:
                await sleep(self._asking.rest_s)
        raise Declined(f"it has more than {PAGES_MAX} pages")

    async def _turned(self, cursor: CursorMoved) -> CursorMoved:
        page = await self._page(cursor)
        events, rejects, seen = _fresh(page, cursor.seen)
        newest = max(cursor.newest, page.newest)
        since = cursor.since if page.next_page else newest - self._poller.overlap_s * SECOND_US
        moved = self._cursor(max(since, cursor.since), newest, page.next_page, seen)
        events, flags = checked(self._plan, events)
        records = await self._records(events, rejects)
        [kept] = await self._encoding.records([moved])
        if isinstance(kept, Misfit):
            raise Declined(f"its cursor is no record: {kept.detail}")
        await asyncio.to_thread(self._ledger.commit, records, kept)
        count(flags, self._poller.name, self._source.name)
        return moved

    def _heard(self, at: Instant) -> None:
        metrics.SOURCE_HEARD.labels(self._poller.name, self._source.name).set(at / SECOND_US)

    async def _page(self, cursor: CursorMoved) -> Page:
        """A page that is gone begins the sweep again: nothing is sent twice, since it was seen."""
        try:
            return await self._asked(cursor.since, cursor.page)
        except Declined:
            if not cursor.page:
                raise
            return await self._asked(cursor.since, "")

    async def _asked(self, since: Instant, page: str) -> Page:
        answer = await self._asking.get(self._poller.ask(since, page, self._source), page, since)
        try:
            found = self._poller.read(answer, self._source)
        except (NotReadable, Unfit) as error:
            raise Declined(f"its answer cannot be read: {error}") from None
        if page and found.next_page == page:
            raise Declined("its next page is the one that was asked for")
        return found

    async def _records(self, events: Sequence[Event], rejects: list[Reject]) -> list[Kept]:
        records, misfits = await self._encoding.fitted(events)
        letters = [
            await self._encoding.entry(DEAD_LETTERS, self._source.name, self._letter(each))
            for each in (*rejects, *misfits)
        ]
        return records + letters

    def _letter(self, reject: Reject) -> DeadLettered:
        return DeadLettered(
            service=SERVICE,
            stage=self._poller.name,
            reason=reject.reason,
            detail=reject.detail,
            source_topic=f"{SERVICE}.{self._source.name}",
            partition=0,
            offset=0,
            key=self._source.name.encode(),
            value=reject.item,
            first_seen_at=self._clock(),
            service_version=__version__,
        )

    def _cursor(self, since: Instant, newest: Instant, page: str, seen: list[str]) -> CursorMoved:
        now, name = self._clock(), self._poller.name
        meta = Meta(
            event_id=ids.event_id(self._source.name, CursorMoved.__name__, f"{name}:{newest}:{page}"),
            occurred_at=now,
            received_at=now,
            channel="poller",
            source=self._source.name,
        )
        return CursorMoved(meta=meta, poller=name, since=since, newest=newest, page=page, seen=seen)


def key_of(source: str, poller: str) -> str:
    """The record key of its cursors, as schemas.keys has it."""
    return f"{source}:{poller}"


def _fresh(page: Page, known: Sequence[str]) -> tuple[list[Event], list[Reject], list[str]]:
    """What of the page was not sent yet, and what has been sent once it is."""
    seen = dict.fromkeys(known)
    events, rejects = [], []
    for event in page.events:
        if event.meta.event_id not in seen:
            seen[event.meta.event_id] = None
            events.append(event)
    for reject in page.rejects:
        digest = hashlib.sha256(reject.item).hexdigest()[:32]
        if digest not in seen:
            seen[digest] = None
            rejects.append(reject)
    return events, rejects, list(seen)[-SEEN_MAX:]


def _wait_s(error: Exception, failures: int, chance: Callable[[], float]) -> float:
    told = error.wait_s if isinstance(error, Away) else None
    return back_off_s(failures, chance) if told is None else told + chance()
