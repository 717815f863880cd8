"""Several workers of one view: a restart under its name costs no rebalance, and a name seats one process."""

import json
import signal
import threading
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from tests.streams.engine import counting
from tests.streams.engine.rig import PARTITIONS, Rig
from tests.streams.engine.test_worker import assert_exact, some_events
from vaart.addresses import Addresses

pytestmark = pytest.mark.servers
PASSED = counting.PASSED.name
NAMES = ("a", "b", "c")
SESSION_S = "60"
"""However busy the machine is, each is back within this."""


@pytest.fixture
def rig(servers: Addresses, prefix: str, tmp_path: Path) -> Iterator[Rig]:
    made = Rig(servers.kafka, prefix, tmp_path)
    yield made
    made.close()


def said(rig: Rig, name: str, event: str) -> list[dict[str, Any]]:
    """What a worker has logged under `event`, over all of its lives."""
    lines = (json.loads(line) for line in rig.log(name).splitlines() if line.startswith("{"))
    return [line for line in lines if line.get("event") == event]


def settled(rig: Rig) -> int:
    """The generation in which every lane has an owner."""
    while True:
        ready = [line for name in NAMES for line in said(rig, name, "lanes_ready")[-1:]]
        owned = sorted(lane for line in ready for lane in line["lanes"])
        joined = [line["generation"] for name in NAMES for line in said(rig, name, "lanes_assigned")[-1:]]
        if len(ready) == len(NAMES) and owned == list(range(PARTITIONS)) and len(set(joined)) == 1:
            return int(joined[0])
        rig.wait_for(PASSED, 1)


class Load:
    """Events that keep coming until it is closed; `sent` are those that came."""

    def __init__(self, rig: Rig) -> None:
        self.sent: list[tuple[str, counting.Counted]] = []
        self._rig = rig
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._send)
        self._thread.start()

    def close(self) -> None:
        self._ended.set()
        self._thread.join()

    def _send(self) -> None:
        events = iter(some_events(200_000, keys=300, seed=11))
        while not self._ended.wait(0.05):
            page = list(islice(events, 100))
            self._rig.send(page)
            self.sent += page


def test_a_rolling_restart_under_load_causes_no_rebalance(rig: Rig) -> None:
    for name in NAMES:
        rig.start(name, VAART_KAFKA__SESSION_TIMEOUT_S=SESSION_S)
    load = Load(rig)
    rig.wait_for(PASSED, 100)
    generation = settled(rig)
    lives = {name: len(said(rig, name, "lanes_ready")) for name in NAMES}
    for name in NAMES:
        assert rig.kill(name, signal.SIGTERM) == 0
        rig.start(name, VAART_KAFKA__SESSION_TIMEOUT_S=SESSION_S)
        while len(said(rig, name, "lanes_ready")) == lives[name]:
            rig.wait_for(PASSED, 100)
    load.close()
    assert_exact(rig, load.sent)
    for name in NAMES:
        assert said(rig, name, "lanes_assigned")[-1]["generation"] == generation
        assert len(said(rig, name, "lanes_ready")) == lives[name] + 1


def test_the_first_of_two_processes_with_one_name_gives_way(rig: Rig, tmp_path: Path) -> None:
    sent = some_events(2_000, keys=100, seed=12)
    rig.start("a")
    rig.send(sent[:1_000])
    rig.wait_for(PASSED, 1_000)
    first = rig.workers.pop("a")
    rig.start("other", INSTANCE="a", VAART_STATE_DIR=str(tmp_path / "other"))
    assert first.wait(60) != 0
    assert "runs as 'a'" in rig.log("a")
    rig.send(sent[1_000:])
    assert_exact(rig, sent)
    assert rig.workers["other"].poll() is None


def test_two_processes_with_one_name_on_one_machine_share_no_folder(rig: Rig) -> None:
    rig.start("a")
    rig.send(some_events(10, keys=5, seed=13))
    rig.wait_for(PASSED, 10)
    rig.start("other", INSTANCE="a")
    assert rig.workers.pop("other").wait(60) != 0
    assert rig.workers["a"].poll() is None
