"""The storm, on the counting view with two sources: each seed is a run, and a failing one can be run again."""

import os
import random

import pytest

from streams.engine.testing.simulator import Sent, Simulation
from tests.streams.engine.counting import ALSO_COUNTED, COUNTED, DAY, STORMY, event

SEEDS = int(os.environ.get("VAART_SEEDS", "300"))
GROUPS = 10
EVENTS = 60


def load(seed: int) -> list[Sent]:
    """Events of a few keys over some days, late ones too; some forget their key, some raise, some are rubbish."""
    chance = random.Random(f"load {seed}")
    found = []
    for number in range(EVENTS):
        key, topic = f"key-{chance.randrange(6)}", chance.choice((COUNTED, ALSO_COUNTED))
        units = chance.choice((1, 2, 3, 4, 5, 6, 7, 8, 0, 666))
        at = number * DAY // 8 - chance.choice((0, 0, DAY // 2))
        made: object = event(units, at=max(1, at), place=chance.choice("abc"), event_id=f"e{number}")
        found.append(Sent(topic, key, b"rubbish" if chance.random() < 0.03 else made))
    return found


@pytest.mark.parametrize("group", range(GROUPS))
def test_no_storm_breaks_a_promise(group: int) -> None:
    for seed in range(group, SEEDS, GROUPS):
        Simulation(STORMY, load(seed), seed).run()


def test_a_seed_is_a_run() -> None:
    assert Simulation(STORMY, load(7), 7).run() == Simulation(STORMY, load(7), 7).run()
