"""One source's fetches: asked one after another, and what is answered sent to Kafka with the ids that it always has."""

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence

from connectors.gateway.encoding import Encoding
from connectors.gateway.spool import Kept
from connectors.plans.checking import Plan, checked
from connectors.plans.counting import count
from connectors.polling.asking import Asking, Declined
from connectors.protocol.channel import Reject, Source
from connectors.protocol.documents import NotReadable, Unfit, written
from connectors.protocol.fetcher import Fetcher
from connectors.protocol.poller import Page
from schemas.events.dead_letters import DeadLettered
from schemas.events.ingest import FetchRequested
from schemas.topics import DEAD_LETTERS, FETCHES
from vaart import __version__
from vaart.clock import Clock

PAGES_MAX = 20
SERVICE, DECLINED, UNKNOWN = "fetches", "declined", "unknown"
ANSWERED = "answered"
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._~:=-]{0,1023}")

Send = Callable[[Sequence[Kept]], Awaitable[None]]


class Answering:
    """Asks for what a source's requests pointed at. `send` returns once Kafka has the records."""

    def __init__(
        self,
        fetchers: Mapping[str, Fetcher],
        source: Source,
        asking: Asking,
        encoding: Encoding,
        send: Send,
        clock: Clock,
        plan: Plan | None = None,
    ) -> None:
        self._fetchers = fetchers
        self._source = source
        self._asking = asking
        self._encoding = encoding
        self._send = send
        self._clock = clock
        self._plan = plan

    async def answer(self, wanted: FetchRequested) -> str:
        """After this what the source says is on Kafka, or a dead letter says why not. Returns the outcome in a word.

        Raises Away, and what keeps Kafka or the registry from taking it: answer it again then.
        """
        fetcher = self._fetchers.get(wanted.what)
        if fetcher is None or not _ID.fullmatch(wanted.foreign_id):
            why = f"nothing is known of how to ask for {wanted.what}" if fetcher is None else "its id is none"
            return await self._gave_up(wanted, UNKNOWN, why)
        page = ""
        for _ in range(PAGES_MAX):
            try:
                found = await self._page(fetcher, wanted.foreign_id, page)
            except (Declined, NotReadable, Unfit) as error:
                return await self._gave_up(wanted, DECLINED, str(error))
            found.events, flags = checked(self._plan, found.events)
            await self._send(await self._records(found, wanted))
            count(flags, SERVICE, self._source.name)
            page = found.next_page
            if not page:
                return ANSWERED
        return await self._gave_up(wanted, DECLINED, f"it takes more than {PAGES_MAX} questions")

    async def give_up(self, wanted: FetchRequested, why: str) -> None:
        """After this a dead letter says that it was not answered."""
        await self._gave_up(wanted, DECLINED, why)

    async def _page(self, fetcher: Fetcher, named: str, page: str) -> Page:
        answer = await self._asking.get(fetcher.ask(named, page, self._source), page)
        return fetcher.read(answer, named, self._source)

    async def _records(self, found: Page, wanted: FetchRequested) -> list[Kept]:
        records, misfits = await self._encoding.fitted(found.events)
        return [*records, *[await self._letter(each, wanted) for each in (*found.rejects, *misfits)]]

    async def _gave_up(self, wanted: FetchRequested, reason: str, why: str) -> str:
        item = written({"what": wanted.what, "foreign_id": wanted.foreign_id})
        await self._send([await self._letter(Reject(reason, f"{wanted.what}: {why}", item), wanted)])
        return reason

    async def _letter(self, reject: Reject, wanted: FetchRequested) -> Kept:
        letter = DeadLettered(
            service=SERVICE,
            stage=wanted.what,
            reason=reject.reason,
            detail=f"{self._source.name}: {reject.detail}",
            source_topic=FETCHES.name,
            partition=-1,
            offset=-1,
            key=self._source.name.encode(),
            value=reject.item,
            first_seen_at=self._clock(),
            service_version=__version__,
        )
        return await self._encoding.entry(DEAD_LETTERS, self._source.name, letter)
