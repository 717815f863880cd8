"""The thread in which aiokafka runs: Faust's own assignor, committed records only, and where each fetch ended."""

import asyncio
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from functools import cached_property
from typing import Any

from aiokafka import errors
from faust.transport.drivers import aiokafka as driver
from faust.types import TP

from vaart.errors import ConfigFault


class ConsumerThread(driver.AIOKafkaConsumerThread):
    """Faust's consumer thread, with its own assignor whatever the app's tables are, reading what is committed."""

    positions: Mapping[TP, int] = {}
    """Where the last fetch left the consumer, per partition that was asked for; markers are behind it, too."""
    since: Mapping[TP, int] = {}
    """Where the last fetch began, per partition; without those that nobody has sought since they were assigned."""
    heard_at = 0.0
    """When the brokers last told about themselves and the topics, on the monotonic clock."""
    is_replaced = False
    """Another process has taken our name in the group; this member has given up."""

    is_joining = False
    """From before a join until the assignment: what is committed then may be refused, as of an older generation."""

    async def check(self) -> None:
        """Raises what has ended our membership. Faust never asks, so that it would wait for ever."""
        await self.call_thread(self._check)

    async def on_thread_stop(self) -> None:
        """After this the consumer is closed; while its broker is away, its cancelled fetches would end the thread."""
        with suppress(asyncio.CancelledError):
            await super().on_thread_stop()

    @cached_property
    def _at(self) -> dict[TP, int]:
        """Where each partition stands that somebody sought: there, or behind what was fetched since."""
        return {}

    def _create_worker_consumer(self, transport: Any) -> Any:
        consumer = super()._create_worker_consumer(transport)
        self._assignor = self.app.assignor
        consumer._partition_assignment_strategy = [self._assignor]
        consumer._isolation_level = "read_committed"
        self._note_metadata()
        consumer._client.cluster.add_listener(self._note_metadata)
        return consumer

    async def _commit(self, offsets: Mapping[TP, int]) -> bool:
        """Nothing while the member joins. aiokafka gives a member up whose commit was refused; it would join again at
        once, have the others' commits refused in their turn, and so on for ever.
        """
        return False if self.is_joining else bool(await super()._commit(offsets))

    async def _fetch_records(self, consumer: Any, active_partitions: Any, *args: Any, **limits: Any) -> Any:
        """Raises ConfigFault where a partition does not hold any more what its lane needs next."""
        self.positions, self.since = {}, {}  # those of an older fetch would pass for this one's
        try:
            records = await super()._fetch_records(consumer, active_partitions, *args, **limits)
        except errors.NoOffsetForPartitionError:  # of a new group, until somebody seeks
            return {}
        except errors.OffsetOutOfRangeError as gone:
            raise ConfigFault(_words(self.app.conf.id, gone.args[0])) from gone
        # A copy: the other thread pauses and resumes partitions meanwhile.
        self.positions = _positions(consumer, tuple(active_partitions))
        self.since = {tp: self._at[tp] for tp in self.positions if tp in self._at}
        self._at.update({tp: self.positions[tp] for tp in self.since})
        return records

    async def _seek_wait(self, consumer: Any, partitions: Mapping[TP, int]) -> None:
        self._at.update(partitions)
        await super()._seek_wait(consumer, partitions)

    def forget_positions(self) -> None:
        """After this a fetch does not say where it began until somebody has sought."""
        self._at.clear()

    def _note_metadata(self, *_: Any) -> None:
        self.heard_at = time.monotonic()

    async def _check(self) -> None:
        if not self.is_replaced:
            self._ensure_consumer()._coordinator.check_errors()


def _words(group: str, missing: Mapping[Any, int]) -> str:
    places = ", ".join(f"offset {offset} of {tp.topic}[{tp.partition}]" for tp, offset in missing.items())
    return (
        f"{group} goes on at {places}, which Kafka does not hold any more: records are missing. "
        "Rebuild the view as a new version"
    )


def _positions(consumer: Any, partitions: Iterable[TP]) -> dict[TP, int]:
    subscription = consumer._subscription.subscription
    assignment = None if subscription is None else subscription.assignment
    if assignment is None:
        return {}
    states = {tp: assignment.state_value(tp) for tp in partitions if tp in assignment.tps}
    return {tp: state.position for tp, state in states.items() if state.has_valid_position}
