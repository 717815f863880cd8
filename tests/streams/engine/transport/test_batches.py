"""What the transport does with records that are fetched while somebody seeks: none is skipped for good."""

import asyncio
from types import SimpleNamespace
from typing import Any

import faust
import pytest
from aiokafka import errors
from faust.transport.drivers import aiokafka as driver
from faust.types import TP

from streams.engine.transport.consumer import BATCH_RECORDS_MAX
from streams.engine.transport.messages import BatchMessage
from streams.engine.transport.thread import ConsumerThread

PARTITION = TP("t", 0)


class Recording(faust.App):
    """An app whose consumer fetches what a test says, and notes its seeks."""

    def __init__(self) -> None:
        super().__init__("transport", broker="batch://127.0.0.1:9", web_enabled=False)
        self.seeks = 0


@pytest.fixture
async def fetching(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A consumer with two fetched records; `during` runs while they are on their way."""
    app = Recording()
    consumer: Any = app.consumer
    consumer.during = lambda: None
    records = [SimpleNamespace(offset=offset, timestamp=0, timestamp_type=0) for offset in (7, 8)]

    async def wait_next_records(_timeout: float) -> tuple[Any, Any]:
        consumer.during()
        return {PARTITION: records}, {PARTITION}

    async def perform_seek() -> None:
        app.seeks += 1
        consumer.fetch_epoch += 1
        consumer._is_astray = False

    monkeypatch.setattr(consumer, "_wait_next_records", wait_next_records)
    monkeypatch.setattr(consumer, "perform_seek", perform_seek)
    return consumer


async def delivered(consumer: Any) -> list[BatchMessage]:
    return [message async for _, message in consumer.getmany(timeout=1.0)]


async def test_records_travel_as_one_batch_of_their_partition(fetching: Any) -> None:
    (batch,) = await delivered(fetching)
    assert [record.offset for record in batch.records] == [7, 8]
    assert (batch.tp, batch.offset, batch.epoch) == (PARTITION, 8, fetching.fetch_epoch)


async def test_what_was_fetched_while_someone_sought_is_fetched_again(fetching: Any) -> None:
    def seek() -> None:
        fetching.fetch_epoch += 1

    fetching.during = seek
    assert await delivered(fetching) == []
    assert fetching.app.seeks == 1


async def test_what_was_fetched_when_the_flow_stopped_is_left_to_who_resumes_it(fetching: Any) -> None:
    fetching.during = fetching.stop_flow
    assert await delivered(fetching) == []
    assert fetching.app.seeks == 0


async def test_a_seek_before_the_flow_resumes_does_not_void_what_comes_after(fetching: Any) -> None:
    fetching.stop_flow()
    waiting = asyncio.create_task(delivered(fetching))
    await asyncio.sleep(0)
    await fetching.perform_seek()
    fetching.resume_flow()
    assert [record.offset for batch in await waiting for record in batch.records] == [7, 8]


async def test_after_a_rewind_the_next_fetch_comes_after_a_seek(fetching: Any) -> None:
    fetching.rewind()
    (batch,) = await delivered(fetching)
    assert (fetching.app.seeks, batch.epoch) == (1, fetching.fetch_epoch)


async def test_a_rewind_voids_what_is_being_fetched_and_what_is_being_delivered(fetching: Any) -> None:
    fetching.during = fetching.rewind
    assert await delivered(fetching) == []
    assert fetching.app.seeks == 1
    fetching.during = lambda: None
    async for _, _ in fetching.getmany(timeout=1.0):
        fetching.rewind()
    assert fetching.app.seeks == 1
    assert len(await delivered(fetching)) == 1
    assert fetching.app.seeks == 2


async def test_a_large_fetch_is_cut_so_that_the_loop_can_breathe(fetching: Any) -> None:
    many = [SimpleNamespace(offset=n, timestamp=0, timestamp_type=0) for n in range(BATCH_RECORDS_MAX + 1)]

    async def wait_next_records(_timeout: float) -> tuple[Any, Any]:
        return {PARTITION: many}, {PARTITION}

    fetching._wait_next_records = wait_next_records
    assert [len(batch.records) for batch in await delivered(fetching)] == [BATCH_RECORDS_MAX, 1]


async def test_a_fetch_without_a_position_says_nothing_of_where_the_one_before_had_come(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """After a rebalance, before somebody has sought: what was fetched before it is void, and so is how far it went."""

    async def fails(*_: Any, **__: Any) -> None:
        raise errors.NoOffsetForPartitionError(PARTITION)

    monkeypatch.setattr(driver.AIOKafkaConsumerThread, "_fetch_records", fails)
    thread: Any = object.__new__(ConsumerThread)
    thread.positions = {PARTITION: 9}
    assert await thread._fetch_records(None, {PARTITION}) == {}
    assert thread.positions == {}


async def test_a_fetch_says_where_it_began_once_somebody_has_sought(monkeypatch: pytest.MonkeyPatch) -> None:
    position = 5

    async def fetches(*_: Any, **__: Any) -> dict[TP, list[Any]]:
        return {}

    async def seeks(*_: Any, **__: Any) -> None:
        """As Faust's: aiokafka stands there."""

    monkeypatch.setattr(driver.AIOKafkaConsumerThread, "_fetch_records", fetches)
    monkeypatch.setattr(driver.AIOKafkaConsumerThread, "_seek_wait", seeks)
    monkeypatch.setattr("streams.engine.transport.thread._positions", lambda *_: {PARTITION: position})
    thread: Any = object.__new__(ConsumerThread)
    await thread._fetch_records(None, {PARTITION})
    assert (thread.since, thread.positions) == ({}, {PARTITION: 5})
    await thread._seek_wait(None, {PARTITION: 3})
    await thread._fetch_records(None, {PARTITION})
    position = 9
    assert thread.since == {PARTITION: 3}
    await thread._fetch_records(None, {PARTITION})
    assert (thread.since, thread.positions) == ({PARTITION: 5}, {PARTITION: 9})
    thread.forget_positions()
    await thread._fetch_records(None, {PARTITION})
    assert thread.since == {}


async def test_a_fetch_in_pieces_is_one_chain(fetching: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("streams.engine.transport.consumer.BATCH_RECORDS_MAX", 1)
    fetching._thread.since = {PARTITION: 4}
    assert [(batch.since, batch.reached) for batch in await delivered(fetching)] == [(4, 8), (8, 9)]
