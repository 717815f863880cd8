"""Messages of an SQS-compatible server: none is lost, and one that comes again says the same facts."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from connectors.gateway.redrive import read_again
from connectors.gateway.spool import Kept
from connectors.protocol.channel import Verdict
from connectors.queues import sqs as module
from connectors.queues.arrival import Arrived
from connectors.queues.service import turner
from connectors.queues.sqs import SqsQueue
from connectors.queues.taking import Taking
from connectors.queues.turning import turns
from connectors.sources import Sources
from schemas.topic import Topic
from schemas.topics import DEAD_LETTERS, FETCHES, ORDERS, RAW
from tests.connectors.channels.samples import amazon
from tests.connectors.channels.samples.debezium import flat
from tests.connectors.queues.conftest import Mailbox, Rig, order, shipped, until
from vaart.errors import DependencyAway
from vaart.failpoint import hooked

pytestmark = pytest.mark.servers

Open = Callable[..., Any]


@pytest.fixture
async def opened(rig: Rig, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Open]:
    """A reader of the mailbox that does not wait. With `hidden_s` 0 what is not deleted comes again at once."""
    queues = []

    async def open_one(hidden_s: int = 120, **changes: Any) -> SqsQueue:
        monkeypatch.setattr(module, "HIDDEN_S", hidden_s)
        monkeypatch.setattr(module, "LONG_POLL_S", 0)
        found = turner(rig.installed(sqs=mailbox.form(**changes)), rig.around)
        assert isinstance(found, SqsQueue)
        queues.append(found)
        await found.open()
        return found

    yield open_one
    for each in queues:
        await each.close()


class Crash(BaseException):
    """As a kill."""


def crash(point: str) -> None:
    if point == "sqs_before_delete":
        raise Crash


async def test_messages_come_in_and_are_gone(rig: Rig, mailbox: Mailbox, opened: Open) -> None:
    mailbox.send(order(1), shipped(1))
    queue = await opened()
    while mailbox.left():
        await queue.turn()
    assert rig.facts() == ["OrderPlaced 1", "OrderShipped 1"]


async def test_what_was_published_when_it_died_comes_again_with_the_same_ids(
    rig: Rig, mailbox: Mailbox, opened: Open
) -> None:
    mailbox.send(order(1))
    queue = await opened(hidden_s=0)
    with hooked(crash), pytest.raises(Crash):
        await queue.turn()
    assert mailbox.left() == 1
    await (await opened()).turn()
    assert mailbox.left() == 0
    first, again = rig.events()
    assert first == again


async def test_nothing_is_deleted_while_our_kafka_takes_nothing(
    rig: Rig, mailbox: Mailbox, opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    mailbox.send(order(1))
    queue = await opened(hidden_s=0)

    def refuse() -> None:
        raise DependencyAway("Kafka is away")

    with monkeypatch.context() as away:
        away.setattr(queue._publisher, "flush", refuse)
        with pytest.raises(DependencyAway):
            await queue.turn()
    assert mailbox.left() == 1
    await queue.open()
    await queue.turn()
    assert (mailbox.left(), rig.facts()[-1]) == (0, "OrderPlaced 1")


async def test_what_cannot_be_read_is_a_dead_letter_and_is_kept_as_it_came(
    rig: Rig, mailbox: Mailbox, opened: Open
) -> None:
    mailbox.send("no json at all")
    await (await opened()).turn()
    assert mailbox.left() == 0
    [letter], [kept] = rig.events(DEAD_LETTERS), rig.events(RAW)
    assert (letter.reason, letter.value) == ("unreadable", b"no json at all")
    assert letter.source_topic == mailbox.url.rpartition("/")[2]
    assert (kept.body, kept.request_id.encode()) == (b"no json at all", letter.key)
    assert kept.meta.source == "shop-db"


async def test_a_kept_message_can_be_read_again(rig: Rig, mailbox: Mailbox, opened: Open) -> None:
    attribute = {"DataType": "String", "StringValue": '{"id": 2}'}
    mailbox.send(order(1))
    mailbox.send(order(1), MessageAttributes={"__debezium.oldkey": attribute})
    queue = await opened()
    while mailbox.left():
        await queue.turn()
    found = Sources({"shop-db": rig.installed(sqs=mailbox.form())})
    outcomes = [read_again(kept, found) for kept in rig.events(RAW)]
    assert all(isinstance(each, Verdict) for each in outcomes)
    assert [event for each in outcomes if isinstance(each, Verdict) for event in each.events] == rig.events()
    assert rig.facts() == ["OrderPlaced 1"]


INNER = flat("u", {"id": 1, "status": "cancelled", "total": 1.5}, __schema="public", __table="orders")


@pytest.mark.parametrize(
    ("unwrap", "envelope"),
    [
        ("sns", {"Type": "Notification", "Message": json.dumps(INNER)}),
        ("eventbridge", {"detail-type": "a change", "detail": INNER}),
    ],
)
async def test_an_envelope_is_taken_off_where_the_source_says_so(
    rig: Rig, mailbox: Mailbox, opened: Open, unwrap: str, envelope: Any
) -> None:
    mailbox.send(envelope)
    await (await opened(unwrap=unwrap)).turn()
    assert rig.facts() == ["OrderCancelled 1"]
    assert json.loads(rig.events(RAW)[0].body) == INNER
    mailbox.send("no envelope")
    await (await opened(unwrap=unwrap)).turn()
    assert [letter.value for letter in rig.events(DEAD_LETTERS)] == [b"no envelope"]


async def test_a_queue_that_is_away_is_a_fault_without_a_secret_and_is_tried_again(
    rig: Rig, mailbox: Mailbox
) -> None:
    away = rig.installed(sqs=mailbox.form(queue_url=mailbox.url + "-gone"))
    queue = turner(away, rig.around)
    stopping = asyncio.Event()
    turning = asyncio.create_task(turns(queue, stopping, lambda: 0.0))
    await until(lambda: queue.fault is not None)
    stopping.set()
    await asyncio.wait_for(turning, 30)
    assert queue.fault is not None
    assert "does not answer (AWS.SimpleQueueService.NonExistentQueue)" in queue.fault
    assert "hush" not in queue.fault


async def test_what_a_message_points_at_is_wanted_from_now_on_however_old_it_is(
    rig: Rig, mailbox: Mailbox
) -> None:
    body = amazon.sent(amazon.order("Canceled", "OrderStatusChange")).body
    found = rig.installed("amazon", sqs=mailbox.form())
    taken = await Taking(found, rig.around.encoding, lambda: 2_000_000).of_topic(
        [Arrived("orders", body, 1_000_000)]
    )

    def at(topic: Topic, record: Kept) -> int:
        received_at: int = rig.codec.decoder(topic)(record.value).meta.received_at
        return received_at

    assert [at(FETCHES, each) for each in taken.records if each.topic == FETCHES.name] == [2_000_000]
    assert [at(ORDERS, each) for each in taken.records if each.topic == ORDERS.name] == [1_000_000]
