"""Requests of sources on a real Kafka and registry: events, the request itself, and what became no event."""

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
from aiohttp import ClientResponse

from connectors import sources as module
from connectors.channels.shopify import CHANNEL
from connectors.protocol.channel import BATCH_BYTES_MAX, Request
from connectors.sources import Installed, SourceForm, Sources
from schemas.topics import DEAD_LETTERS, ORDERS, RAW
from tests.connectors.channels.samples import shopify
from tests.connectors.channels.sampling import post
from tests.connectors.gateway.conftest import Client, Log, Open, Parts

pytestmark = pytest.mark.servers

PATH = "/in/shopify/shop-nl"
ORIGIN = "https://www.shop.example"


def installed(**form: Any) -> Sources:
    settings = SourceForm(channel="shopify", **form)
    return Sources({"shop-nl": Installed(CHANNEL, shopify.SAMPLES.source, settings)})


@pytest.fixture
async def client(opened: Open) -> AsyncIterator[Client]:
    async with opened(Parts(installed(origins=(ORIGIN,)))) as (client, _):
        yield client


def signed(document: Any, topic: str = "orders/create", secret: str = shopify.SECRET) -> Request:
    return shopify.sign(shopify.sent(topic, document), secret)


async def posted(client: Client, request: Request, path: str = PATH, **headers: str) -> ClientResponse:
    told = {name: values[0] for name, values in request.headers.items()}
    return await client.post(path, data=request.body, headers=told | headers)


async def test_a_signed_request_becomes_events_and_is_kept_as_it_came(client: Client, log: Log) -> None:
    request = signed(shopify.ORDER)
    answer = await posted(client, request, Authorization="Bearer hush", X_Forwarded_For="1.2.3.4")
    assert answer.status == 200
    (event,) = log.events(1, ORDERS)
    assert (type(event).__name__, event.order_id) == ("OrderPlaced", "820982911946154508")
    (raw,) = log.events(1, RAW)
    assert (raw.body, raw.verdict, raw.meta.source) == (request.body, "1 OrderPlaced", "shop-nl")
    assert raw.request_id == answer.headers["X-Request-Id"]
    assert raw.headers["x-shopify-topic"] == "orders/create"
    assert raw.headers["authorization"] == raw.headers["x-shopify-hmac-sha256"] == "(redacted)"


async def test_what_became_no_event_is_a_dead_letter_and_a_success(client: Client, log: Log) -> None:
    answer = await posted(client, signed({"id": 1}))
    assert answer.status == 200
    (letter,) = log.events(1, DEAD_LETTERS)
    assert (letter.service, letter.reason, letter.value) == ("gateway.shopify", "unfit", b'{"id": 1}')
    assert letter.key.decode() == answer.headers["X-Request-Id"]
    assert len(log.events(1, RAW)) == 1


async def test_a_topic_that_nobody_knows_is_kept_as_it_came(client: Client, log: Log) -> None:
    assert (await posted(client, signed({"id": 1}, "themes/publish"))).status == 200
    (raw,) = log.events(1, RAW)
    assert raw.verdict == "nothing that is known"


async def test_a_wrong_signature_and_an_unknown_source_look_alike(client: Client, log: Log) -> None:
    wrong = await posted(client, signed(shopify.ORDER, secret="guessed"))
    unknown = await posted(client, signed(shopify.ORDER), "/in/shopify/shop-be")
    unsigned = await client.post(PATH, data=b"{}")
    told = [(each.status, await each.read(), set(each.headers)) for each in (wrong, unknown, unsigned)]
    assert told[0][0] == 401
    assert told[0] == told[1] == told[2]
    assert log.events(1, RAW) == []


async def test_whoever_goes_on_guessing_is_told_to_wait(client: Client) -> None:
    for _ in range(60):
        last = await posted(client, signed(shopify.ORDER, secret="guessed"))
    assert (last.status, last.headers["Retry-After"]) == (401, "1")
    assert (await posted(client, signed(shopify.ORDER))).status == 200


async def test_ten_at_once_and_a_repeat_are_ten_successes_and_one_fact(client: Client, log: Log) -> None:
    answers = [await posted(client, signed(shopify.ORDER)) for _ in range(10)]
    assert {answer.status for answer in answers} == {200}
    assert len({event.meta.event_id for event in log.events(10, ORDERS)}) == 1


