"""What requests point at is asked for, whatever dies and whoever is away, on a real Kafka."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from ipaddress import ip_network
from pathlib import Path

import httpx
import pytest

from connectors.fetchers import FETCHERS
from connectors.fetching.answering import Answering
from connectors.fetching.desk import GIVEN_UP_AFTER_S, Desk
from connectors.fetching.publishing import Sending
from connectors.fetching.reading import Fetches, Progress
from connectors.gateway.encoding import Encoding
from connectors.polling.asking import Asking, Credential
from connectors.polling.guard import Guarded
from connectors.protocol.channel import Source
from connectors.vendors.shopify.api import API
from schemas.topics import DEAD_LETTERS, FETCHES, REFERENCES, STOCK
from tests.connectors.fetching.conftest import Rig, Shop
from vaart import clock, kafka

pytestmark = pytest.mark.servers
WITHIN_S = 30.0


@asynccontextmanager
async def running(rig: Rig, shop: Shop) -> AsyncIterator[Desk]:
    """A desk that answers meanwhile."""
    fetchers = {each.what: each for each in FETCHERS if each.channel == "shopify"}
    client = httpx.AsyncClient(transport=Guarded([ip_network("127.0.0.0/8")]), trust_env=False)
    asking = Asking(client, shop.url, API, Credential("hush"), clock.wall)
    fetches = Fetches(rig.settings, rig.addresses, rig.codec.decoder(FETCHES))
    encoding = Encoding(rig.codec, "secret")
    with kafka.Publisher(rig.settings, rig.addresses) as publisher:
        send = Sending(publisher).send
        answering = Answering(fetchers, Source("shop-nl"), asking, encoding, send, clock.wall)
        desk = Desk(fetches, {"shop-nl": answering}, clock.wall)
        task = asyncio.create_task(desk.run())
        try:
            yield desk
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await asyncio.to_thread(fetches.close)
            await client.aclose()


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(WITHIN_S):
        while not await asyncio.to_thread(condition):
            pass


async def test_an_item_is_asked_for_until_all_is_known_of_it(rig: Rig, shop: Shop) -> None:
    rig.want("2", "4")
    async with running(rig, shop):
        await until(lambda: len(rig.events(STOCK)) == 2)
    assert {each.ours for each in rig.events(REFERENCES)} == {"sku-2", "sku-4"}
    assert {each.sku for each in rig.events(STOCK)} == {"sku-2", "sku-4"}
    assert rig.events(DEAD_LETTERS) == []


async def test_what_is_answered_is_not_asked_for_again(rig: Rig, shop: Shop) -> None:
    rig.want("2")
    async with running(rig, shop):
        await until(lambda: len(rig.events(STOCK)) == 1)
    rig.want("4")
    async with running(rig, shop):
        await until(lambda: len(rig.events(STOCK)) == 2)
    assert shop.asked == ["2", "4"]


async def test_a_source_that_is_away_is_asked_again(rig: Rig, shop: Shop) -> None:
    shop.scripted = [503]
    rig.want("2")
    async with running(rig, shop) as desk:
        await until(lambda: bool(desk.faults))
        await until(lambda: len(rig.events(STOCK)) == 1)
        assert desk.faults == {}
    assert shop.asked == ["2", "2"]


async def test_what_is_declined_or_cannot_be_asked_for_is_a_dead_letter(rig: Rig, shop: Shop) -> None:
    rig.want("1", "../2", "4")
    async with running(rig, shop):
        await until(lambda: len(rig.events(DEAD_LETTERS)) == 2 and len(rig.events(STOCK)) == 1)
    letters = rig.events(DEAD_LETTERS)
    assert {each.reason for each in letters} == {"declined", "unknown"}
    assert all(b"inventory_item" in each.value for each in letters)


async def test_what_is_older_than_two_days_is_given_up(rig: Rig, shop: Shop) -> None:
    rig.want("2", at=clock.wall() - (GIVEN_UP_AFTER_S + 60) * 1_000_000)
    async with running(rig, shop):
        await until(lambda: len(rig.events(DEAD_LETTERS)) == 1)
    assert shop.asked == []


async def test_a_source_that_is_not_asked_holds_nobody_back(rig: Rig, shop: Shop) -> None:
    rig.want("2", source="another")
    rig.want("4")
    async with running(rig, shop):
        await until(lambda: len(rig.events(STOCK)) == 1)
    assert shop.asked == ["4"]


async def test_the_service_answers_and_stops_when_told(
    rig: Rig, environment: dict[str, str], file: Callable[[str], Path], shop: Shop
) -> None:
    variables = {
        **os.environ,
        **environment,
        "VAART_GATEWAY__SOURCES": str(file(shop.url)),
        "SHOP_TOKEN": "hush",
        "VAART_CLOCK": "wall",
    }
    rig.want("2")
    words = ("-m", "vaart.cli", "serve", "poller")
    service = await asyncio.create_subprocess_exec(sys.executable, *words, env=variables)
    try:
        await until(lambda: len(rig.events(STOCK)) == 1)
    finally:
        service.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(service.wait(), 30) == 0


def test_a_partition_stands_at_its_first_open_fetch() -> None:
    progress = Progress()
    for offset in (5, 6, 9):
        progress.taken(offset)
    progress.over(6)
    assert (progress.stand, progress.count) == (5, 2)
    progress.over(5)
    assert progress.stand == 9
    progress.over(9)
    assert progress.stand == 10
