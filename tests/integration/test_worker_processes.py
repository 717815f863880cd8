"""`vaart worker VIEW --procs N`: several processes of one view, supervised, drained together."""

import json
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from vaart.cli import schemas, topics
from vaart.settings import Settings

pytestmark = pytest.mark.servers
PATIENCE_S = 90


class Processes:
    """`vaart worker stock --procs 3` over two lanes, and what it has logged."""

    def __init__(self, environment: dict[str, str], folder: Path, *words: str) -> None:
        self._file = folder / "processes.log"
        command = [sys.executable, "-m", "vaart.cli", "worker", "stock", "--procs", "3", *words]
        with self._file.open("wb") as log:
            self.supervisor = subprocess.Popen(command, env=environment, stdout=log, stderr=log)

    def said(self, event: str) -> list[dict[str, Any]]:
        lines = [json.loads(line) for line in self._file.read_text().splitlines() if line.startswith("{")]
        return [line for line in lines if line["event"] == event]

    def wait_for(self, event: str, count: int) -> list[dict[str, Any]]:
        deadline = time.monotonic() + PATIENCE_S
        while len(found := self.said(event)) < count:
            assert time.monotonic() < deadline, self._file.read_text()[-3000:]
            time.sleep(0.1)
        return found

    def children(self) -> list[psutil.Process]:
        return psutil.Process(self.supervisor.pid).children()


def wait_until_ready(address: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not is_ready(address):
        assert time.monotonic() < deadline, address
        time.sleep(0.1)


def is_ready(address: str) -> bool:
    try:
        answer = urllib.request.urlopen(address + "/readyz", timeout=10)
    except OSError:
        return False
    return bool(answer.status == 200)


@pytest.fixture
def environment(environment: dict[str, str]) -> dict[str, str]:
    return {**environment, "VAART_KAFKA__PARTITIONS": "2"}


@pytest.fixture
def started(settings: Settings, environment: dict[str, str], tmp_path: Path) -> Iterator[Processes]:
    topics.ensure(settings)
    schemas.ensure(settings)
    port = free_ports(3)
    made = Processes({**environment, "VAART_MANAGEMENT__PORT": str(port)}, tmp_path, "--instance", "till")
    yield made
    if made.supervisor.poll() is None:
        for child in made.children():
            child.kill()
        made.supervisor.kill()
        made.supervisor.wait()


def free_ports(count: int) -> int:
    """The first of `count` ports in a row that nobody listens on."""
    while True:
        with socket.socket() as first:
            first.bind(("127.0.0.1", 0))
            port: int = first.getsockname()[1]
        taken = [number for number in range(port, port + count) if not _is_free(number)]
        if not taken:
            return port


def _is_free(port: int) -> bool:
    with socket.socket() as tried:
        return tried.connect_ex(("127.0.0.1", port)) != 0


def test_processes_share_the_lanes_come_back_and_drain_together(started: Processes) -> None:
    instances = {"till-0", "till-1", "till-2"}
    addresses = {line["instance"]: line["address"] for line in started.wait_for("management_listens", 3)}
    assert set(addresses) == instances
    ports = sorted(int(address.rpartition(":")[2]) for address in addresses.values())
    assert ports == [ports[0], ports[0] + 1, ports[0] + 2]
    for address in addresses.values():
        wait_until_ready(address)
    started.wait_for("worker_idles", 1)
    assert started.said("more_processes_than_lanes")

    started.children()[0].kill()
    (ended,) = started.wait_for("process_ended", 1)
    assert ended["exit_code"] == -signal.SIGKILL
    assert started.wait_for("worker_starts", 4)[-1]["instance"] == ended["process"]
    wait_until_ready(addresses[ended["process"]])

    started.supervisor.terminate()
    assert started.supervisor.wait(40) == 0
    assert {line["instance"] for line in started.said("worker_stopped")} == instances


def test_a_second_signal_ends_all_at_once(started: Processes) -> None:
    started.wait_for("lanes_ready", 3)
    children = started.children()
    for child in children:
        child.suspend()  # so that none can drain
    started.supervisor.terminate()
    started.wait_for("services_drain", 1)
    started.supervisor.terminate()
    assert started.supervisor.wait(10) == -signal.SIGTERM
    for child in children:
        child.resume()
    gone, _ = psutil.wait_procs(children, 10)
    assert len(gone) == len(children)


def test_a_fault_of_the_settings_ends_all(environment: dict[str, str], tmp_path: Path) -> None:
    made = Processes(environment, tmp_path)
    assert made.supervisor.wait(60) == 78
    assert "vaart topics apply" in (tmp_path / "processes.log").read_text()
    assert not made.said("process_ended")
