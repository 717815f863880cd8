"""The private names of Faust and aiokafka that the batch transport leans on: a version without one fails here."""

import inspect
from typing import Any

import aiokafka
import faust
from faust.transport import consumer as base
from faust.transport.drivers import aiokafka as driver

from streams.engine.transport.consumer import Consumer
from streams.engine.transport.driver import Transport
from streams.engine.transport.thread import ConsumerThread


def test_the_scheme_resolves_to_our_transport() -> None:
    app = faust.App("contract", broker="batch://127.0.0.1:9", web_enabled=False)
    assert type(app.transport) is Transport


def test_the_driver_asks_the_names_that_are_overridden() -> None:
    for name in (
        "_new_consumer_thread",
        "seek_to_committed",
        "getmany",
        "_drain_messages",
        "_filter_tps_with_pending_acks",
        "_new_offset",
        "stop_flow",
        "verify_event_path",
    ):
        assert hasattr(driver.Consumer, name), name
        assert getattr(Consumer, name) is not getattr(driver.Consumer, name), name
    assert ConsumerThread._create_worker_consumer is not driver.AIOKafkaConsumerThread._create_worker_consumer


def test_seeking_goes_through_seek_to_committed() -> None:
    assert "self.seek_to_committed()" in inspect.getsource(base.Consumer.perform_seek)


def test_commits_ask_new_offset_for_each_pending_partition() -> None:
    assert "self._filter_tps_with_pending_acks(" in inspect.getsource(base.Consumer.force_commit)
    assert "self._new_offset(" in inspect.getsource(base.Consumer._filter_committable_offsets)


def test_fetching_hands_over_records_per_partition() -> None:
    source = inspect.getsource(base.Consumer._wait_next_records)
    assert "self._getmany(" in source
    assert "return records, active_partitions" in source


def test_the_client_reads_its_strategy_and_isolation_at_start() -> None:
    source = inspect.getsource(aiokafka.AIOKafkaConsumer)
    assert "isolation_level=self._isolation_level" in source
    assert "assignors=self._partition_assignment_strategy" in source


def test_without_tables_faust_would_assign_round_robin() -> None:
    """The reason for forcing the assignor; once this no longer holds the override can go."""
    source = inspect.getsource(driver.AIOKafkaConsumerThread._create_worker_consumer)
    assert "RoundRobinPartitionAssignor" in source


def test_a_rebalance_is_complete_only_after_its_listeners() -> None:
    from faust.tables.recovery import Recovery

    source = inspect.getsource(Recovery._resume_streams)
    assert (
        source.index("on_rebalance_complete.send()")
        < source.index("perform_seek()")
        < source.index("resume_flow()")
    )


async def test_the_workers_consumer_has_our_assignor_and_reads_committed_records() -> None:
    app = faust.App("contract", broker="batch://127.0.0.1:9", web_enabled=False, table_standby_replicas=0)
    thread: Any = app.consumer._thread  # type: ignore[attr-defined]
    assert type(thread) is ConsumerThread
    consumer = thread._create_worker_consumer(app.transport)
    assert consumer._partition_assignment_strategy == [app.assignor]
    assert consumer._isolation_level == "read_committed"