async def test_a_source_that_sends_too_much_is_told_when_to_try_again(opened: Open) -> None:
    async with opened(Parts(installed(per_second=1, burst=3))) as (client, _):
        answers = [await posted(client, signed(shopify.ORDER)) for _ in range(5)]
    assert [answer.status for answer in answers] == [200, 200, 200, 429, 429]
    assert answers[-1].headers["Retry-After"] == "1"


async def test_a_paused_source_is_as_one_that_is_not_there(opened: Open) -> None:
    async with opened(Parts(installed(is_paused=True))) as (client, _):
        assert (await posted(client, signed(shopify.ORDER))).status == 401


async def test_a_full_disk_is_told_to_those_who_try_again(
    opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("connectors.gateway.delivery.SHED_AT", 0.0)
    async with opened(Parts(installed())) as (client, _):
        answer = await posted(client, signed(shopify.ORDER))
    assert (answer.status, answer.headers["Retry-After"]) == (503, "5")


async def test_a_body_of_the_limit_is_read_and_one_byte_more_is_not(client: Client) -> None:
    limit = CHANNEL.body_bytes_max
    assert limit < BATCH_BYTES_MAX
    fits = shopify.sign(post(b" " * limit, x_shopify_topic="orders/create"), shopify.SECRET)
    more = shopify.sign(post(b" " * (limit + 1), x_shopify_topic="orders/create"), shopify.SECRET)
    assert (await posted(client, fits)).status == 200
    assert (await posted(client, more)).status == 413


@pytest.mark.parametrize("path", ["/in/nothing/shop-nl", "/in/shopify", "/in"])
async def test_where_nothing_is_a_problem_says_so(client: Client, path: str) -> None:
    assert (await client.post(path, data=b"{}")).status == 404


async def test_another_method_is_told_which_one(client: Client) -> None:
    answer = await client.get(PATH)
    assert (answer.status, answer.headers["Allow"]) == (405, "POST")


async def test_a_page_of_an_allowed_origin_may_send_whatever_it_asks_to(client: Client) -> None:
    asked = {
        "Origin": ORIGIN,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,x-retry-count",
    }
    allowed = (await client.options(PATH, headers=asked)).headers
    assert allowed["Access-Control-Allow-Origin"] == ORIGIN
    assert allowed["Access-Control-Allow-Headers"] == "authorization,x-retry-count"
    refused = (await client.options(PATH, headers={**asked, "Origin": "https://elsewhere.example"})).headers
    assert "Access-Control-Allow-Origin" not in refused
    answer = await posted(client, signed(shopify.ORDER), Origin=ORIGIN)
    assert "Retry-After" in answer.headers["Access-Control-Expose-Headers"]


async def test_the_public_url_is_what_is_configured_and_not_what_the_sender_says(
    opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Request] = []
    channel = module.BY_NAME["shopify"]

    def receive(request: Request, source: Any) -> Any:
        seen.append(request)
        return channel.receive(request, source)

    listening = {"shopify": replace(channel, receive=receive)}
    monkeypatch.setattr("connectors.gateway.webhooks.BY_NAME", listening)
    parts = Parts(installed(), public_url="https://hooks.shop.example", proxies=1)
    async with opened(parts) as (client, _):
        headers = {"Host": "evil.example", "X-Forwarded-For": "6.6.6.6, 192.0.2.7"}
        await posted(client, signed(shopify.ORDER), f"{PATH}?a=1%202", **headers)
    assert seen[0].public_url == f"https://hooks.shop.example{PATH}?a=1%202"
    assert (seen[0].peer, seen[0].route) == ("192.0.2.7", "")


async def test_while_a_schema_is_not_there_it_is_ours_to_mend(client: Client) -> None:
    answer = await posted(client, signed(shopify.REFUND, "refunds/create"))
    assert answer.status == 503


async def test_a_sender_of_cloudevents_may_ask_first(client: Client) -> None:
    answer = await client.options(PATH, headers={"WebHook-Request-Origin": "eventemitter.example"})
    assert (answer.status, answer.headers["WebHook-Allowed-Origin"]) == (200, "eventemitter.example")
