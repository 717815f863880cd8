"""Who may write a lane: owners that were stopped and wake, storms of rebalances, and engines broken on purpose."""

import random
import signal
import time

import pytest
from confluent_kafka import ConsumerGroupTopicPartitions, TopicPartition

from tests.streams.engine.counting import STORMY
from tests.streams.engine.mutants import BETWEEN, MUTANTS, VARIABLE
from tests.streams.engine.proof import PARTITIONS
from tests.streams.engine.stormy import Storm, load, slices
from tests.torture.conftest import Report

pytestmark = [pytest.mark.servers, pytest.mark.torture, pytest.mark.timeout(900)]

RATE = 3_000
STOPPED_S = 30
SEEKING = "seeking to the group's committed offsets"
UNCOMMITTED = "reading what is not committed"
ONE_ID = "a transactional id without the lane"
UNFENCED = "a restore before the older owner is fenced"
ON_KAFKA = [
    *(name for name, mutant in MUTANTS.items() if not mutant.storms),
    ONE_ID,
    UNFENCED,
]
STORM_S, CHANGES = 60, 20
NOTICED_S = 60
OPENING_S = 3


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


def test_what_a_producer_gave_up_is_never_folded(storm: Storm) -> None:
    _beside_what_was_given_up(storm, "")


@pytest.mark.parametrize("name", ON_KAFKA)
def test_a_broken_engine_is_noticed(storm: Storm, report: Report, name: str) -> None:
    """It loses, doubles, or lanes take themselves from each other, where the same leaves the sound engine exact."""
    with pytest.raises(AssertionError) as noticed:
        SCENES.get(name, _kills)(storm, name)
    assert "lanes_assigned" in storm.said("a", lives=0), "the broken engine did not even start"
    said = str(noticed.value).splitlines()[0][:150]
    report(f"noticed {name}: {said}")


def test_the_sound_engine_stands_what_the_broken_ones_fail_at(storm: Storm, report: Report) -> None:
    _kills(storm, "")
    report("exact after the same kills")


def test_an_owner_that_wakes_while_its_lanes_are_opened_writes_nothing_more(storm: Storm) -> None:
    _owner_that_wakes_meanwhile(storm, "")


def test_lanes_of_several_workers_leave_each_other_in_peace(storm: Storm) -> None:
    _in_peace(storm, "")


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


def _beside_what_was_given_up(storm: Storm, mutant: str) -> None:
    events = load(3_000, keys=300, seed=6)
    storm.start("a", **_infected(mutant))
    storm.send(events[:1_000])
    storm.give_up(events[1_000:2_000])
    storm.send(events[2_000:])
    storm.wait_until_settled(NOTICED_S)
    storm.prove()


def _in_peace(storm: Storm, mutant: str) -> None:
    """Three workers, none of which comes or goes."""
    events = load(6_000, keys=300, seed=7)
    for name in "abc":
        storm.start(name, **_infected(mutant))
    storm.send(events[:1_000])
    storm.wait_until_settled(NOTICED_S)
    before = _lanes_lost(storm)
    storm.send(events[1_000:], RATE)
    storm.wait_until_settled(NOTICED_S)
    assert _lanes_lost(storm) == before, "lanes were lost, and nobody had come or gone"
    storm.prove()


def _owner_that_wakes_meanwhile(storm: Storm, mutant: str) -> None:
    """It was stopped in the middle of its work, and wakes while another opens its lanes."""
    events = load(22_000, keys=300, seed=8)
    storm.start("a")
    storm.send(events[:2_000])
    storm.wait_until_settled(NOTICED_S)
    storm.send(events[2_000:])
    storm.workers["a"].send_signal(signal.SIGSTOP)
    storm.start("b", **_infected(mutant))
    storm.wait_for(lambda: "lanes_assigned" in storm.said("b"))
    time.sleep(OPENING_S)
    storm.workers["a"].send_signal(signal.SIGCONT)
    storm.wait_until_settled(NOTICED_S)
    storm.prove()


def _lanes_lost(storm: Storm) -> int:
    return sum(storm.said(name).count('"lane_lost"') for name in "abc")


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
    return {VARIABLE: mutant, BETWEEN: "8"} if mutant else {}


SCENES = {
    SEEKING: _ahead_of_a_worker,
    UNCOMMITTED: _beside_what_was_given_up,
    ONE_ID: _in_peace,
    UNFENCED: _owner_that_wakes_meanwhile,
}
"""Where a broken engine shows, if not where owners are killed and stopped."""
