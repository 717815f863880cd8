"""Ten thousand storms on the log in memory."""

import logging
import os
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import pytest
import structlog

from streams.engine.testing.simulator import STEPS
from streams.engine.testing.storm import storm
from tests.torture.conftest import Report

pytestmark = [pytest.mark.torture, pytest.mark.timeout(1_500)]

SEEDS = int(os.environ.get("SEEDS", "10000"))
GROUP = 250


def test_ten_thousand_seeds(report: Report) -> None:
    # A process that is forked would end what librdkafka's threads of this one use.
    with ProcessPoolExecutor(2, get_context("spawn")) as pool:
        for _ in pool.map(_storms, range(0, SEEDS, GROUP)):
            pass
    report(f"{SEEDS:,} seeds of {STEPS} steps each, every promise kept")


def _storms(start: int) -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    for seed in range(start, min(start + GROUP, SEEDS)):
        storm(seed)
