"""Kafka stays away under load: what the gateway answered well is in Kafka in the end, in its key's order."""

import asyncio
import json
import os
import signal
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from schemas.topics import ORDERS, STOCK
from tests.connectors.channels.samples import shopify
from tests.connectors.gateway.events import sold
from tests.connectors.gateway.running import Ground, Running, running, signed, spoken, told, wait_until
from tests.streams.engine.broker import Broker, own_broker
from tests.torture.conftest import Report
from vaart.addresses import Addresses

pytestmark = [pytest.mark.servers, pytest.mark.torture, pytest.mark.timeout(1_800)]

AWAY_S = float(os.environ.get("AWAY_S", "300"))
BEFORE_S, AFTER_S = 5.0, 15.0
RATE, KEYS = 150, 50
DRAINS_WITHIN_S = 300.0
LOOK_S = 0.5
GOOD = (200, 202)


@pytest.fixture
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    with own_broker(tmp_path_factory.mktemp("broker")) as made:
        yield made


class Lane:
    """One key's sender: it never waits for an answer, and its requests arrive in their order."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, load: "Load") -> None:
        self._reader, self._writer, self._load = reader, writer, load
        self._sent: deque[tuple[int, float]] = deque()

    def send(self, number: int) -> None:
        """Every other key's are signed webhooks."""
        self._writer.write(_request(number))
        self._sent.append((number, time.monotonic()))

    async def settled(self) -> None:
        """All was answered."""
        while self._sent:
            head = await self._reader.readuntil(b"\r\n\r\n")
            length = next(
                int(line[15:]) for line in head.lower().split(b"\r\n") if line[:15] == b"content-length:"
            )
            await self._reader.readexactly(length)
            number, at = self._sent.popleft()
            self._load.note(number, int(head[9:12]), time.monotonic() - at)

    def close(self) -> None:
        self._writer.close()


@dataclass
class Load:
    """An open loop, and what became of its requests."""

    answers: Counter[int] = field(default_factory=Counter)
    kept: list[int] = field(default_factory=list)
    slowest_s: float = 0.0
    spool_bytes: int = 0
    memory_bytes: int = 0
    is_over: bool = False

    async def run(self, gateway: Running, spool: Path, seconds: float) -> None:
        """Each request has its moment, whether or not those before it are answered."""
        opened = [await asyncio.open_connection("127.0.0.1", gateway.port) for _ in range(KEYS)]
        lanes = [Lane(*each, self) for each in opened]
        settling = asyncio.create_task(self._settle(lanes, lambda: self._look(gateway, spool)))
        began = time.monotonic()
        for number in range(int(RATE * seconds)):
            await asyncio.sleep(max(0.0, began + number / RATE - time.monotonic()))
            lanes[number % KEYS].send(number)
        self.is_over = True
        await settling
        for lane in lanes:
            await lane.settled()
            lane.close()

    def note(self, number: int, status: int, took_s: float) -> None:
        """One was answered."""
        self.answers[status] += 1
        self.slowest_s = max(self.slowest_s, took_s)
        if status in GOOD:
            self.kept.append(number)

    async def _settle(self, lanes: list[Lane], look: Callable[[], None]) -> None:
        while not self.is_over:
            reading = [asyncio.create_task(lane.settled()) for lane in lanes]
            await asyncio.sleep(LOOK_S)
            look()
            await asyncio.gather(*reading)

    def _look(self, gateway: Running, spool: Path) -> None:
        self.spool_bytes = max(self.spool_bytes, _bytes_in(spool))
        self.memory_bytes = max(self.memory_bytes, gateway.memory())


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP], ids=lambda number: str(number.name))
def test_kafka_stays_away_under_load(
    broker: Broker, servers: Addresses, tmp_path: Path, report: Report, number: signal.Signals
) -> None:
    ground = Ground(Addresses(broker.address, servers.registry, servers.postgres, servers.postgres), tmp_path)
    ground.prepare()
    load, spool = Load(), tmp_path / "spool"
    with running(ground) as gateway:
        asyncio.run(_stormy(load, gateway, spool, broker, number))
        began = time.monotonic()
        wait_until(lambda: _bytes_in(spool) == 0, DRAINS_WITHIN_S)
        drained_s = time.monotonic() - began
        assert gateway.stop() == 0
    report(
        f"away for {AWAY_S:.0f} s under {RATE} requests a second: answered {dict(load.answers)}, at the latest after "
        f"{load.slowest_s:.1f} s; spool {load.spool_bytes / 1e6:.1f} MB and memory {load.memory_bytes / 1e6:.0f} MB at "
        f"most, empty {drained_s:.1f} s after the last request; {_prove(ground, load)}"
    )


async def _stormy(load: Load, gateway: Running, spool: Path, broker: Broker, number: signal.Signals) -> None:
    sending = asyncio.create_task(load.run(gateway, spool, BEFORE_S + AWAY_S + AFTER_S))
    await asyncio.sleep(BEFORE_S)
    await asyncio.to_thread(broker.signal, number)
    await asyncio.sleep(AWAY_S)
    if number is signal.SIGKILL:
        await asyncio.to_thread(broker.start)
    else:
        broker.signal(signal.SIGCONT)
    await sending


def _prove(ground: Ground, load: Load) -> str:
    """Nothing that was answered well is missing, and what is there first is in the order of its key."""
    sales = [event.quantity - 1 for event in ground.events(STOCK)]
    orders = [int(event.order_id) for event in ground.events(ORDERS)]
    found = {*sales, *orders}
    assert set(load.kept) <= found, f"{len(set(load.kept) - found)} are lost"
    for key in range(1, KEYS, 2):
        of_key = [number for number in dict.fromkeys(sales) if number % KEYS == key]
        assert of_key == sorted(of_key)
    return f"{len(load.kept)} of them kept, none lost, {len(sales) + len(orders) - len(found)} written twice"


def _request(number: int) -> bytes:
    if number % KEYS % 2:
        event = sold(sku=f"key-{number % KEYS}", document_id=str(number), quantity=number + 1)
        return spoken("POST", "/v1/events", json.dumps(event).encode(), Content_Type="application/json")
    return told(signed({**shopify.ORDER, "id": number}))


def _bytes_in(folder: Path) -> int:
    """Of the spools in it. A segment may be deleted meanwhile."""
    found = 0
    for path in folder.rglob("*.spool"):
        try:
            found += path.stat().st_size
        except FileNotFoundError:
            continue
    return found
