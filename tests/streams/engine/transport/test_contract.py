"""What the batch transport leans on in Faust and aiokafka: a version without one of these names fails here.

The transport's own source is read: a private name, or a method of Faust that is overridden, must stand in the contract,
so that nobody leans on one more without noticing.
"""

import ast
import inspect
import re
import tomllib
from pathlib import Path
from typing import Any

import aiokafka
import faust
import faust.app.base
import pytest
from aiokafka.consumer import subscription_state
from aiokafka.consumer.group_coordinator import GroupCoordinator
from faust.tables.recovery import Recovery
from faust.transport import base, consumer
from faust.transport.drivers import aiokafka as driver
from mode import Service
from mode.threads import ServiceThread
from mode.utils.imports import symbol_by_name

from streams.engine.transport import consumer as ours
from streams.engine.transport import listener, messages, thread
from streams.engine.transport.driver import Transport

PACKAGE = Path(thread.__file__).parent
ROOT = PACKAGE.parents[2]
THREAD, CLIENT = driver.AIOKafkaConsumerThread, aiokafka.AIOKafkaConsumer

USED: dict[str, tuple[Any, str]] = {
    "_assignor": (THREAD._create_worker_consumer, "self._assignor = ("),
    "_client": (CLIENT.__init__, "self._client = AIOKafkaClient("),
    "_commit_lock": (GroupCoordinator.commit_offsets, "async with self._commit_lock:"),
    "_coordinator": (CLIENT.start, "self._coordinator = GroupCoordinator("),
    "_ensure_consumer": (THREAD._ensure_consumer, "return self._consumer"),
    "_isolation_level": (CLIENT.start, "isolation_level=self._isolation_level"),
    "_partition_assignment_strategy": (CLIENT.start, "assignors=self._partition_assignment_strategy"),
    "_stopped": (Service, "self._stopped"),
    "_subscription": (CLIENT.__init__, "self._subscription = SubscriptionState("),
    "_thread": (consumer.ThreadDelegateConsumer.__init__, "self._thread = self._new_consumer_thread()"),
    "_wait_next_records": (consumer.Consumer._wait_next_records, "return records, active_partitions"),
}
"""Each private name of theirs that our source mentions, and where theirs gives it the meaning that we rely on."""

OVERRIDDEN: dict[str, tuple[Any, str]] = {
    "_commit": (THREAD.commit, "self.call_thread(self._commit, offsets)"),
    "_create_worker_consumer": (THREAD._create_consumer, "return self._create_worker_consumer(transport)"),
    "_drain_messages": (consumer.Fetcher, "await consumer._drain_messages(self)"),
    "_fetch_records": (THREAD.getmany, "self._fetch_records,"),
    "_filter_tps_with_pending_acks": (
        consumer.Consumer.force_commit,
        "self._filter_tps_with_pending_acks(",
    ),
    "_new_consumer_thread": (consumer.ThreadDelegateConsumer.__init__, "self._new_consumer_thread()"),
    "_new_offset": (consumer.Consumer._filter_committable_offsets, "offset = self._new_offset(tp)"),
    "_seek_wait": (THREAD.seek_wait, "self.call_thread(self._seek_wait, consumer, partitions)"),
    "_should_commit": (consumer.Consumer._filter_committable_offsets, "self._should_commit(tp, offset)"),
    "Consumer": (base.Transport.create_consumer, "return self.Consumer("),
    "RebalanceListener": (THREAD.__post_init__, "consumer.RebalanceListener(self)"),
    "compile": (faust.Topic, "self.decode = self.schema.compile("),
    "getmany": (consumer.Consumer.getmany, "await self._wait_next_records(timeout)"),
    "on_partitions_assigned": (GroupCoordinator, "listener.on_partitions_assigned("),
    "on_partitions_revoked": (GroupCoordinator, "listener.on_partitions_revoked("),
    "on_thread_stop": (ServiceThread._shutdown_thread, "await self.on_thread_stop()"),
    "seek_to_committed": (consumer.Consumer.perform_seek, "await self.seek_to_committed()"),
    "stop_flow": (faust.app.base.App._on_partitions_revoked, "T(consumer.stop_flow)()"),
    "verify_event_path": (
        consumer.Consumer.verify_all_partitions_active,
        "self.verify_event_path(now, tp)",
    ),
}
"""Each name of theirs that our classes define anew, and who of theirs asks for it."""

OWN = {
    "_at",
    "_batches",
    "_check",
    "_is_astray",
    "_member_id",
    "_membership",
    "_note_metadata",
    "_shown",
    "_told",
    "_void",
}
"""Private names that we gave ourselves."""

GIVEN_BY_METACLASSES = {"_abc_impl", "logger"}
CLASSES = (
    ours.Consumer,
    thread.ConsumerThread,
    listener.RebalanceListener,
    messages.BatchMessage,
    messages.BatchSchema,
    Transport,
)


def private_names() -> set[str]:
    """Attributes with a leading underscore in our source."""
    return {
        node.attr
        for path in PACKAGE.glob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute) and node.attr.startswith("_") and not node.attr.startswith("__")
    }


