"""The way in: signed webhooks and Segment batches at a steady rate, whatever the gateway answers, and `receive` alone.

Beside it the least that a way in does (run_bare.py), asked the same.

An open loop: each request has its moment, and how long it took counts from there, also where it had to wait for a
connection. The rate goes up until the 99th percentile of that is too high.
"""

import asyncio
import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import quantiles

import httpx

from connectors.channels import segment, shopify
from connectors.protocol.channel import Request
from tests.bench import receiving
from tests.bench.figures import Figure
from tests.bench.ground import ASKING, Ground, Service, on, running, wait_for
from tests.connectors.channels.samples import shopify as shopify_samples

CONNECTIONS = 64
STEP_S, STEP_QUICK_S = 10.0, 2.0
WEBHOOK_RATES = (500, 1_000, 1_500, 2_000, 2_500, 3_000)
BATCH_RATES = (20, 40, 80, 120, 160, 200, 240)
BATCH_EVENTS = 100
BODY_BYTES = 4_096
P99_MAX_MS = 50.0
TOLD = 0.95
"""A rate of which less than this was answered in its time is one that is too high."""
ROUNDS, ROUNDS_QUICK = 3_000, 500
PREFIX = "gateway."


@dataclass(frozen=True, slots=True)
class Step:
    """One rate: what was answered, and how long it took."""

    rate: int
    answered: int
    seconds: float
    p50_ms: float
    p99_ms: float
    cpu_us: float = 0.0

    @property
    def holds(self) -> bool:
        """Whether the gateway keeps up with it."""
        return self.p99_ms <= P99_MAX_MS and self.answered >= TOLD * self.rate * self.seconds


@dataclass(frozen=True, slots=True)
class Asked:
    """Who is asked, and for how long at each rate."""

    port: int
    service: Service
    seconds: float


def run(ground: Ground) -> Iterator[Figure]:
    """Webhooks, batches, bodies that nobody reads, and the reading alone."""
    port = _free_port()
    told = {**ground.environment(PREFIX), **_sources(ground.folder), "VAART_GATEWAY__PORT": str(port)}
    for words in (("topics", "apply", "--yes"), ("schemas", "register", "--yes")):
        subprocess.run([sys.executable, "-m", "vaart.cli", *words], env=told, check=True, capture_output=True)
    with running(ground, "gateway", ("-m", "vaart.cli", "serve", "gateway"), told) as service:
        wait_for("the gateway", lambda: _answers(port), [service])
        asked = Asked(port, service, STEP_QUICK_S if ground.is_quick else STEP_S)
        yield _best(f"webhooks of {BODY_BYTES // 1024} KB", asked, _webhooks(), WEBHOOK_RATES)
        yield _best(f"batches of {BATCH_EVENTS} events", asked, _batches(), BATCH_RATES, BATCH_EVENTS)
    topic = PREFIX + "bare"
    ground.create_topics({topic: {}})
    with running(ground, "bare", ("-m", "tests.bench.run_bare", str(port), topic), told) as service:
        wait_for("the bare one", lambda: _answers(port), [service])
        asked = replace(asked, service=service)
        yield _best("the same into Kafka as it came", asked, _webhooks(), WEBHOOK_RATES)
    yield from receiving.run(_webhook(1), ROUNDS_QUICK if ground.is_quick else ROUNDS)


def _best(
    name: str, asked: Asked, requests: Sequence[bytes], rates: Sequence[int], events: int = 1
) -> Figure:
    """The highest rate at which `asked` keeps up; a request holds so many `events`."""
    with on(ASKING):
        # Schemas are asked for, and Kafka's own code is slow until it has run for a while.
        asyncio.run(_driven(asked.port, requests, rates[0], 2 * asked.seconds))
        steps = list(_climbed(asked, requests, rates))
    best = max([step for step in steps if step.holds] or steps[:1], key=lambda step: step.rate)
    return Figure(
        name,
        best.answered * events,
        best.seconds,
        f"at {best.rate} requests a second p50 {best.p50_ms:.1f} ms, p99 {best.p99_ms:.1f} ms; "
        + "; ".join(f"{step.rate}: p99 {step.p99_ms:.0f} ms" for step in steps),
        cpu_us_per_record=best.cpu_us / events,
        more={"p99_ms": best.p99_ms, "peak_mb": asked.service.meter.memory_bytes_max / 1e6},
    )


