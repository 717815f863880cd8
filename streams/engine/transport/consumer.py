"""The consumer: hands over batches, seeks to the lanes' next offsets, commits what the lanes have committed."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Any

from faust.transport.drivers import aiokafka as driver
from faust.types import TP

from streams.engine.transport.listener import RebalanceListener
from streams.engine.transport.messages import BatchMessage, batch
from streams.engine.transport.thread import ConsumerThread

BATCH_RECORDS_MAX = 2_000
UNKNOWN = -1


class Consumer(driver.Consumer):
    """Delivers BatchMessages; one whose epoch is not `fetch_epoch` any more is void.

    The app has `lanes` with `next_offset(topic, partition)`.
    """

    RebalanceListener = RebalanceListener
    _thread: ConsumerThread

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fetch_epoch = 0
        self._is_astray = False
        self._told: dict[TP, int] = {}
        self._shown: dict[TP, int] = {}

    def _new_consumer_thread(self) -> ConsumerThread:
        return ConsumerThread(self, loop=self.loop, beacon=self.beacon)

    @property
    def silent_s(self) -> float:
        """For how long the brokers have not told about themselves and the topics, in seconds."""
        return time.monotonic() - self._thread.heard_at

    async def check(self) -> None:
        """Raises what has ended our membership of the group, if something has."""
        await self._thread.check()

    def stop_flow(self) -> None:
        """After this what was fetched before is void; whoever resumes the flow seeks first."""
        self._void()
        super().stop_flow()

    def rewind(self) -> None:
        """After this what was fetched before is void, and fetching goes on from the lanes' next offsets."""
        self._void()
        self._is_astray = True

    async def seek_to_committed(self) -> Mapping[TP, int]:
        """After this every assigned partition stands at its lane's next offset."""
        self._void()
        self._is_astray = False
        lanes: Any = self.app.lanes  # type: ignore[attr-defined]
        offsets = {tp: lanes.next_offset(tp.topic, tp.partition) for tp in self.assignment()}
        known = {tp: offset for tp, offset in offsets.items() if offset is not None}
        await self.seek_wait(known)
        return known

    async def getmany(self, timeout: float) -> AsyncIterator[tuple[TP, BatchMessage]]:  # noqa: ASYNC109
        """What one fetch brought, in batches; a position that moved without a record is a batch without records."""
        if not self.flow_active:
            await self.wait(self.can_resume_flow)  # type: ignore[arg-type]
        while self._is_astray and self.flow_active:
            await self.perform_seek()
        epoch = self.fetch_epoch
        records, _ = await self._wait_next_records(timeout)
        if records is None or self.should_stop or not self.flow_active:
            return  # whoever resumes the flow seeks first
        if epoch != self.fetch_epoch:
            # Fetched before a seek or after it? Dropping what came after would skip it for good, so: seek again.
            await self.perform_seek()
            return
        for message in self._batches(records, epoch):
            if epoch != self.fetch_epoch or not self.flow_active:
                return
            self._told[message.tp] = message.reached
            yield message.tp, message

    def _void(self) -> None:
        self.fetch_epoch += 1
        self._told.clear()
        self._shown.clear()

    def _batches(self, records: Mapping[Any, Any], epoch: int) -> Iterator[BatchMessage]:
        generation = self.app.consumer_generation_id
        found = {TP(*partition): taken for partition, taken in records.items()}
        positions, begun = self._thread.positions, self._thread.since
        for tp, taken in found.items():
            since = begun.get(tp, UNKNOWN)
            starts = range(0, len(taken), BATCH_RECORDS_MAX)
            for start in starts:
                part = taken[start : start + BATCH_RECORDS_MAX]
                behind = part[-1].offset + 1
                reached = max(positions.get(tp, behind), behind) if start == starts[-1] else behind
                yield batch(tp, part, since, reached, epoch, generation)
                since = reached
        for tp, reached in positions.items():
            if tp not in found and reached != self._told.get(tp):
                yield batch(tp, [], begun.get(tp, UNKNOWN), reached, epoch, generation)

    async def _drain_messages(self, fetcher: Any) -> None:
        """The fetcher's loop. The race with `suspend_flow` lets a rebalance interrupt a blocked delivery."""
        try:
            while not (self._stopped.is_set() or fetcher._stopped.is_set()):
                await self.sleep(0)
                async for _, message in self.getmany(timeout=1.0):
                    await self.wait_first(self.callback(message), self.suspend_flow.wait())
                    await asyncio.sleep(0)
        except self.consumer_stopped_errors:
            if not self.app.should_stop:
                raise
        except asyncio.CancelledError:
            if not self.app.should_stop:
                raise

    def _filter_tps_with_pending_acks(self, topics: Any = None) -> Iterator[TP]:
        return iter(self.assignment())

    def verify_event_path(self, now: float, tp: TP) -> None:
        """Faust's livelock detector counts single records; readiness comes from the lanes instead."""

    def _new_offset(self, tp: TP) -> int | None:
        offset: int | None = self.app.lanes.next_offset(tp.topic, tp.partition)  # type: ignore[attr-defined]
        return offset

    def _should_commit(self, tp: TP, offset: int) -> bool:
        """Once after each seek, too: the group may show what an owner left that was killed."""
        return self._shown.get(tp) != offset

    async def _commit(self, offsets: Mapping[TP, int]) -> bool:
        is_committed: bool = await super()._commit(offsets)
        if is_committed:
            self._shown.update(offsets)
        return is_committed
