"""Every way in looks at its source's plan: queues, dropped files, and what is fetched."""

from collections.abc import Sequence
from typing import Any, cast

import pytest
from prometheus_client import REGISTRY

from connectors.channels.shopify import CHANNEL
from connectors.drops.reading import Chunk
from connectors.drops.recording import Records
from connectors.fetching.answering import ANSWERED, Answering
from connectors.gateway.hearing import Heard, sends
from connectors.gateway.spool import Kept
from connectors.plans.checking import OFF_PLAN, Flag, Plan
from connectors.plans.counting import count
from connectors.protocol.channel import Reject
from connectors.protocol.fetcher import Fetcher
from connectors.protocol.poller import Page
from connectors.queues.arrival import Arrived
from connectors.queues.taking import Taking
from connectors.sources import Installed, SourceForm
from schemas.events.activity import ProductViewed
from schemas.events.ingest import FetchRequested, RequestReceived
from schemas.meta import Entry, Event, Meta
from schemas.topic import Topic
from tests.connectors.channels.samples import shopify
from vaart import clock

NOTHING_PLANNED = Plan({}, {})
META = Meta(event_id="1", occurred_at=1, received_at=1, channel="web", source="shop-nl")
VIEWED = ProductViewed(meta=META, sku="a")


class Seen:
    """Stands for the encoding: it keeps what it is handed."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    async def records(self, events: Sequence[Event]) -> list[Kept]:
        self.events += events
        return [Kept("topic", "key", b"") for _ in events]

    async def fitted(self, events: Sequence[Event]) -> tuple[list[Kept], list[Reject]]:
        return await self.records(events), []

    async def entry(self, topic: Topic, key: str, entry: Entry) -> Kept:
        return Kept(topic.name, key, b"")

    def marks(self) -> list[str | None]:
        return [each.meta.context.get(OFF_PLAN) for each in self.events]


def counted(channel: str) -> float:
    labels = {"channel": channel, "source": "shop-nl", "reason": "unplanned_event"}
    return REGISTRY.get_sample_value("vaart_plan_violations_total", labels) or 0.0


async def test_what_a_queue_brings() -> None:
    seen, before = Seen(), counted("shopify")
    form = SourceForm(channel="shopify")
    found = Installed(CHANNEL, shopify.SAMPLES.source, form, plan=NOTHING_PLANNED)
    taking = Taking(found, cast(Any, seen), clock.wall)
    request = shopify.sent("orders/create", shopify.ORDER)
    headers = [(name, value.encode()) for name, (value,) in request.headers.items()]
    taken = await taking.of_queue(Arrived("queue", request.body, 1, headers=headers), "request")
    assert seen.marks() == ["unplanned_event", None]
    raw = seen.events[-1]
    assert isinstance(raw, RequestReceived)
    assert raw.verdict == "1 OrderPlaced; off plan: 1 unplanned_event (OrderPlaced)"
    assert counted("shopify") == before
    taking.tell(taken)
    assert counted("shopify") == before + 1


async def test_what_a_file_holds() -> None:
    seen, chunk = Seen(), Chunk([VIEWED])
    records = Records("shop-nl", cast(Any, seen), lambda: 1, NOTHING_PLANNED)
    await records.of(chunk, "sales.csv")
    assert seen.marks() == ["unplanned_event"]
    assert chunk.flags == [Flag("unplanned_event", "ProductViewed")]


async def test_what_is_fetched() -> None:
    class Asking:
        async def get(self, *_: object) -> None:
            return None

    async def send(_: object) -> None:
        return None

    seen, before = Seen(), counted("fetches")
    nothing = cast(Any, None)
    fetcher = Fetcher("shopify", "product", nothing, lambda *_: nothing, lambda *_: Page([VIEWED]))
    answering = Answering(
        {"product": fetcher},
        shopify.SAMPLES.source,
        cast(Any, Asking()),
        cast(Any, seen),
        send,
        lambda: 1,
        NOTHING_PLANNED,
    )
    wanted = FetchRequested(meta=META, what="product", foreign_id="1")
    assert await answering.answer(wanted) == ANSWERED
    assert seen.marks() == ["unplanned_event"]
    assert counted("fetches") == before + 1


def test_a_label_is_never_a_name_that_a_sender_chose() -> None:
    before = counted("segment")
    count([Flag("unplanned_event", "ann", "bob")], "segment", "shop-nl")
    assert counted("segment") == before + 1


@pytest.mark.parametrize(
    ("form", "is_sending"),
    [
        ({}, True),
        ({"drop": {"folder": "/tills", "mapping": "m.yaml"}}, False),
        ({"queue": {"topics": ["t"]}}, False),
        (
            {
                "queue": {
                    "sqs": {"queue_url": "https://sqs.eu-west-1.amazonaws.com/1/q", "region": "eu-west-1"}
                }
            },
            True,
        ),
    ],
)
def test_only_of_those_whose_requests_are_kept_silence_is_seen_there(
    form: dict[str, Any], is_sending: bool
) -> None:
    source = SourceForm(channel="shopify", **form)
    assert sends(source) is is_sending
    assert Heard(since=1).latest(("shopify", "shop-nl"), source) == (None if form else 1)
