"""Workers die by SIGKILL under load, at random and at every crash point: nothing is lost, nothing is doubled.

The long form is tests/torture/test_kills.py.
"""

import signal
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from tests.streams.engine.stormy import Storm, load, slices, storming
from vaart.addresses import Addresses

pytestmark = pytest.mark.servers
EVENTS, KEYS = 20_000, 500
POINTS = {
    "a": ("before_begin", "before_commit", "after_store", "during_revoke:2"),
    "b": ("after_outputs", "after_commit", "during_restore", "after_store"),
}
"""Where each worker dies, one life after another. A third is killed meanwhile, at any moment."""


@pytest.fixture
def storm(servers: Addresses, prefix: str, tmp_path: Path) -> Iterator[Storm]:
    with storming(servers.kafka, prefix, tmp_path) as made:
        yield made


def test_killed_workers_lose_and_double_nothing(storm: Storm) -> None:
    """The last life of "a" ends when one more worker joins, since lanes that it has are revoked then."""
    lives = list(zip(POINTS["a"], POINTS["b"], strict=True))
    parts = slices(load(EVENTS, KEYS, seed=7), len(lives))
    more = (load(100, KEYS, seed) for seed in count(8))
    storm.start("c")
    for points, part in zip(lives, parts, strict=True):
        for name, point in zip("ab", points, strict=True):
            storm.start(name, VAART_FAILPOINT=point)
        storm.wait_until_said("c")
        storm.send(part)
        storm.kill("c")
        storm.start("c")
        if "during_revoke:2" in points:
            storm.wait_until_said("a")
            storm.start("joins")
        for name, point in zip("ab", points, strict=True):
            assert storm.end_under(name, more) == -signal.SIGKILL, point
    for name in "ab":
        storm.start(name)
    storm.prove()
