"""No gap and no double, whatever dies and whoever asks beside, on a real Kafka."""

import asyncio
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from aiohttp import web

from connectors.polling.asking import Away
from connectors.polling.ledger import Replaced
from schemas.topics import CURSORS, DEAD_LETTERS
from tests.connectors.polling.conftest import EACH_ONCE, Rig, order

pytestmark = pytest.mark.servers


async def test_the_next_sweep_overlaps_and_sends_only_what_is_new(
    rig: Rig, client: httpx.AsyncClient
) -> None:
    sweeps = rig.sweeps(client)
    cursor = await sweeps.sweep(await sweeps.opened())
    assert rig.ids() == EACH_ONCE
    rig.shop.pages = [[order(2, 1), order(3, 9)]]
    await sweeps.sweep(cursor)
    assert "updated_at_min=2025-11-24T10%3A57%3A00Z" in rig.shop.asked[-1]
    assert rig.ids() == sorted([*EACH_ONCE, "OrderReported 3"])


async def test_a_new_poller_goes_on_where_the_last_one_stood(rig: Rig, client: httpx.AsyncClient) -> None:
    first, second = rig.sweeps(client), rig.sweeps(client)
    cursor = await first.sweep(await first.opened())
    assert await second.opened() == cursor
    await second.sweep(cursor)
    assert rig.ids() == EACH_ONCE


async def test_a_second_poller_shuts_the_first_out(rig: Rig, client: httpx.AsyncClient) -> None:
    first, second = rig.sweeps(client), rig.sweeps(client)
    cursor = await first.opened()
    await second.sweep(await second.opened())
    with pytest.raises(Replaced):
        await first.sweep(cursor)
    assert rig.ids() == EACH_ONCE
    assert len(rig.events(CURSORS)) == 2


async def test_one_that_was_shut_out_does_not_come_back_when_its_source_does(
    rig: Rig, client: httpx.AsyncClient
) -> None:
    first, second = rig.sweeps(client), rig.sweeps(client)
    rig.shop.scripted = [web.Response(status=500)]

    async def sleep(_: float) -> None:
        await second.sweep(await second.opened())

    await asyncio.wait_for(first.run(300, sleep, lambda: 0.0), 30)
    assert first.fault is not None
    assert "another poller" in first.fault
    assert rig.ids() == EACH_ONCE
    assert len(rig.events(CURSORS)) == 2


async def test_a_failing_page_leaves_the_cursor_before_it(rig: Rig, client: httpx.AsyncClient) -> None:
    rig.shop.scripted = [web.Response(status=500)]
    sweeps = rig.sweeps(client)
    with pytest.raises(Away):
        await sweeps.sweep(await sweeps.opened())
    assert rig.events(CURSORS) == []


async def test_a_page_that_is_gone_begins_the_sweep_again(rig: Rig, client: httpx.AsyncClient) -> None:
    sweeps = rig.sweeps(client)
    cursor = await sweeps._turned(await sweeps.opened())
    assert cursor.page == "1"
    rig.shop.scripted = [web.Response(status=400)]
    await sweeps.sweep(cursor)
    assert rig.ids() == EACH_ONCE


async def test_what_does_not_fit_is_one_dead_letter(rig: Rig, client: httpx.AsyncClient) -> None:
    rig.shop.pages = [[order(1, 0), {"id": 9}]]
    sweeps = rig.sweeps(client)
    cursor = await sweeps.sweep(await sweeps.opened())
    await sweeps.sweep(cursor)
    assert rig.ids() == ["OrderPlaced 1", "OrderReported 1"]
    assert [each.reason for each in rig.events(DEAD_LETTERS)] == ["unfit"]


async def test_a_limited_source_is_left_alone_as_long_as_it_says(rig: Rig, client: httpx.AsyncClient) -> None:
    rig.shop.scripted = [web.Response(status=429, headers={"Retry-After": "7"}), web.Response(status=429)]
    slept: list[float] = []

    async def sleep(wait_s: float) -> None:
        slept.append(wait_s)
        if len(slept) == 3:
            raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        await rig.sweeps(client).run(300, sleep, lambda: 0.0)
    assert slept == [7.0, 2.0, 300]
    assert rig.ids() == EACH_ONCE


@pytest.mark.parametrize("point", ["poller_between_pages", "poller_before_commit:2", "poller_after_commit"])
async def test_a_crash_leaves_no_gap_and_no_double(
    rig: Rig, environment: dict[str, str], file: Callable[[str], Path], point: str
) -> None:
    variables = {
        **environment,
        "VAART_GATEWAY__SOURCES": str(file(rig.shop.url)),
        "SHOP_TOKEN": "hush",
        "VAART_CLOCK": "wall",
    }
    died = await _served({**variables, "VAART_FAILPOINT": point})
    assert await asyncio.wait_for(died.wait(), 60) == -signal.SIGKILL
    assert len(rig.events(CURSORS)) == 1
    again = await _served(variables)
    async with asyncio.timeout(60):
        while len(await asyncio.to_thread(rig.events, CURSORS)) < 2:
            pass
    again.terminate()
    assert await asyncio.wait_for(again.wait(), 30) == 0
    assert rig.ids() == EACH_ONCE


async def _served(variables: dict[str, str]) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "vaart.cli", "serve", "poller", env={**os.environ, **variables}
    )
