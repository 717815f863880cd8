"""The gateway on a real Kafka and registry: what it says is kept is kept, and nothing it is sent makes it fail."""

import asyncio
import gzip
import json
import os
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from connectors.gateway import bodies
from connectors.gateway.delivery import PRODUCER
from connectors.gateway.spool import Spool
from connectors.protocol.channel import BATCH_BYTES_MAX
from schemas.codec import Codec
from schemas.events.stock import StockSold
from schemas.meta import Meta
from schemas.topics import STOCK
from tests.connectors.gateway.conftest import Client, Log, Open, Parts
from tests.connectors.gateway.events import NOW, sold
from vaart import kafka
from vaart.addresses import Addresses
from vaart.settings import Settings

pytestmark = pytest.mark.servers

URL = "/v1/events"
AVRO = {"Content-Type": "application/vnd.confluent.avro"}


async def test_one_event_is_answered_when_kafka_has_it(client: Client, log: Log) -> None:
    answer = await client.post(URL, json=sold())
    assert answer.status == 202
    (kept,) = log.events(1)
    assert (await answer.json())["event_id"] == kept.meta.event_id


async def test_a_list_keeps_its_order_within_a_key(client: Client, log: Log) -> None:
    answer = await client.post(URL, json=[sold(quantity=each) for each in range(50)])
    assert (answer.status, (await answer.json())["accepted"]) == (202, 50)
    assert [event.quantity for event in log.events(50) if isinstance(event, StockSold)] == list(range(50))


async def test_the_good_ones_of_a_list_go_through(client: Client, log: Log) -> None:
    answer = await client.post(URL, json=[sold(quantity="2"), sold(), sold(type="Nothing"), 3])
    told = await answer.json()
    assert answer.status == 207
    assert [item["status"] for item in told["items"]] == [422, 202, 422, 422]
    assert told["items"][0]["errors"] == [{"pointer": "/quantity", "detail": "must be a whole number"}]
    assert len(log.events(1)) == 1


async def test_a_list_without_a_good_one_is_a_problem(client: Client) -> None:
    answer = await client.post(URL, json=[3, sold(type="Nothing")])
    assert (answer.status, answer.content_type) == (422, "application/problem+json")
    assert len((await answer.json())["items"]) == 2


async def test_an_avro_event_is_read_and_received_now(client: Client, log: Log, codec: Codec) -> None:
    meta = Meta(
        event_id="5B2A6F0E-8C1D-5C4F-9D37-A1E6C0B4F218",
        occurred_at=NOW + 5,
        received_at=1,
        channel="store",
        source="tills",
    )
    fields = {name: value for name, value in sold().items() if name not in ("meta", "type")}
    answer = await client.post(
        URL, data=codec.encoder(STOCK, StockSold)(StockSold(meta=meta, **fields)), headers=AVRO
    )
    assert answer.status == 202
    kept = log.events(1)[0].meta
    assert (kept.occurred_at, kept.received_at, kept.event_id) == (NOW, NOW, meta.event_id.lower())


@pytest.mark.parametrize("raw", [b"", b"\0", b"{}", b"\0\0\0\0\0", b"\0\x7f\xff\xff\xff1", b"\1aaaaaaaaaaaa"])
async def test_bytes_that_are_no_avro_event_are_refused(client: Client, raw: bytes) -> None:
    assert (await client.post(URL, data=raw, headers=AVRO)).status == 422


@pytest.mark.parametrize(
    ("raw", "headers", "status"),
    [
        (b"{", {}, 400),
        (b"[]", {}, 400),
        (b"[" + b"1," * 1000 + b"1]", {}, 400),
        (b"[" * 100_000, {}, 400),
        (json.dumps({f"f{each}": 1 for each in range(100_000)}).encode(), {}, 422),
        (json.dumps(sold(sku="x" * 300_000)).encode(), {}, 413),
        (b"{}", {"Content-Type": "text/plain"}, 415),
        (b"{}", {"Content-Encoding": "compress"}, 415),
        (b"not packed", {"Content-Encoding": "gzip"}, 400),
        (b" " * (BATCH_BYTES_MAX + 1), {}, 413),
    ],
)
async def test_what_is_wrong_is_the_senders_fault(
    client: Client, raw: bytes, headers: dict[str, str], status: int
) -> None:
    answer = await client.post(URL, data=raw, headers={"Content-Type": "application/json"} | headers)
    assert (answer.status, answer.content_type) == (status, "application/problem+json")


