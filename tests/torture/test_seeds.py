"""Ten thousand storms on the log in memory."""

import logging
import os
from concurrent.futures import ProcessPoolExecutor

import pytest
import structlog

from streams.engine.testing.simulator import STEPS
from streams.engine.testing.storm import storm
from tests.torture.conftest import Report

pytestmark = [pytest.mark.torture, pytest.mark.timeout(1_500)]

SEEDS = int(os.environ.get("VAART_SEEDS", "10000"))
GROUP = 250


def test_ten_thousand_seeds(report: Report) -> None:
    with ProcessPoolExecutor(2) as pool:
        for _ in pool.map(_storms, range(0, SEEDS, GROUP)):
            pass
    report(f"{SEEDS:,} seeds of {STEPS} steps each, every promise kept")


def _storms(start: int) -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    for seed in range(start, min(start + GROUP, SEEDS)):
        storm(seed)
