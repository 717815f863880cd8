"""Who may write a lane: owners that were stopped and wake, storms of rebalances, and engines broken on purpose."""

import random
import signal
import time

import pytest
from confluent_kafka import ConsumerGroupTopicPartitions, TopicPartition

from tests.streams.engine.counting import STORMY
from tests.streams.engine.mutants import MUTANTS, VARIABLE
from tests.streams.engine.proof import PARTITIONS
from tests.streams.engine.stormy import Storm, load, slices
from tests.torture.conftest import Report

pytestmark = [pytest.mark.servers, pytest.mark.torture, pytest.mark.timeout(900)]

RATE = 3_000
STOPPED_S = 30
SEEKING = "seeking to the group's committed offsets"
ON_KAFKA = [
    *(name for name, mutant in MUTANTS.items() if not mutant.storms),
    "a transactional id without the lane",
    "a restore before the older owner is fenced",
]
STORM_S, CHANGES = 60, 20
NOTICED_S = 60


def test_an_owner_that_was_stopped_for_half_a_minute_is_fenced(storm: Storm, report: Report) -> None:
    events = load(12_000, keys=500, seed=2)
    storm.start("a")
    storm.send(events[:4_000], RATE)
    storm.wait_until_settled()
    storm.workers["a"].send_signal(signal.SIGSTOP)
    storm.start("b")
    storm.send(events[4_000:8_000], RATE)
    time.sleep(STOPPED_S)
    storm.wait_until_settled()
    storm.workers["a"].send_signal(signal.SIGCONT)
    storm.send(events[8_000:], RATE)
    storm.wait_until_settled()
    report(storm.prove())


def test_a_storm_of_rebalances(storm: Storm, report: Report) -> None:
    """Restores are overtaken by the next rebalance all the time."""
    chance = random.Random(60)
    storm.start("steady")
    for part in slices(load(CHANGES * 600, keys=500, seed=60), CHANGES):
        name = f"comer-{chance.randrange(3)}"
        if name in storm.workers:
            storm.kill(name, chance.choice((signal.SIGTERM, signal.SIGKILL)))
        else:
            storm.start(name)
        storm.send(part, len(part) / (STORM_S / CHANGES))
    storm.wait_until_settled()
    report(f"{CHANGES} joins and leaves in {STORM_S} s, {storm.prove()}")


def test_three_workers_share_two_sources_lane_by_lane(storm: Storm, report: Report) -> None:
    for name in "abc":
        storm.start(name)
    storm.send(load(6_000, keys=500, seed=3), RATE)
    storm.wait_until_settled(keep="abc")
    assert not any("lane_lacks_sources" in storm.said(name, lives=0) for name in "abc")
    report(storm.prove())


def test_the_groups_offsets_decide_nothing(storm: Storm) -> None:
    """They are for those who look at lag: a worker that finds them ahead folds everything all the same."""
    _ahead_of_a_worker(storm, "")


@pytest.mark.parametrize("name", ON_KAFKA)
def test_a_broken_engine_is_noticed(storm: Storm, report: Report, name: str) -> None:
    """It loses, doubles, or makes no progress, where the same leaves the sound engine exact."""
    with pytest.raises(AssertionError) as noticed:
        (_ahead_of_a_worker if name == SEEKING else _kills)(storm, name)
    assert "lanes_assigned" in storm.said("a", lives=0), "the broken engine did not even start"
    said = str(noticed.value).splitlines()[0][:150]
    report(f"noticed {name}: {said}")


def test_the_sound_engine_stands_what_the_broken_ones_fail_at(storm: Storm, report: Report) -> None:
    _kills(storm, "")
    report("exact after the same kills")


def _ahead_of_a_worker(storm: Storm, mutant: str) -> None:
    storm.send(load(2_000, keys=300, seed=4))
    ends = [
        TopicPartition(storm.prefix + topic.name, lane, storm.log.bounds(topic.name, lane)[1])
        for topic in STORMY.sources
        for lane in range(PARTITIONS)
    ]
    group = storm.prefix + STORMY.group
    changed = storm.admin.alter_consumer_group_offsets([ConsumerGroupTopicPartitions(group, ends)])
    changed[group].result()
    storm.start("a", **_infected(mutant))
    storm.wait_until_settled(NOTICED_S)
    storm.prove()


def _kills(storm: Storm, mutant: str) -> None:
    chance = random.Random(5)
    for name in "abc":
        storm.start(name, **_infected(mutant))
    for part in slices(load(12_000, keys=300, seed=5), 6):
        storm.send(part[: len(part) // 2], RATE)
        victim = chance.choice("abc")
        storm.workers[victim].send_signal(signal.SIGSTOP)
        time.sleep(12)
        storm.send(part[len(part) // 2 :], RATE)
        storm.workers[victim].send_signal(signal.SIGCONT)
        victim = chance.choice("abc")
        storm.kill(victim)
        storm.start(victim, **_infected(mutant))
    storm.wait_until_settled(NOTICED_S)
    storm.prove()


def _infected(mutant: str) -> dict[str, str]:
    return {VARIABLE: mutant} if mutant else {}
