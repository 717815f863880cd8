"""What goes to Kafka of a file: its events, a dead letter for each row that is none, and the cursor behind them."""

from connectors.drops.reading import Chunk, Unmade
from connectors.gateway.encoding import Encoding, Misfit
from connectors.gateway.spool import Kept
from connectors.plans.checking import Plan, checked
from connectors.polling.asking import Declined
from connectors.protocol.facts import ITEM_BYTES_MAX
from schemas import ids
from schemas.events.dead_letters import DeadLettered
from schemas.events.ingest import CursorMoved
from schemas.meta import Instant, Meta
from schemas.topics import DEAD_LETTERS
from vaart import __version__
from vaart.clock import Clock

SERVICE, STAGE = "drops", "read"
NAME = "drop"


class Records:
    """Those of one source. Raises RegistryAway or SchemaUnknown where a schema is not at hand."""

    def __init__(self, source: str, encoding: Encoding, clock: Clock, plan: Plan | None = None) -> None:
        self._source = source
        self._encoding = encoding
        self._clock = clock
        self._plan = plan

    async def of(self, chunk: Chunk, file: str) -> list[Kept]:
        """The chunk's. An event that cannot be a record joins what was not made."""
        chunk.events, chunk.flags = checked(self._plan, chunk.events)
        records, misfits = await self._encoding.fitted(chunk.events)
        chunk.unmade += [Unmade(0, each.reason, f"{file}: {each.detail}", each.item) for each in misfits]
        letters = [
            await self._encoding.entry(DEAD_LETTERS, self._source, self._letter(each, file))
            for each in chunk.unmade
        ]
        return records + letters

    async def of_cursor(self, cursor: CursorMoved) -> Kept:
        """The cursor's. Raises Declined where it cannot be one."""
        [kept] = await self._encoding.records([cursor])
        if isinstance(kept, Misfit):
            raise Declined(f"its cursor is no record: {kept.detail}")
        return kept

    def cursor(self, taken_at: Instant, page: str, seen: list[str]) -> CursorMoved:
        """Behind it stands all that `page` and `seen` say; `taken_at` is when the file of the page was first taken."""
        now = self._clock()
        meta = Meta(
            event_id=ids.event_id(
                self._source, CursorMoved.__name__, f"{NAME}:{taken_at}:{page}:{len(seen)}"
            ),
            occurred_at=now,
            received_at=now,
            channel=NAME,
            source=self._source,
        )
        return CursorMoved(meta=meta, poller=NAME, since=taken_at, newest=taken_at, page=page, seen=seen)

    def _letter(self, unmade: Unmade, file: str) -> DeadLettered:
        return DeadLettered(
            service=SERVICE,
            stage=STAGE,
            reason=unmade.reason,
            detail=unmade.detail,
            source_topic=f"{SERVICE}.{self._source}",
            partition=0,
            offset=unmade.place,
            key=file.encode(),
            value=unmade.item[:ITEM_BYTES_MAX],
            left_out_bytes=max(0, len(unmade.item) - ITEM_BYTES_MAX),
            first_seen_at=self._clock(),
            service_version=__version__,
        )
