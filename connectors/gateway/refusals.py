"""Refused requests, told beside the taken ones on `ingest.raw.v1`: a team can see that its signature is wrong.

Anybody can send a request that is refused. So nothing of it is kept but that it came: of a source that there is, how
many, since when, and why. One record a source and reason at most each TOLD_EVERY_S, whatever comes; the senders' answer
does not wait for it. Names that no source has are counted, and told nowhere.
"""

import asyncio
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice

import structlog

from connectors.gateway.delivery import Delivery, SpoolFull
from connectors.gateway.encoding import Encoding
from connectors.gateway.spool import Kept
from connectors.sources import Installed
from schemas.events.ingest import RequestsRefused
from schemas.meta import Instant, Meta
from schemas.registry import RegistryAway, SchemaUnknown
from vaart import metrics
from vaart.clock import Clock

TOLD_EVERY_S = 60
LOOKED_EVERY_S = 1.0
AT_ONCE_MAX = 100
"""Records that are written at a time; what is left waits for the next."""
REASONS_MAX = 10
OTHER = "for several reasons"
SECOND_US = 1_000_000

log = structlog.get_logger()

Place = tuple[str, str, str]
"""Channel, source, reason."""


@dataclass(slots=True)
class _Count:
    """Since it was told last. `told_at` is when that was; 0 for never."""

    count: int = 0
    first_at: Instant = 0
    last_at: Instant = 0
    request_id: str = ""
    told_at: Instant = 0


@dataclass(slots=True)
class Refusals:
    """Those of one gateway. It has at most REASONS_MAX counts for each source."""

    _counts: dict[Place, _Count] = field(default_factory=dict)
    _reasons: dict[tuple[str, str], set[str]] = field(default_factory=dict)

    def note(self, channel: str, found: Installed | None, why: str, request_id: str, at: Instant) -> None:
        """One more; `found` is the source that it named, if there is one."""
        name = found.source.name if found else ""
        metrics.REFUSALS.labels(channel, name).inc()
        if not name:
            return
        count = self._counts.setdefault((channel, name, self._reason(channel, name, why)), _Count())
        count.first_at = count.first_at if count.count else at
        count.count += 1
        count.last_at, count.request_id = at, request_id

    def due(self, now: Instant) -> Iterator[RequestsRefused]:
        """What is to be told now; it counts as told."""
        for (channel, source, why), count in self._counts.items():
            if count.count and now - count.told_at >= TOLD_EVERY_S * SECOND_US:
                yield _record(channel, source, why, count, now)
                count.count, count.told_at = 0, now

    def _reason(self, channel: str, source: str, why: str) -> str:
        known = self._reasons.setdefault((channel, source), set())
        if why not in known and len(known) >= REASONS_MAX - 1:
            return OTHER
        known.add(why)
        return why


async def tell(refusals: Refusals, encoding: Encoding, delivery: Delivery, now: Instant) -> None:
    """After this what is due is on Kafka or on the disk; what cannot be is logged, by its count."""
    due = list(islice(refusals.due(now), 0 if delivery.sheds else AT_ONCE_MAX))
    if not due:
        return
    try:
        records = await encoding.records(due)
        await delivery.keep([each for each in records if isinstance(each, Kept)])
    except (RegistryAway, SchemaUnknown, SpoolFull) as error:
        log.warning("refusals_not_told", requests=sum(each.count for each in due), error=type(error).__name__)


async def keep_telling(refusals: Refusals, encoding: Encoding, delivery: Delivery, clock: Clock) -> None:
    """Tells what is due, for ever."""
    while True:
        await asyncio.sleep(LOOKED_EVERY_S)
        await tell(refusals, encoding, delivery, clock())


def _record(channel: str, source: str, why: str, count: _Count, now: Instant) -> RequestsRefused:
    meta = Meta(
        event_id=str(uuid.uuid4()),
        occurred_at=min(count.last_at, now),
        received_at=now,
        channel=channel,
        source=source,
        source_event_id=count.request_id,
    )
    return RequestsRefused(
        meta=meta, request_id=count.request_id, why=why, count=count.count, first_at=count.first_at
    )
