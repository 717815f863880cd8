"""A view version beside the older one on the real Kafka: muted behind it, then in its place; positions from outside."""

import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from confluent_kafka import Producer

from streams.engine import resetting
from streams.engine.kafka_log import KafkaLog
from streams.engine.switching import lead, switch
from streams.engine.takeover import standing
from tests.streams.engine import counting
from tests.streams.engine.counting import Counted
from tests.streams.engine.pair import COUNTED, LEVELS, NEW, OLD
from tests.streams.engine.rig import MURMUR2, PARTITIONS, PATIENCE_S, Rig
from tests.streams.engine.test_worker import assert_exact, last_levels, some_events
from vaart.addresses import Addresses

pytestmark = pytest.mark.servers
PASSED = counting.PASSED.name
NOW = 1


@pytest.fixture
def rig(servers: Addresses, prefix: str, tmp_path: Path) -> Iterator[Rig]:
    made = Rig(servers.kafka, prefix, tmp_path, (OLD, NEW))
    yield made
    made.close()


@pytest.fixture
def log(rig: Rig) -> KafkaLog:
    return rig.log_of()


def wait_until_level(log: KafkaLog) -> None:
    """The new version has folded what the old one has."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        begun = [standing(log, NEW, lane).position is not None for lane in range(PARTITIONS)]
        if all(begun) and not any(lead(log, NEW, lane).behind for lane in range(PARTITIONS)):
            return
        assert time.monotonic() < deadline
        time.sleep(0.2)


def send_slowly(rig: Rig, events: list[tuple[str, Counted]]) -> None:
    """Over some seconds, so that lanes are switched in the middle of it."""
    for at in range(0, len(events), 300):
        rig.send(events[at : at + 300])
        time.sleep(0.1)


def send_in_a_transaction(rig: Rig, events: list[tuple[str, Counted]]) -> None:
    """So that the source ends in a marker, which the old version passes and the new one has to pass, too."""
    producer = Producer(
        {
            **MURMUR2,
            "bootstrap.servers": rig.kafka,
            "transactional.id": rig.prefix + "upstream",
            "partitioner": "murmur2_random",
        }
    )
    producer.init_transactions(30)
    producer.begin_transaction()
    for key, each in events:
        producer.produce(rig.prefix + COUNTED, counting.encode(each), key.encode())
    producer.commit_transaction(30)


def switch_all(log: KafkaLog) -> None:
    for lane in range(PARTITIONS):
        assert switch(log, NEW, lane, NOW).is_switched


def test_a_new_version_goes_on_where_the_old_one_stops(rig: Rig, log: KafkaLog) -> None:
    sent = some_events(20_000, keys=300, seed=11)
    rig.start("old")
    rig.send(sent[:4_500])
    send_in_a_transaction(rig, sent[4_500:5_000])
    rig.wait_for(PASSED, 5_000)
    rig.start("new", VERSION="2", FOLLOWS="1")
    wait_until_level(log)
    assert len(rig.read(PASSED)) == 5_000
    load = threading.Thread(target=send_slowly, args=(rig, sent[5_000:]))
    load.start()
    switch_all(log)
    switch_all(log)  # once more changes nothing
    rig.kill("new")
    rig.start("new", VERSION="2", FOLLOWS="1")
    load.join()
    assert rig.workers.pop("old").wait(60) != 0
    assert "was retired on 1970-01-01 by version 2" in rig.log("old")
    assert_exact(rig, sent)
    assert {level.seq >> 40 for level in last_levels(rig.read(LEVELS)).values()} == {2}


def test_a_worker_goes_on_from_where_it_was_moved_to(rig: Rig, log: KafkaLog) -> None:
    sent = some_events(6_000, keys=50, seed=12)
    rig.start("a")
    rig.send(sent[:3_000])
    rig.wait_for(PASSED, 3_000)
    load = threading.Thread(target=send_slowly, args=(rig, sent[3_000:]))
    load.start()
    for lane in range(PARTITIONS):
        resetting.reset(log, OLD, lane, lambda source, lane, low, high: low)
    load.join()
    last_of_all = {key: each.meta.event_id for key, each in sent}

    def settled(times: Counter[str]) -> bool:
        """What was folded before its lane was moved back has been folded again."""
        return all(times[each.meta.event_id] > 1 for _, each in sent[:3_000])

    found: list[tuple[str, Counted]] = []
    deadline = time.monotonic() + PATIENCE_S
    times: Counter[str] = Counter()
    while {key: each.meta.event_id for key, each in found} != last_of_all or not settled(times):
        assert time.monotonic() < deadline
        found = [(key, each) for key, each, _ in rig.wait_for(PASSED, 9_000) if isinstance(each, Counted)]
        times = Counter(each.meta.event_id for _, each in found)
    assert {times[each.meta.event_id] for _, each in sent[:3_000]} == {2}
    assert {times[each.meta.event_id] for _, each in sent[3_000:]} <= {1, 2}
    totals: Counter[str] = Counter()
    for key, each in found:
        totals[key] += each.units
    assert {key: level.units for key, level in last_levels(rig.read(LEVELS)).items()} == totals