def overridden_names() -> set[str]:
    """What our classes define and a class of theirs above defines, too."""
    return {
        name
        for cls in CLASSES
        for name in defined_by(cls)
        if any(name in defined_by(above) for above in cls.__mro__[1:])
    }


def defined_by(cls: type) -> set[str]:
    names = vars(cls).keys() | vars(cls).get("__annotations__", {}).keys()
    return {name for name in names if not name.startswith("__")} - GIVEN_BY_METACLASSES


def test_no_private_name_is_used_without_standing_in_the_contract() -> None:
    assert private_names() == USED.keys() | OWN | {name for name in OVERRIDDEN if name in private_names()}


def test_no_name_of_theirs_is_overridden_without_standing_in_the_contract() -> None:
    assert overridden_names() - USED.keys() == OVERRIDDEN.keys()


def test_our_own_names_are_not_theirs() -> None:
    above = {above for cls in CLASSES for above in cls.__mro__[1:] if above is not object}
    theirs = "\n".join(inspect.getsource(cls) for cls in above if cls.__module__ not in ("typing", "abc"))
    assert [name for name in OWN if re.search(rf"\b{name}\b", theirs)] == []


def test_the_consumer_has_one_way_to_commit() -> None:
    """`_commit` is overridden twice: where the consumer decides what to commit, and in the thread that does."""
    assert "await self._commit(committable_offsets)" in inspect.getsource(consumer.Consumer._commit_offsets)
    assert "self._thread.commit(" in inspect.getsource(consumer.ThreadDelegateConsumer._commit)


@pytest.mark.parametrize(("name", "place"), [*USED.items(), *OVERRIDDEN.items()])
def test_the_name_means_what_we_rely_on(name: str, place: tuple[Any, str]) -> None:
    owner, words = place
    assert words in inspect.getsource(owner), name


def test_a_position_is_read_from_the_clients_subscription() -> None:
    tp = aiokafka.TopicPartition("t", 0)
    state = inspect.getsource(subscription_state)
    assert all(f"def {name}(" in state for name in ("state_value", "tps", "assignment", "subscription"))
    assert all(hasattr(subscription_state.TopicPartitionState, n) for n in ("position", "has_valid_position"))
    assert thread._positions(_Client(None), [tp]) == {}


def test_a_fetch_leaves_the_position_behind_markers() -> None:
    from aiokafka.consumer import fetcher

    assert "next_fetch_offset" in inspect.getsource(fetcher.FetchResult._update_position)


def test_the_brokers_news_reach_listeners() -> None:
    from aiokafka.cluster import ClusterMetadata

    assert "listener(self)" in inspect.getsource(ClusterMetadata.update_metadata)
    assert callable(ClusterMetadata.add_listener)


def test_a_forgotten_member_has_no_id_when_it_is_about_to_join() -> None:
    assert "self.reset_generation()" in inspect.getsource(GroupCoordinator._do_heartbeat)
    source = inspect.getsource(GroupCoordinator.ensure_active_group)
    assert source.index("_on_join_prepare(") < source.index("_do_rejoin_group(")


def test_what_ends_a_membership_is_raised_to_who_asks() -> None:
    assert "raise exc" in inspect.getsource(GroupCoordinator.check_errors)
    assert "self._coordination_task.result()" in inspect.getsource(GroupCoordinator.check_errors)


def test_a_static_member_does_not_leave_when_it_stops() -> None:
    assert "self._group_instance_id is None" in inspect.getsource(GroupCoordinator._maybe_leave_group)


def test_without_tables_faust_would_assign_round_robin() -> None:
    """The reason for forcing the assignor; once this no longer holds the override can go."""
    assert "RoundRobinPartitionAssignor" in inspect.getsource(THREAD._create_worker_consumer)


def test_a_rebalance_is_complete_only_after_its_listeners() -> None:
    source = inspect.getsource(Recovery._resume_streams)
    assert (
        source.index("on_rebalance_complete.send()")
        < source.index("perform_seek()")
        < source.index("resume_flow()")
    )


def test_the_scheme_is_ours_by_its_entry_point() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    entry = project["project"]["entry-points"]["faust.transports"]["batch"]
    assert symbol_by_name(entry) is Transport
    assert "faust.transports" in inspect.getsource(faust.transport.drivers)


async def test_the_workers_consumer_has_our_assignor_and_reads_committed_records() -> None:
    app = faust.App("contract", broker="aiokafka://127.0.0.1:9", web_enabled=False, table_standby_replicas=0)
    app.transport = Transport(app.conf.broker, app)
    started: Any = app.consumer._thread  # type: ignore[attr-defined]
    assert type(started) is thread.ConsumerThread
    client = started._create_worker_consumer(app.transport)
    assert client._partition_assignment_strategy == [app.assignor]
    assert client._isolation_level == "read_committed"


class _Client:
    def __init__(self, subscription: object) -> None:
        self._subscription = type("State", (), {"subscription": subscription})()
