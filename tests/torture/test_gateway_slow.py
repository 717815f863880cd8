"""Five hundred connections that drip: each is given up in its time, and honest requests are answered all the while."""

import asyncio
import json
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path
from statistics import quantiles

import pytest

from tests.connectors.gateway.events import sold
from tests.connectors.gateway.running import SHOP, Ground, Running, running, spoken, wait_until
from tests.torture.conftest import Report
from vaart.addresses import Addresses

pytestmark = [pytest.mark.servers, pytest.mark.torture, pytest.mark.timeout(600)]

SLOW, DRIP_S = 500, 2.0
CLOSED_WITHIN_S = 10.0
RATE, CALM_S, DRIPPING_S = 50, 10.0, 15.0
MEMORY_MAX = 100_000_000
EVENT = spoken("POST", "/v1/events", json.dumps(sold()).encode(), Content_Type="application/json")
DRIPS = {
    "slow head": b"POST /v1/events HTTP/1.1\r\nHost: in.example\r\nX-A: ",
    "slow body": spoken("POST", "/v1/events", Content_Length="1000", Content_Type="application/json"),
    "slow webhook": spoken("POST", SHOP, Content_Length="1000"),
    "slow chunks": spoken("POST", SHOP, Content_Length="", Transfer_Encoding="chunked") + b"400\r\n",
}


@dataclass
class Honest:
    """What the others were answered."""

    took_s: list[float] = field(default_factory=list)

    async def send(self, port: int, seconds: float) -> float:
        """At their moments, each on a connection of its own. The 99th percentile, in ms."""
        self.took_s.clear()
        began = time.monotonic()
        sent = []
        for number in range(int(RATE * seconds)):
            await asyncio.sleep(max(0.0, began + number / RATE - time.monotonic()))
            sent.append(asyncio.create_task(self._one(port, time.monotonic())))
        await asyncio.gather(*sent)
        return quantiles(self.took_s, n=100)[98] * 1_000

    async def _one(self, port: int, at: float) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(EVENT)
        assert (await reader.readuntil(b"\r\n")).startswith(b"HTTP/1.1 202")
        writer.close()
        self.took_s.append(time.monotonic() - at)


async def dripped(port: int, head: bytes) -> float:
    """After how many seconds the gateway hung up on it."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    began = time.monotonic()
    writer.write(head)
    heard = asyncio.create_task(reader.read())
    while not heard.done() and time.monotonic() - began < 3 * CLOSED_WITHIN_S:
        writer.write(b"a")
        await asyncio.wait([heard], timeout=DRIP_S)
    took = time.monotonic() - began
    heard.cancel()
    await asyncio.gather(heard, return_exceptions=True)
    writer.close()
    return took


async def all_dripped(port: int) -> dict[str, float]:
    """The longest that a connection of each kind was there, in seconds."""
    heads = list(DRIPS.items()) * (SLOW // len(DRIPS))
    took = await asyncio.gather(*(dripped(port, head) for _, head in heads))
    return {
        name: max(each for (kind, _), each in zip(heads, took, strict=True) if kind == name) for name in DRIPS
    }


def drip(port: int) -> dict[str, float]:
    """In a process of its own: what 500 connections cost whoever holds them open is not the gateway's doing."""
    return asyncio.run(all_dripped(port))


async def among(gateway: Running) -> tuple[float, float, dict[str, float], int]:
    """p99 without and with them, the longest of each kind, and the memory at its most."""
    honest = Honest()
    calm_ms = await honest.send(gateway.port, CALM_S)
    with ProcessPoolExecutor(1, get_context("spawn")) as others:
        dripping = asyncio.get_running_loop().run_in_executor(others, drip, gateway.port)
        crowded_ms = await honest.send(gateway.port, DRIPPING_S)
        memory = gateway.memory()
        longest = await dripping
    return calm_ms, crowded_ms, longest, memory


def test_five_hundred_that_drip(servers: Addresses, tmp_path: Path, report: Report) -> None:
    ground = Ground(servers, tmp_path)
    ground.prepare()
    with running(ground) as gateway:
        asyncio.run(Honest().send(gateway.port, 2.0))
        memory, files = gateway.memory(), gateway.files()
        calm_ms, crowded_ms, longest, at_most = asyncio.run(among(gateway))
        wait_until(lambda: gateway.files() <= files, CLOSED_WITHIN_S)
        assert at_most - memory < MEMORY_MAX
        assert gateway.stop() == 0
    told = ", ".join(f"{name} {seconds:.1f} s" for name, seconds in longest.items())
    report(
        f"{SLOW} connections, a byte every {DRIP_S:.0f} s: p99 of honest requests {calm_ms:.0f} ms without them and "
        f"{crowded_ms:.0f} ms among them; hung up on after at most: {told}; memory +{(at_most - memory) / 1e6:.0f} MB"
    )
    assert max(longest.values()) <= CLOSED_WITHIN_S + DRIP_S
