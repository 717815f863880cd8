"""While the registry is away: what is known goes on, what is not is asked for again later, and nothing is lost."""

import json
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from schemas.topics import ORDERS, STOCK
from tests.connectors.channels.samples import shopify
from tests.connectors.gateway.events import sold
from tests.connectors.gateway.relay import Relay, relayed
from tests.connectors.gateway.running import COMMAND, Ground, Running, running, signed, spoken, status, told
from vaart.addresses import Addresses

pytestmark = pytest.mark.servers

KNOWN = spoken("POST", "/v1/events", json.dumps(sold()).encode(), Content_Type="application/json")
UNKNOWN_RECEIPT = {
    "type": "SoldInStore",
    "meta": {"channel": "store", "source": "tills", "source_event_id": "17"},
    "receipt_id": "17",
    "store_id": "haarlem",
    "business_date": "2026-11-25",
    "currency": "EUR",
    "lines": [],
    "totals": {"total": "0"},
}
UNKNOWN = {
    "our own API": spoken(
        "POST", "/v1/events", json.dumps(UNKNOWN_RECEIPT).encode(), Content_Type="application/json"
    ),
    "a webhook": told(signed(shopify.ORDER)),
}
COLD = 24
"""Requests at once: more than there are threads."""


@pytest.fixture
def registry(servers: Addresses) -> Iterator[Relay]:
    with relayed(servers.registry) as relay:
        yield relay


@pytest.fixture
def ground(servers: Addresses, registry: Relay, tmp_path: Path) -> Ground:
    made = Ground(servers, tmp_path)
    made.prepare()
    return replace(made, variables={"VAART_REGISTRY__URL": registry.url})


def asked_again(gateway: Running) -> None:
    """Each is told to come again."""
    for name, raw in UNKNOWN.items():
        answer = gateway.say(raw)
        assert (status(answer), b"Retry-After: 5" in answer) == (503, True), name


def test_what_is_known_goes_on_and_what_is_not_comes_again(ground: Ground, registry: Relay) -> None:
    with running(ground) as gateway:
        assert status(gateway.say(KNOWN)) == 202
        registry.cut()
        assert status(gateway.say(KNOWN)) == 202
        asked_again(gateway)
        assert status(gateway.say(KNOWN)) == 202
        registry.mend()
        assert [status(gateway.say(raw)) for raw in UNKNOWN.values()] == [202, 200]
    assert len(ground.events(STOCK)) == 3
    assert sorted(type(event).__name__ for event in ground.events(ORDERS)) == ["OrderPlaced", "SoldInStore"]


def test_nobody_waits_for_a_registry_that_hangs_but_who_needs_it(ground: Ground, registry: Relay) -> None:
    with running(ground) as gateway:
        assert status(gateway.say(KNOWN)) == 202
        avro = ground.values(STOCK)[0]
        framed = spoken("POST", "/v1/events", avro, Content_Type="application/vnd.confluent.avro")
        assert status(gateway.say(framed)) == 202
        registry.hang()
        with ThreadPoolExecutor(COLD) as pool:
            waiting = [pool.submit(gateway.say, raw) for raw in [*UNKNOWN.values()] * (COLD // 2)]
            for raw in (KNOWN, framed):
                assert status(gateway.say(raw)) == 202
            assert not any(each.done() for each in waiting)
            assert {status(each.result()) for each in waiting} == {503}
        registry.pass_on()
        assert [status(gateway.say(raw)) for raw in UNKNOWN.values()] == [202, 200]


def test_it_starts_without_the_registry_on_the_schemas_that_it_kept(ground: Ground, registry: Relay) -> None:
    with running(ground) as gateway:
        assert status(gateway.say(KNOWN)) == 202
        assert gateway.stop() == 0
    registry.cut()
    try:
        with running(ground) as gateway:
            assert status(gateway.say(KNOWN)) == 202
            asked_again(gateway)
            assert any(b"registry_away" in line for line in gateway.lines)
    finally:
        registry.mend()
    assert len(ground.events(STOCK)) == 2


def test_without_the_registry_and_its_schemas_it_says_what_to_do(ground: Ground) -> None:
    away = {"VAART_REGISTRY__URL": "http://127.0.0.1:9"}
    ended = subprocess.run(
        COMMAND, env=ground.environment | away, capture_output=True, text=True, check=False
    )
    assert (ended.returncode, "VAART_REGISTRY__URL" in ended.stderr) == (69, True)
