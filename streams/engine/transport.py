"""Faust's aiokafka driver, handing an agent one event per partition batch (broker URL scheme `batch://`).

Differs from its parent in five places: records travel as batches; Faust's own assignor is forced, so that one worker
gets the same partition of all sources; reads are `read_committed`; seeking goes to the lanes' next offsets; and what
is committed to the group, for lag display only, is what the lanes have committed. It leans on private names of
Faust 0.15.3, which tests/streams/engine/test_transport_contract.py holds.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Any

import faust
from aiokafka.structs import ConsumerRecord
from faust.transport.drivers import aiokafka as driver
from faust.types import TP, ConsumerMessage

BATCH_RECORDS_MAX = 2_000


class BatchMessage(ConsumerMessage):
    """Some records of one partition as one message. `epoch` tells batches fetched before a seek from those after it."""

    __slots__ = ("epoch", "records")

    records: list[ConsumerRecord]
    epoch: int


class BatchSchema(faust.Schema):  # type: ignore[type-arg]
    """Decodes nothing: an agent's event has the BatchMessage as its value."""

    def compile(self, app: Any, **_: Any) -> Any:
        create_event = app.create_event

        async def decode(message: BatchMessage, *, propagate: bool = False) -> Any:
            return create_event(None, message, None, message)

        return decode


class ConsumerThread(driver.AIOKafkaConsumerThread):
    """The consumer's thread, with Faust's assignor whatever the app's tables are, and committed records only."""

    def _create_worker_consumer(self, transport: Any) -> Any:
        consumer = super()._create_worker_consumer(transport)
        self._assignor = self.app.assignor
        consumer._partition_assignment_strategy = [self._assignor]
        consumer._isolation_level = "read_committed"
        return consumer


class Consumer(driver.Consumer):
    """Delivers BatchMessages. The app has `lanes` with `next_offset(topic, partition)`."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fetch_epoch = 0

    def _new_consumer_thread(self) -> ConsumerThread:
        return ConsumerThread(self, loop=self.loop, beacon=self.beacon)

    def stop_flow(self) -> None:
        self.fetch_epoch += 1
        super().stop_flow()

    async def seek_to_committed(self) -> Mapping[TP, int]:
        """After this every assigned partition stands at its lane's next offset."""
        self.fetch_epoch += 1
        lanes: Any = self.app.lanes  # type: ignore[attr-defined]
        offsets = {tp: lanes.next_offset(tp.topic, tp.partition) for tp in self.assignment()}
        known = {tp: offset for tp, offset in offsets.items() if offset is not None}
        await self.seek_wait(known)
        return known

    async def getmany(self, timeout: float) -> AsyncIterator[tuple[TP, BatchMessage]]:  # noqa: ASYNC109
        if not self.flow_active:
            await self.wait(self.can_resume_flow)  # type: ignore[arg-type]
        epoch = self.fetch_epoch
        records, _ = await self._wait_next_records(timeout)
        if records is None or self.should_stop or not self.flow_active:
            return  # whoever resumes the flow seeks first
        if epoch != self.fetch_epoch:
            # Fetched before a seek or after it? Dropping what came after would skip it for good, so: seek again.
            await self.perform_seek()
            return
        for partition, found in records.items():
            tp = TP(partition.topic, partition.partition)
            for start in range(0, len(found), BATCH_RECORDS_MAX):
                if epoch != self.fetch_epoch or not self.flow_active:
                    return
                yield tp, self._batch(tp, found[start : start + BATCH_RECORDS_MAX], epoch)

    def _batch(self, tp: TP, records: list[ConsumerRecord], epoch: int) -> BatchMessage:
        last = records[-1]
        message = BatchMessage(
            tp.topic,
            tp.partition,
            last.offset,
            last.timestamp / 1000.0,
            last.timestamp_type,
            None,
            None,
            None,
            None,
            0,
            0,
            tp,
            generation_id=self.app.consumer_generation_id,
        )
        message.records = records
        message.epoch = epoch
        return message

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


class Transport(driver.Transport):
    """`broker="batch://host:port"`."""

    Consumer = Consumer
