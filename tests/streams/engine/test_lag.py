"""Lag as a dashboard shows it: in records, in seconds, and gone with the partition."""

import uuid
from typing import Any

import pytest
from prometheus_client import REGISTRY

from streams.engine.lag import Lag, Standing


class Told:
    """A Lag under a group of its own, with a clock that a test moves, and what it has told."""

    def __init__(self) -> None:
        self.now = 1_000.0
        self.group = uuid.uuid4().hex
        self.lag = Lag(self.group, lambda: self.now)

    def tell(self, end: int, **changes: Any) -> None:
        standing = Standing("t", 0, next_offset=10, level=10, waiting=0, oldest=None)._replace(**changes)
        self.lag.tell([standing], {("t", 0): end})

    def read(self, name: str) -> float | None:
        labels = {"group": self.group, "topic": "t", "partition": "0"}
        return REGISTRY.get_sample_value(f"vaart_consumer_lag_{name}", labels)


@pytest.fixture
def told() -> Told:
    return Told()


def test_what_is_level_has_no_lag(told: Told) -> None:
    told.tell(end=10)
    assert (told.read("records"), told.read("seconds")) == (0, 0)


def test_markers_behind_the_last_record_are_no_lag(told: Told) -> None:
    told.tell(end=12, level=12)
    assert told.read("records") == 0


def test_the_oldest_waiting_record_tells_the_seconds(told: Told) -> None:
    told.tell(end=15, waiting=3, oldest=970.0)
    assert (told.read("records"), told.read("seconds")) == (5, 30)


def test_what_was_not_fetched_yet_is_as_old_as_the_lag(told: Told) -> None:
    told.tell(end=10)
    told.now += 7
    told.tell(end=15)
    told.now += 5
    told.tell(end=15)
    assert told.read("seconds") == 12
    told.tell(end=15, next_offset=15, level=15)
    assert told.read("seconds") == 0


def test_an_end_that_is_not_known_is_no_lag(told: Told) -> None:
    told.lag.tell([Standing("t", 0, 10, 10, 0, None)], {})
    assert told.read("records") == 0


def test_a_partition_that_went_to_another_worker_is_told_no_more(told: Told) -> None:
    told.tell(end=15)
    told.lag.tell([], {})
    assert told.read("records") is None
    told.tell(end=15)
    assert told.read("records") == 5
