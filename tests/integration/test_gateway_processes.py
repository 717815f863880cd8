"""`vaart serve gateway --procs N`: several processes behind one port. One that is killed loses nothing."""

import json
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from schemas.topics import STOCK
from tests.connectors.gateway.events import sold
from vaart import addresses
from vaart.cli import schemas, topics
from vaart.reading import Reader
from vaart.settings import Settings

pytestmark = pytest.mark.servers
PATIENCE_S = 60
TAKEN = re.compile(rb'vaart_events_received_total\{[^}]*outcome="published"[^}]*\} ([0-9.]+)')


class Gateways:
    """Two of them, and what they have logged."""

    def __init__(self, environment: dict[str, str], folder: Path) -> None:
        self.url = f"http://127.0.0.1:{environment['VAART_GATEWAY__PORT']}/v1/events"
        self._file = folder / "gateways.log"
        command = [sys.executable, "-m", "vaart.cli", "serve", "gateway", "--procs", "2"]
        with self._file.open("wb") as log:
            self.supervisor = subprocess.Popen(command, env=environment, stdout=log, stderr=log)

    def wait_for(self, event: str, count: int) -> list[dict[str, Any]]:
        deadline = time.monotonic() + PATIENCE_S
        while len(found := self._said(event)) < count:
            assert time.monotonic() < deadline, self._file.read_text()[-3000:]
            time.sleep(0.1)
        return found

    def send(self, receipt: str) -> int:
        """The answer, over a connection of its own."""
        return httpx.post(self.url, json=sold(document_id=receipt), timeout=10).status_code

    def children(self) -> list[psutil.Process]:
        return psutil.Process(self.supervisor.pid).children()

    def _said(self, event: str) -> list[dict[str, Any]]:
        lines = [json.loads(line) for line in self._file.read_text().splitlines() if line.startswith("{")]
        return [line for line in lines if line["event"] == event]


@pytest.fixture
def gateways(settings: Settings, environment: dict[str, str], tmp_path: Path) -> Iterator[Gateways]:
    topics.ensure(settings)
    schemas.ensure(settings)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    made = Gateways({**environment, "VAART_GATEWAY__PORT": str(port)}, tmp_path)
    yield made
    if made.supervisor.poll() is None:
        for child in made.children():
            child.kill()
        made.supervisor.kill()
        made.supervisor.wait()


def taken(address: str) -> float:
    return sum(map(float, TAKEN.findall(urllib.request.urlopen(address + "/metrics", timeout=10).read())))


def test_two_share_a_port_and_one_that_is_killed_is_missed_by_nobody(
    settings: Settings, gateways: Gateways
) -> None:
    gateways.wait_for("gateway_listens", 2)
    places = [line["address"] for line in gateways.wait_for("management_listens", 2)]
    answers = [gateways.send(f"r-{number}") for number in range(60)]
    assert set(answers) == {202}
    assert all(taken(place) > 0 for place in places)
    assert sum(map(taken, places)) == 60
    gateways.children()[0].send_signal(signal.SIGKILL)
    gateways.wait_for("gateway_listens", 3)
    assert {gateways.send(f"s-{number}") for number in range(20)} == {202}
    found = addresses.resolve(settings)
    with Reader(settings, found, "test") as reader:
        starts = dict.fromkeys(range(settings.kafka.partitions), 0)
        assert sum(1 for _ in reader.records(STOCK.name, starts)) == 80
    children = gateways.children()
    gateways.supervisor.send_signal(signal.SIGTERM)
    assert gateways.supervisor.wait(30) == 0
    _, alive = psutil.wait_procs(children, 10)
    assert alive == []


def test_a_port_that_is_taken_is_said_once(environment: dict[str, str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken_port:
        told = {**environment, "VAART_GATEWAY__PORT": str(taken_port.getsockname()[1])}
        found = subprocess.run(
            [sys.executable, "-m", "vaart.cli", "serve", "gateway", "--procs", "2"],
            env=told,
            capture_output=True,
            text=True,
            timeout=60,
        )
    assert found.returncode == 78
    assert found.stderr.count("cannot listen") == 1
