"""Ten thousand storms on the log in memory."""

import os
from concurrent.futures import ProcessPoolExecutor

import pytest

from streams.engine.testing.simulator import Simulation
from tests.streams.engine.counting import STORMY
from tests.streams.engine.test_simulator import load
from tests.torture.conftest import Report

pytestmark = [pytest.mark.torture, pytest.mark.timeout(1_500)]

SEEDS = int(os.environ.get("VAART_SEEDS", "10000"))
GROUP = 250


def test_ten_thousand_seeds(report: Report) -> None:
    with ProcessPoolExecutor(2) as pool:
        steps = sum(pool.map(_storms, range(0, SEEDS, GROUP)))
    report(f"{SEEDS:,} seeds, {steps:,} steps, every promise kept")


def _storms(start: int) -> int:
    steps = 0
    for seed in range(start, min(start + GROUP, SEEDS)):
        simulation = Simulation(STORMY, load(seed), seed)
        simulation.run()
        steps += len(simulation.trace)
    return steps
