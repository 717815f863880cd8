"""The broker ends, dies and stands still under load; a topic is not what it was."""

import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from tests.streams.engine.stormy import LOOK_S, PATIENCE_S, Storm, load, slices, storming
from tests.torture.conftest import Report
from vaart.addresses import Addresses
from vaart.local import stack
from vaart.local.running import status

pytestmark = [pytest.mark.servers, pytest.mark.torture, pytest.mark.timeout(1_200)]

TIMES = 5
STOPPED_S = 30
RATE = 2_000
EVENTS = 3_000
WORKERS = ("a", "b")


class Broker:
    """A Kafka of this test's own, which comes back on the same folder and port."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._port = 0
        self.start()

    def start(self) -> None:
        stack.start(self._folder, stack.Options(names=("kafka",), kafka_port=self._port))
        self.address = next(server.address for server in status(self._folder) if server.name == "kafka")
        self._port = int(self.address.rpartition(":")[2])

    def signal(self, number: int) -> None:
        (pid,) = (server.pid for server in status(self._folder) if server.name == "kafka")
        process = psutil.Process(pid)
        process.send_signal(number)
        if number in (signal.SIGTERM, signal.SIGKILL):
            process.wait(60)


@pytest.fixture
def broker(servers: Addresses, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    folder = tmp_path_factory.mktemp("broker")
    yield Broker(folder)
    stack.stop(folder, erase=True)


@pytest.fixture
def own_storm(broker: Broker, prefix: str, tmp_path: Path) -> Iterator[Storm]:
    with storming(broker.address, prefix, tmp_path) as made:
        yield made


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL], ids=lambda number: number.name)
def test_a_broker_that_ends_and_comes_back(
    own_storm: Storm, broker: Broker, report: Report, number: signal.Signals
) -> None:
    def restart() -> None:
        broker.signal(number)
        time.sleep(3)
        broker.start()

    _under_load(own_storm, restart, TIMES, report)


def test_a_broker_that_stands_still(own_storm: Storm, broker: Broker, report: Report) -> None:
    def stand_still() -> None:
        broker.signal(signal.SIGSTOP)
        time.sleep(STOPPED_S)
        broker.signal(signal.SIGCONT)

    _under_load(own_storm, stand_still, 1, report)


def _under_load(storm: Storm, disturb: Callable[[], None], times: int, report: Report) -> None:
    """Workers that end meanwhile are started again, as whoever supervises them does."""
    ended, longest = 0, 0.0
    for name in WORKERS:
        storm.start(name)
    for part in slices(load(EVENTS * times, keys=500, seed=9), times):
        storm.send(part[: EVENTS // 2], RATE)
        disturb()
        ended += _start_again(storm)
        storm.send(part[EVENTS // 2 :], RATE)
        began = time.monotonic()
        while storm.proof.unsettled():
            assert time.monotonic() - began < PATIENCE_S, storm.last_words()
            ended += _start_again(storm)
            time.sleep(LOOK_S)
        longest = max(longest, time.monotonic() - began)
    said = storm.prove()
    report(
        f"{times} times under load, {ended} workers ended and were started again, settled {longest:.1f} s after the "
        f"last event at most; {said}; 0 lost, 0 doubled"
    )


def _start_again(storm: Storm) -> int:
    ended = storm.ended()
    for name in ended:
        storm.start(name)
    return len(ended)
