"""A spool that fills: first those who try again are asked to, then all; what was answered well reaches Kafka."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import replace
from itertools import count

import pytest

from connectors.channels import shopify as shopify_channel
from connectors.channels import woocommerce as woocommerce_channel
from connectors.protocol.channel import Request
from connectors.sources import Installed, SourceForm, Sources
from schemas.topics import ORDERS, RAW, STOCK
from tests.connectors.channels.samples import shopify, woocommerce
from tests.connectors.gateway.conftest import Client, Log, Open, Parts
from tests.connectors.gateway.events import sold
from tests.connectors.gateway.test_gateway import free_port
from tests.connectors.gateway.test_webhooks import posted
from vaart import kafka
from vaart.addresses import Addresses
from vaart.settings import Settings

pytestmark = pytest.mark.servers

BYTES_MAX = 100_000
IMPATIENT = {"message.timeout.ms": 300, "linger.ms": 2, "enable.gapless.guarantee": True, "log_level": 0}
SHOPS = Sources(
    {
        "shop-nl": Installed(shopify_channel.CHANNEL, shopify.SAMPLES.source, SourceForm(channel="shopify")),
        "woo": Installed(
            woocommerce_channel.CHANNEL, woocommerce.SAMPLES.source, SourceForm(channel="woocommerce")
        ),
    }
)
NUMBERS = count(1)


def order() -> Request:
    """Of the shop that tries again."""
    return shopify.sign(shopify.sent("orders/create", {**shopify.ORDER, "id": next(NUMBERS)}), shopify.SECRET)


def told_once() -> Request:
    """Of the shop that never does."""
    request = woocommerce.SAMPLES.samples[0].request
    document = {**json.loads(request.body), "id": next(NUMBERS)}
    return woocommerce.sign(replace(request, body=json.dumps(document).encode()), woocommerce.SECRET)


async def until_refused(client: Client, path: str, make: Callable[[], Request]) -> tuple[list[str], str]:
    """The bodies that were answered well, and when whoever was refused is to come again."""
    taken: list[str] = []
    while True:
        request = make()
        answer = await posted(client, request, path)
        if answer.status != 200:
            assert answer.status == 503
            return taken, answer.headers["Retry-After"]
        taken.append(request.body.decode())


async def test_a_spool_that_fills_sheds_and_one_that_was_full_takes_again(
    settings: Settings, servers: Addresses, opened: Open, log: Log
) -> None:
    where = [Addresses(f"127.0.0.1:{free_port()}", "", "", "")]
    parts = Parts(SHOPS, BYTES_MAX, connect=lambda: kafka.Publisher(settings, where[0], IMPATIENT))
    async with opened(parts) as (client, door):
        patient, again_s = await until_refused(client, "/in/shopify/shop-nl", order)
        assert (len(patient) > 2, again_s) == (True, "5")
        assert 0.8 * BYTES_MAX <= door.delivery._spool.bytes_kept < BYTES_MAX
        assert (await client.post("/v1/events", json=sold())).status == 202
        impatient, _ = await until_refused(client, "/in/woocommerce/woo", told_once)
        assert impatient
        assert (await client.post("/v1/events", json=sold())).status == 503
        where[0] = servers
        async with asyncio.timeout(20):
            while not door.delivery.is_direct:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        assert door.delivery._spool.bytes_kept == 0
        request = order()
        assert (await posted(client, request, "/in/shopify/shop-nl")).status == 200
    bodies = [*patient, *impatient, request.body.decode()]
    assert {request.body.decode() for request in log.events(len(bodies), RAW)} == set(bodies)
    wanted = {str(json.loads(body)["id"]) for body in bodies}
    assert {event.order_id for event in log.events(len(bodies), ORDERS)} == wanted
    assert len(log.events(1, STOCK)) == 1
