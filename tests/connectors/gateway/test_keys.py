"""Senders' keys: asked for once, from where the channel says, and an answer that does not come is no refusal."""

import asyncio
from collections.abc import Callable

import httpx
import pytest

from connectors.gateway.keys import ANSWER_BYTES_MAX, KeyAway, Keys
from connectors.protocol.channel import KeyPlace, Source

PLACE = KeyPlace(
    lambda name, _: f"https://keys.example/{name}" if name.isalnum() else None,
    lambda body, _: body if body.startswith(b"key") else None,
)
ASKED: list[str] = []


def keys(answer: Callable[[httpx.Request], httpx.Response]) -> Keys:
    ASKED.clear()

    def noted(request: httpx.Request) -> httpx.Response:
        ASKED.append(str(request.url))
        return answer(request)

    return Keys(httpx.AsyncClient(transport=httpx.MockTransport(noted)))


async def test_a_key_is_asked_for_once_however_many_wait_for_it() -> None:
    found = keys(lambda _: httpx.Response(200, content=b"key one"))
    got = await asyncio.gather(*(found.get(PLACE, "one", Source("a")) for _ in range(50)))
    assert set(got) == {b"key one"}
    assert await found.get(PLACE, "one", Source("a")) == b"key one"
    assert ASKED == ["https://keys.example/one"]


async def test_a_name_that_leads_elsewhere_is_not_asked_for() -> None:
    found = keys(lambda _: httpx.Response(200, content=b"key"))
    assert await found.get(PLACE, "../../etc", Source("a")) is None
    assert ASKED == []


@pytest.mark.parametrize(
    "answer", [httpx.Response(404), httpx.Response(302, headers={"Location": "http://127.0.0.1/"})]
)
async def test_a_key_that_is_not_there_is_remembered_as_such(answer: httpx.Response) -> None:
    found = keys(lambda _: answer)
    assert [await found.get(PLACE, "one", Source("a")) for _ in range(3)] == [None] * 3
    assert len(ASKED) == 1


@pytest.mark.parametrize(
    "answer", [httpx.Response(503), httpx.Response(200, content=b"key" + b"x" * ANSWER_BYTES_MAX)]
)
async def test_an_answer_that_is_none_is_asked_for_again(answer: httpx.Response) -> None:
    found = keys(lambda _: answer)
    for _ in range(2):
        with pytest.raises(KeyAway):
            await found.get(PLACE, "one", Source("a"))
    assert len(ASKED) == 2
