"""How a worker ends whose fold does not return."""

import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.streams.engine.counting import event
from tests.streams.engine.rig import PATIENCE_S, Rig
from vaart.addresses import Addresses

pytestmark = pytest.mark.servers


@pytest.fixture
def hanging(servers: Addresses, prefix: str, tmp_path: Path) -> Iterator[Rig]:
    rig = Rig(servers.kafka, prefix, tmp_path)
    rig.start("a", HANGS="1")
    rig.send([("key", event(1))])
    wait_for(rig, "hangs")
    yield rig
    rig.close()


def wait_for(rig: Rig, words: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while words not in rig.log("a"):
        assert time.monotonic() < deadline, rig.log("a")
        time.sleep(0.1)


def test_a_second_signal_ends_it_at_once(hanging: Rig) -> None:
    worker = hanging.workers["a"]
    worker.send_signal(signal.SIGTERM)
    wait_for(hanging, "worker_drains")
    assert worker.poll() is None
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(5) == -signal.SIGTERM


def test_it_gives_up_before_its_supervisor_kills_it(hanging: Rig) -> None:
    assert hanging.kill("a", signal.SIGTERM) == 1
    assert "stop_took_too_long" in hanging.log("a")
