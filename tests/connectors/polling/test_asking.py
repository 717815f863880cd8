"""Tokens, limits and redirects, against a shop that listens."""

import httpx
import pytest
from aiohttp import web

from connectors.pollers.shopify_orders import PATH, POLLER
from connectors.polling.asking import Asking, Away, Credential, Declined
from connectors.polling.guard import Guarded
from connectors.protocol.poller import Ask
from tests.connectors.polling.conftest import LOGIN, NOW, Shop

ORDERS = Ask(PATH)


def asking(client: httpx.AsyncClient, shop: Shop, client_id: str = "") -> Asking:
    return Asking(client, shop.url, POLLER.api, Credential("hush", client_id), lambda: NOW)


async def test_a_token_is_fetched_once(client: httpx.AsyncClient, shop: Shop) -> None:
    asked = asking(client, shop, "app")
    await asked.get(ORDERS)
    await asked.get(ORDERS)
    assert shop.asked.count(LOGIN) == 1
    assert shop.tokens == ["token-1", "token-1"]


async def test_a_refused_token_is_fetched_anew_once(client: httpx.AsyncClient, shop: Shop) -> None:
    asked = asking(client, shop, "app")
    await asked.get(ORDERS)
    shop.scripted = [web.Response(status=401)]
    await asked.get(ORDERS)
    assert shop.tokens == ["token-1", "token-1", "token-2"]
    shop.scripted = [web.Response(status=401), web.Response(status=401), web.Response(status=401)]
    with pytest.raises(Declined, match="401"):
        await asked.get(ORDERS)
    assert shop.asked.count(LOGIN) == 3
    assert len(shop.scripted) == 1


@pytest.mark.parametrize(("headers", "wait_s"), [({"Retry-After": "3"}, 3.0), ({}, None)])
async def test_a_limit_is_told(
    client: httpx.AsyncClient, shop: Shop, headers: dict[str, str], wait_s: float | None
) -> None:
    shop.scripted = [web.Response(status=429, headers=headers)]
    with pytest.raises(Away) as away:
        await asking(client, shop).get(ORDERS)
    assert away.value.wait_s == wait_s


async def test_a_redirect_is_not_followed(client: httpx.AsyncClient, shop: Shop) -> None:
    shop.scripted = [web.Response(status=302, headers={"Location": f"{shop.url}{LOGIN}"})]
    with pytest.raises(Declined, match="302"):
        await asking(client, shop).get(ORDERS)
    assert len(shop.asked) == 1


async def test_an_address_inside_that_nobody_listed_is_not_asked(shop: Shop) -> None:
    async with httpx.AsyncClient(transport=Guarded(), trust_env=False) as guarded:
        with pytest.raises(Declined, match="inside"):
            await asking(guarded, shop).get(ORDERS)
    assert shop.asked == []


async def test_an_endless_answer_is_not_read(client: httpx.AsyncClient, shop: Shop) -> None:
    shop.scripted = [web.Response(body=b" " * (POLLER.api.answer_bytes_max + 1))]
    with pytest.raises(Declined, match="more than"):
        await asking(client, shop).get(ORDERS)
