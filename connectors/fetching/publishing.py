"""Records sent to Kafka by several at once, each of which hears of its own."""

import asyncio
from collections.abc import Sequence

from connectors.gateway.spool import Kept
from vaart.kafka import Publisher


class Sending:
    """Sends. One after another, since a failure is told to whoever waits: it must not be another's."""

    def __init__(self, publisher: Publisher) -> None:
        self._publisher = publisher
        self._turn = asyncio.Lock()

    async def send(self, records: Sequence[Kept]) -> None:
        """After this Kafka has them. Raises DependencyAway, ConfigFault or RecordTooLarge."""
        if records:
            async with self._turn:
                await asyncio.to_thread(self._sent, records)

    def _sent(self, records: Sequence[Kept]) -> None:
        for record in records:
            self._publisher.publish(record.topic, record.key, record.value)
        self._publisher.flush()
