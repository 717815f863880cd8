"""The broker ends, dies and stands still under load: its workers go on, or come back under whoever supervises them."""

import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.streams.engine.broker import Broker, own_broker
from tests.streams.engine.stormy import Storm, load, slices, storming
from tests.torture.conftest import Report
from vaart.errors import DependencyAway

pytestmark = [pytest.mark.servers, pytest.mark.torture, pytest.mark.timeout(1_800)]

TIMES = 5
GONE_S = 3
STOPPED_S = 30
AWAY_S = 150
EVENTS, KEYS, RATE = 4_000, 2_000, 2_000
PATIENCE_S = 180
WORKERS = ("a", "b")


@pytest.fixture
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    with own_broker(tmp_path_factory.mktemp("broker")) as made:
        yield made


@pytest.fixture
def storm(broker: Broker, prefix: str, tmp_path: Path) -> Iterator[Storm]:
    with storming(broker.address, prefix, tmp_path) as made:
        yield made


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL], ids=lambda number: str(number.name))
def test_a_broker_that_ends_and_comes_back(
    broker: Broker, storm: Storm, report: Report, number: signal.Signals
) -> None:
    def disturb() -> None:
        broker.signal(number)
        time.sleep(GONE_S)
        broker.start()

    report(
        f"{number.name} {TIMES} times, each away for {GONE_S} s and its start: {_survive(storm, disturb, TIMES)}"
    )


def test_a_broker_that_stands_still(broker: Broker, storm: Storm, report: Report) -> None:
    def disturb() -> None:
        broker.signal(signal.SIGSTOP)
        time.sleep(STOPPED_S)
        broker.signal(signal.SIGCONT)

    report(f"stopped for {STOPPED_S} s: {_survive(storm, disturb, 1)}")


def test_a_broker_that_stays_away_ends_its_workers(broker: Broker, storm: Storm, report: Report) -> None:
    """Each says why, by an exit code that a supervisor waits on and does not count as a crash."""

    def disturb() -> None:
        broker.signal(signal.SIGKILL)
        began = time.monotonic()
        ends = {name: storm.end_of(name, AWAY_S) for name in WORKERS}
        report(f"workers ended {time.monotonic() - began:.0f} s after Kafka had gone")
        assert set(ends.values()) == {DependencyAway.exit_code}, storm.last_words()
        broker.start()
        for name in WORKERS:
            storm.start(name)

    report(f"away until the workers gave up: {_survive(storm, disturb, 1)}")


def _survive(storm: Storm, disturb: Callable[[], None], times: int) -> str:
    """What held afterwards, and how long it took."""
    for name in WORKERS:
        storm.start(name)
    came_back, settled_s = 0, []
    for part in slices(load(EVENTS * times, KEYS, seed=9), times):
        for name in WORKERS:
            storm.wait_until_said(name)
        storm.send(part[: EVENTS // 2], RATE)
        disturb()
        storm.send(part[EVENTS // 2 :], RATE)
        began = time.monotonic()
        came_back += _supervised(storm)
        settled_s.append(time.monotonic() - began)
    return (
        f"{storm.prove()}; all settled {max(settled_s):.1f} s after the last event at most; "
        f"{came_back} times a worker had ended and was started again"
    )


def _supervised(storm: Storm) -> int:
    """All is settled; workers that ended were started again. Returns how often."""
    deadline, count = time.monotonic() + PATIENCE_S, 0
    while (left := storm.proof.unsettled()) > 0:
        assert time.monotonic() < deadline, f"{left} are not settled\n{storm.last_words()}"
        for name, code in storm.ended().items():
            assert code == DependencyAway.exit_code, f"{name} ended with {code}\n{storm.last_words()}"
            storm.start(name)
            count += 1
        time.sleep(0.5)
    return count
