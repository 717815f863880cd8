"""A source's topics, taken in exactly once: a batch's events and how far it reaches are one transaction."""

import asyncio

from connectors.gateway.encoding import Encoding, Misfit
from connectors.polling.ledger import Ledger
from connectors.queues import stands
from connectors.queues.arrival import Arrived
from connectors.queues.taking import Taken, Taking
from connectors.queues.topic_reader import Batch, TopicReader
from vaart import metrics
from vaart.clock import Clock
from vaart.errors import VaartError


class Topics:
    """Those of one source. Opening them shuts out every older process that reads them."""

    def __init__(
        self,
        name: str,
        reader: TopicReader,
        ledger: Ledger,
        taking: Taking,
        encoding: Encoding,
        clock: Clock,
    ) -> None:
        self.name = name
        self.fault: str | None = None
        self._reader = reader
        self._ledger = ledger
        self._taking = taking
        self._encoding = encoding
        self._clock = clock

    async def open(self) -> None:
        """See Turner."""
        cursor = await asyncio.to_thread(self._ledger.open)
        if cursor is not None:
            self._taking.heard(cursor.meta.received_at)
        await asyncio.to_thread(self._reader.open, stands.stands_of(cursor))

    async def turn(self) -> None:
        """See Turner."""
        batch = await asyncio.to_thread(self._reader.read)
        if batch.arrivals or batch.losses:
            await self._commit(batch, await self._taken(batch))
        missing = self._reader.missing
        self.fault = f"{self.name}: there is no topic {', '.join(missing)}" if missing else None
        for (topic, partition), lag in self._reader.lags():
            metrics.CONSUMER_LAG_RECORDS.labels(group_of(self.name), topic, str(partition)).set(lag)

    async def close(self) -> None:
        """See Turner."""
        await asyncio.to_thread(self._reader.close)
        await asyncio.to_thread(self._ledger.close)

    async def _taken(self, batch: Batch) -> Taken:
        taken = await self._taking.of_topic(batch.arrivals)
        for (topic, partition), offset, why in batch.losses:
            lost = Arrived(topic, None, self._clock(), partition=partition, offset=offset)
            taken.add(await self._taking.lost(lost, why))
        return taken

    async def _commit(self, batch: Batch, taken: Taken) -> None:
        now = self._clock()
        newest = max((each.received_at for each in batch.arrivals), default=now)
        moved = stands.cursor_of(self.name, self._reader.stands, newest, now)
        [cursor] = await self._encoding.records([moved])
        if isinstance(cursor, Misfit):
            raise VaartError(f"its cursor is no record: {cursor.detail}")
        await asyncio.to_thread(self._ledger.commit, taken.records, cursor)
        self._taking.tell(taken)


def group_of(source: str) -> str:
    """By this name metrics know who reads."""
    return f"vaart.queue.{source}"
