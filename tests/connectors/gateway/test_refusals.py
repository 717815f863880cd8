"""Refused requests: told by count and reason, a bounded number of times, and not a word of what came."""

from collections.abc import AsyncIterator

import pytest
from prometheus_client import REGISTRY

from connectors.channels.shopify import CHANNEL
from connectors.gateway.door import Door
from connectors.gateway.refusals import (
    OTHER,
    REASONS_MAX,
    TOLD_EVERY_S,
    Refusals,
    keep_telling,
    tell,
)
from connectors.sources import Installed, SourceForm
from schemas.topics import RAW
from tests.connectors.channels.samples import shopify
from tests.connectors.gateway.conftest import Client, Log, Open, Parts
from tests.connectors.gateway.events import NOW
from tests.connectors.gateway.test_webhooks import PATH, installed, posted, signed

SHOP = Installed(CHANNEL, shopify.SAMPLES.source, SourceForm(channel="shopify"))
AT = NOW
MINUTE = TOLD_EVERY_S * 1_000_000


def noted(refusals: Refusals, count: int, at: int = AT, why: str = "the signature does not fit") -> None:
    for number in range(count):
        refusals.note("shopify", SHOP, why, f"request-{number}", at + number)


def counted(source: str) -> float:
    labels = {"channel": "shopify", "source": source}
    return REGISTRY.get_sample_value("vaart_requests_refused_total", labels) or 0.0


def test_however_many_there_are_they_are_one_record_a_minute() -> None:
    refusals = Refusals()
    noted(refusals, 1_000)
    (first,) = refusals.due(AT + 1_000)
    assert (first.count, first.first_at, first.meta.occurred_at) == (1_000, AT, AT + 999)
    assert (first.request_id, first.why) == ("request-999", "the signature does not fit")
    noted(refusals, 5, AT + 2_000)
    assert list(refusals.due(AT + MINUTE)) == []
    (second,) = refusals.due(AT + 1_000 + MINUTE)
    assert (second.count, second.first_at) == (5, AT + 2_000)
    assert list(refusals.due(AT + 10 * MINUTE)) == []


def test_reasons_are_told_apart_and_bounded() -> None:
    refusals = Refusals()
    for number in range(50):
        noted(refusals, 1, why=f"reason {number}")
    found = list(refusals.due(AT + MINUTE))
    assert len(found) == REASONS_MAX
    assert sum(each.count for each in found) == 50
    assert found[-1].why == OTHER


def test_a_name_that_no_source_has_is_counted_and_not_told() -> None:
    refusals, before = Refusals(), counted("")
    refusals.note("shopify", None, "the signature does not fit", "request", AT)
    assert list(refusals.due(AT + MINUTE)) == []
    assert counted("") == before + 1


@pytest.fixture
async def gateway(opened: Open) -> AsyncIterator[tuple[Client, Door]]:
    async with opened(Parts(installed())) as found:
        yield found


@pytest.mark.servers
async def test_a_team_sees_that_its_signature_is_wrong(gateway: tuple[Client, Door], log: Log) -> None:
    client, door = gateway
    before = counted("shop-nl")
    for _ in range(3):
        answer = await posted(client, signed(shopify.ORDER, secret="guessed"), Authorization="hush")
    await posted(client, signed(shopify.ORDER), "/in/shopify/shop-be")
    await tell(door.refusals, door.encoding, door.delivery, NOW)
    (record,) = log.events(1, RAW)
    assert (record.meta.channel, record.meta.source, record.count) == ("shopify", "shop-nl", 3)
    assert record.request_id == answer.headers["X-Request-Id"]
    assert record.why == "the signature does not fit"
    assert record.meta.context == {}
    assert counted("shop-nl") == before + 3


@pytest.mark.servers
async def test_a_paused_source_is_told_to_be_paused(opened: Open) -> None:
    async with opened(Parts(installed(is_paused=True))) as (client, door):
        await posted(client, signed(shopify.ORDER))
        (record,) = door.refusals.due(NOW)
    assert record.why == "the source is paused"


@pytest.mark.servers
async def test_what_cannot_be_told_stops_nobody(
    gateway: tuple[Client, Door], monkeypatch: pytest.MonkeyPatch
) -> None:
    from schemas.registry import SchemaUnknown

    client, door = gateway
    await client.post(PATH, data=b"{}")

    async def unknown(_: object) -> None:
        raise SchemaUnknown("it is not registered")

    monkeypatch.setattr(door.encoding, "records", unknown)
    await tell(door.refusals, door.encoding, door.delivery, NOW)
    assert list(door.refusals.due(NOW)) == []


@pytest.mark.servers
async def test_while_the_disk_is_nearly_full_they_wait(
    gateway: tuple[Client, Door], monkeypatch: pytest.MonkeyPatch
) -> None:
    client, door = gateway
    await client.post(PATH, data=b"{}")
    monkeypatch.setattr("connectors.gateway.delivery.SHED_AT", 0.0)
    await tell(door.refusals, door.encoding, door.delivery, NOW)
    assert [each.count for each in door.refusals.due(NOW)] == [1]


@pytest.mark.servers
async def test_a_gateway_goes_on_telling(
    gateway: tuple[Client, Door], log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    import asyncio

    client, door = gateway
    monkeypatch.setattr("connectors.gateway.refusals.LOOKED_EVERY_S", 0.01)
    await client.post(PATH, data=b"{}")
    task = asyncio.create_task(keep_telling(door.refusals, door.encoding, door.delivery, lambda: NOW))
    try:
        assert len(await asyncio.to_thread(log.events, 1, RAW)) == 1
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