def _climbed(asked: Asked, requests: Sequence[bytes], rates: Sequence[int]) -> Iterator[Step]:
    for rate in rates:
        began = time.time()
        step = asyncio.run(_driven(asked.port, requests, rate, asked.seconds))
        cpu_s = asked.service.meter.cpu_s(began, time.time())
        yield replace(step, cpu_us=cpu_s * 1e6 / max(1, step.answered))
        if not step.holds:
            return


async def _driven(port: int, requests: Sequence[bytes], rate: int, seconds: float) -> Step:
    due: asyncio.Queue[tuple[int, float] | None] = asyncio.Queue()
    took: list[float] = []

    async def sender() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        while (item := await due.get()) is not None:
            number, at = item
            writer.write(requests[number % len(requests)])
            head = await reader.readuntil(b"\r\n\r\n")
            if not head.startswith(b"HTTP/1.1 2"):
                raise RuntimeError(head.split(b"\r\n")[0].decode())
            length = next(
                (
                    int(line[15:])
                    for line in head.lower().split(b"\r\n")
                    if line.startswith(b"content-length:")
                ),
                0,
            )
            await reader.readexactly(length)
            took.append(time.perf_counter() - at)
        writer.close()

    senders = [asyncio.create_task(sender()) for _ in range(CONNECTIONS)]
    began = time.perf_counter()
    for number in range(int(rate * seconds)):
        at = began + number / rate
        if (ahead := at - time.perf_counter()) > 0:
            await asyncio.sleep(ahead)
        due.put_nowait((number, at))
        if number % 20 == 0:
            await asyncio.sleep(0)
    ended = time.perf_counter()
    for _ in senders:
        due.put_nowait(None)
    await asyncio.gather(*senders)
    cuts = quantiles(took, n=100)
    in_time = sum(each <= seconds for each in took)
    return Step(rate, in_time, max(seconds, ended - began), cuts[49] * 1_000, cuts[98] * 1_000)


def _webhooks() -> list[bytes]:
    found = []
    for number in range(200):
        request = _webhook(number)
        headers = {name: values[0] for name, values in request.headers.items()}
        found.append(_raw("/in/shopify/shop-nl", request.body, headers))
    return found


def _webhook(number: int) -> Request:
    return shopify_samples.sign(shopify_samples.sent("orders/create", _order(number)), shopify_samples.SECRET)


def _order(number: int) -> dict[str, object]:
    order = {**shopify_samples.ORDER, "id": 10**15 + number, "note": ""}
    return {**order, "note": "x" * max(0, BODY_BYTES - len(json.dumps(order)))}


def _batches() -> list[bytes]:
    found = []
    for number in range(50):
        items = [
            {
                "type": "page",
                "messageId": f"bench-{number}-{item}",
                "anonymousId": f"visitor-{number}-{item}",
                "timestamp": "2025-11-24T10:00:00Z",
                "properties": {
                    "url": f"https://www.shop.example/p/{item}",
                    "title": "A dress",
                    "path": f"/p/{item}",
                },
            }
            for item in range(BATCH_EVENTS)
        ]
        body = json.dumps({"batch": items, "writeKey": "wk_bench", "sentAt": "2025-11-24T10:00:01Z"}).encode()
        found.append(_raw("/v1/batch", body, {"content-type": "application/json"}))
    return found


def _raw(path: str, body: bytes, headers: dict[str, str]) -> bytes:
    told = {"Host": "127.0.0.1", "Content-Length": str(len(body)), **headers}
    lines = [f"POST {path} HTTP/1.1", *(f"{name}: {value}" for name, value in told.items()), "", ""]
    return "\r\n".join(lines).encode() + body


def _sources(folder: Path) -> dict[str, str]:
    path = folder / "sources.yaml"
    much = {"per_second": 100_000, "burst": 100_000}
    sources = {
        "shop-nl": {
            "channel": shopify.CHANNEL.name,
            "secrets": [{"env": "SHOP"}],
            "zone": "Europe/Amsterdam",
            **much,
        },
        "site": {"channel": segment.CHANNEL.name, "write_keys": ["wk_bench"], **much},
    }
    path.write_text(json.dumps({"sources": sources}))  # JSON is YAML
    return {"VAART_GATEWAY__SOURCES": str(path), "SHOP": shopify_samples.SECRET}


def _answers(port: int) -> bool:
    try:
        httpx.get(f"http://127.0.0.1:{port}/v1/events")
    except httpx.TransportError:
        return False
    return True


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])