async def test_a_packed_body_is_unpacked(client: Client, log: Log) -> None:
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    answer = await client.post(URL, data=gzip.compress(json.dumps(sold()).encode()), headers=headers)
    assert answer.status == 202
    assert len(log.events(1)) == 1


async def test_a_bomb_is_cut_off(client: Client) -> None:
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    answer = await client.post(URL, data=gzip.compress(b" " * 50_000_000), headers=headers)
    assert answer.status == 413


async def test_a_body_that_drips_is_given_up(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "READ_S_MAX", 0.1)

    async def drips() -> Any:
        yield b"{"
        await asyncio.sleep(5)

    answer = await client.post(URL, data=drips(), headers={"Content-Type": "application/json"})
    assert answer.status == 408


async def test_bodies_that_are_gone_leave_room(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "IN_FLIGHT_BYTES_MAX", 1_000)
    assert (await client.post(URL, json=sold(sku="x" * 1_000))).status == 503
    for _ in range(5):
        assert (await client.post(URL, json=sold())).status == 202


async def test_another_method_or_path_is_a_problem(client: Client) -> None:
    assert (await client.get(URL)).status == 405
    assert (await client.post("/")).status == 404


async def test_while_kafka_is_away_the_disk_keeps_it(
    settings: Settings, codec: Codec, tmp_path: Path, opened: Open
) -> None:
    away = Addresses(f"127.0.0.1:{free_port()}", "", "", "")
    unreachable = Parts(connect=lambda: kafka.Publisher(settings, away, {**PRODUCER, "log_level": 0}))
    async with opened(unreachable) as (client, door):
        answer = await client.post(URL, json=[sold(), sold(quantity="2")])
        told = await answer.json()
        assert not door.delivery.is_direct
    assert answer.status == 207
    assert [item["status"] for item in told["items"]] == [202, 422]
    records, _ = Spool(tmp_path / "spool" / "one").read(10)
    assert [record.topic for record in records] == [STOCK.name]


async def test_when_neither_takes_it_nothing_is_claimed(settings: Settings, opened: Open) -> None:
    away = Addresses(f"127.0.0.1:{free_port()}", "", "", "")
    unreachable = Parts(
        connect=lambda: kafka.Publisher(settings, away, {**PRODUCER, "log_level": 0}), spool_bytes_max=1
    )
    async with opened(unreachable) as (client, _):
        await client.post(URL, json=sold())
        answer = await client.post(URL, json=sold())
    assert (answer.status, answer.headers["Retry-After"]) == (503, "5")


async def test_a_schema_that_nobody_registered_is_ours_to_mend(client: Client) -> None:
    counted = {"type": "StockReceived", "meta": sold()["meta"], "sku": "a", "location_id": "b", "quantity": 1}
    answer = await client.post(URL, json=counted)
    assert answer.status == 503


def test_sigterm_ends_it_with_0_and_its_management_port_is_another(
    environment: dict[str, str], log: Log
) -> None:
    with gateway(environment) as (process, lines):
        management, public = (json.loads(next(lines))["address"] for _ in range(2))
        request = urllib.request.Request(
            public + URL, json.dumps(sold()).encode(), {"Content-Type": "application/json"}
        )
        assert urllib.request.urlopen(request).status == 202
        assert urllib.request.urlopen(management + "/readyz").status == 200
        assert b"vaart_events_received_total" in urllib.request.urlopen(management + "/metrics").read()
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
    assert len(log.events(1)) == 1


def test_without_kafka_it_says_what_to_do(environment: dict[str, str]) -> None:
    away = {"VAART_KAFKA__BOOTSTRAP_SERVERS": f"127.0.0.1:{free_port()}"}
    with gateway(environment | away) as (process, _):
        _, told = process.communicate(timeout=30)
        assert process.returncode == 69
        assert "VAART_KAFKA__BOOTSTRAP_SERVERS" in told


def test_a_taken_port_is_a_wrong_setting(environment: dict[str, str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = {"VAART_GATEWAY__PORT": str(taken.getsockname()[1])}
        with gateway(environment | port) as (process, _):
            _, told = process.communicate(timeout=30)
    assert process.returncode == 78
    assert "VAART_GATEWAY__PORT" in told


@contextmanager
def gateway(environment: dict[str, str]) -> Iterator[tuple[subprocess.Popen[str], Iterator[str]]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "vaart.cli", "serve", "gateway"],
        env={"VAART_GATEWAY__PORT": "0"} | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        yield process, iter(process.stdout)
    finally:
        if process.poll() is None:
            os.kill(process.pid, signal.SIGKILL)
        process.communicate()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])
