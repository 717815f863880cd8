"""A worker whose broker goes away: it waits, says so without shouting, and can be told to stop."""

import json
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.streams.engine import counting
from tests.streams.engine.rig import Rig
from tests.streams.engine.test_worker import some_events
from tests.streams.engine.test_worker_metrics import wait_until
from vaart.addresses import Addresses
from vaart.local import kafka, processes

pytestmark = pytest.mark.servers
AWAY_S = 6


@pytest.fixture
def broker(servers: Addresses, tmp_path: Path) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """One of our own, which may be ended."""
    launch = kafka.launch(tmp_path)
    running = processes.spawn(launch, tmp_path / "broker.log")
    while not launch.is_ready():
        assert running.poll() is None, (tmp_path / "broker.log").read_text()
        time.sleep(0.2)
    yield running, launch.address
    running.kill()
    running.wait()


def test_a_worker_waits_for_its_broker_and_drains_without_it(
    broker: tuple[subprocess.Popen[bytes], str], prefix: str, tmp_path: Path
) -> None:
    running, address = broker
    rig = Rig(address, prefix, tmp_path)
    try:
        rig.start("a")
        rig.send(some_events(100, keys=10, seed=31))
        rig.wait_for(counting.PASSED.name, 100)
        # Others see a commit before its worker hears of it, and one that is open cannot be drained without the broker.
        wait_until(rig, lambda found: sum(found.get("vaart_batch_records_sum", [0])) >= 100)
        running.terminate()
        running.wait()
        time.sleep(AWAY_S)
        assert rig.workers["a"].poll() is None, rig.log("a")
        assert rig.kill("a", signal.SIGTERM) == 0, rig.log("a")
    finally:
        rig.close()
    lines = [json.loads(line) for line in rig.log("a").splitlines()]
    said = Counter((line["event"], line.get("text")) for line in lines)
    assert max(said.values()) < AWAY_S, said
    assert "Traceback" not in rig.log("a")
