"""The management port: alive while the main loop turns, ready while every check passes."""

import json
import urllib.error
import urllib.request
from collections.abc import Iterator

import pytest

from vaart.errors import ConfigFault
from vaart.health import Health, HealthServer
from vaart.settings import Management, Settings


class HandMoved:
    """A clock that a test moves."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> HandMoved:
    return HandMoved()


@pytest.fixture
def health(clock: HandMoved) -> Health:
    return Health(beat_s_max=60, clock=clock)


@pytest.fixture
def address(health: Health) -> Iterator[str]:
    server = HealthServer(Settings(), health)
    yield server.address
    server.close()


def ask(url: str) -> tuple[int, bytes]:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def test_it_is_alive_while_it_beats(health: Health, clock: HandMoved, address: str) -> None:
    clock.now = 50
    health.beat()
    clock.now = 110
    assert ask(address + "/livez")[0] == 200
    clock.now = 111
    assert ask(address + "/livez")[0] == 503


def test_who_waits_for_another_server_is_alive_and_not_ready(
    health: Health, clock: HandMoved, address: str
) -> None:
    health.check("postgres", lambda: "away", is_excuse=True)
    clock.now = 1_000
    assert ask(address + "/livez")[0] == 200
    assert ask(address + "/readyz")[0] == 503


def test_what_is_not_ready_is_named(health: Health, address: str) -> None:
    assert ask(address + "/readyz")[0] == 200
    health.check("kafka", lambda: None)
    health.check("tables", lambda: "recovering")
    status, body = ask(address + "/readyz")
    assert (status, json.loads(body)["faults"]) == (503, {"tables": "recovering"})


def test_metrics_and_version_are_told_and_nothing_else(address: str) -> None:
    assert b"vaart_build_info" in ask(address + "/metrics")[1]
    assert ask(address + "/version")[0] == 200
    assert ask(address + "/")[0] == 404


def test_a_taken_port_says_which_setting(address: str) -> None:
    port = int(address.rpartition(":")[2])
    with pytest.raises(ConfigFault, match="VAART_MANAGEMENT__PORT"):
        HealthServer(Settings(management=Management(port=port)), Health())
