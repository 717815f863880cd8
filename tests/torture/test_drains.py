"""Workers that are told to stop under load, again and again: they drain in time, and nothing is folded twice."""

import signal
import time
from statistics import median

import pytest

from tests.streams.engine.stormy import STOP_S_MAX, Storm, load, slices
from tests.torture.conftest import Report

pytestmark = [pytest.mark.servers, pytest.mark.torture, pytest.mark.timeout(900)]

TIMES, EVENTS, KEYS, RATE = 20, 40_000, 4_000, 4_000


def test_twenty_drains(storm: Storm, report: Report) -> None:
    storm.start("b")
    spent = []
    for part in slices(load(EVENTS, KEYS, seed=14), TIMES):
        storm.start("a")
        storm.wait_until_said("a")
        storm.send(part[: len(part) // 2], RATE)
        began = time.monotonic()
        assert storm.kill("a", signal.SIGTERM) == 0, storm.said("a")
        spent.append(time.monotonic() - began)
        storm.send(part[len(part) // 2 :], RATE)
    report(
        f"{TIMES} drains under load, each with exit code 0 within {STOP_S_MAX} s ({median(spent):.1f} s at the median, "
        f"{max(spent):.1f} s at most): {storm.prove()}"
    )
