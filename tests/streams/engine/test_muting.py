"""One lane in two versions on the real Kafka, without workers: what the newer one keeps to itself, when it speaks."""

import dataclasses
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from schemas.events.dead_letters import DeadLettered
from schemas.topics import DEAD_LETTERS
from streams.engine import pages, records, resetting
from streams.engine.kafka_log import KafkaWriter
from streams.engine.lane import Lane
from streams.engine.log import LaneLost, Outgoing
from streams.engine.position import Position
from streams.engine.stores import MemoryStore
from streams.engine.switching import lead, switch
from streams.engine.takeover import Takeover, insist, standing
from tests.streams.engine import counting
from tests.streams.engine.counting import DAY, Counted, event
from tests.streams.engine.pair import COUNTED, LANE, NEW, NOW, OLD, Pair
from tests.streams.engine.rig import Rig, keys_of
from vaart.addresses import Addresses
from vaart.errors import ConfigFault, DependencyAway, UsageFault
from vaart.failpoint import hooked

pytestmark = pytest.mark.servers
PASSED = counting.PASSED.name
KEYS = keys_of(LANE, 7)
RUNG, WAITS, LATE = KEYS[:3]


@pytest.fixture
def pair(servers: Addresses, prefix: str, tmp_path: Path) -> Iterator[Pair]:
    rig = Rig(servers.kafka, prefix, tmp_path, (OLD, NEW))
    yield Pair(rig, rig.log_of())
    rig.close()


def some(start: int, stop: int, at: int = NOW) -> list[tuple[str, Counted]]:
    return [(KEYS[number % 3], event(1, at=at, event_id=str(number))) for number in range(start, stop)]


def ids(heard: list[tuple[str, object]]) -> list[int]:
    return sorted(int(record.meta.event_id) for _, record in heard if isinstance(record, Counted))


def follow(lane: Lane, monkeypatch: pytest.MonkeyPatch) -> None:
    """The lane looks at once, although it has just looked."""
    monkeypatch.setattr(lane.ledger.leader, "_look_at", 0.0)
    lane.follow()


def require_overtaken(lane: Lane) -> None:
    """The lane notices within seconds that its changelog went on without it."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            lane.require_sole()
        except LaneLost:
            return
    pytest.fail("the lane has not noticed")


def test_a_muted_lane_says_nothing_and_never_overtakes(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    pair.send(some(0, 10))
    old, new = pair.open(OLD), pair.open(NEW, follows=1)
    follow(new, monkeypatch)
    pair.fold(new)
    assert new.next_offsets == {COUNTED: 0}
    pair.fold(old)
    pair.send(some(10, 20))
    follow(new, monkeypatch)
    pair.fold(new)
    assert new.next_offsets == old.next_offsets == {COUNTED: 10}
    assert ids(pair.heard(PASSED, 10)) == list(range(10))
    assert {epoch for _, _, _, epoch in pair.levels(3)} == {1}


def test_it_speaks_from_where_the_older_one_was_stopped(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    pair.send(some(0, 10))
    old, new = pair.open(OLD), pair.open(NEW, follows=1)
    pair.fold(old)
    pair.send(some(10, 25))
    assert lead(pair.log, NEW, LANE).behind == 10
    assert switch(pair.log, NEW, LANE, NOW).behind == 10
    with pytest.raises(LaneLost):
        pair.fold(old)
    with pytest.raises(ConfigFault, match="version 1 of counting was retired on 2025-11-24 by version 2"):
        pair.open(OLD)
    require_overtaken(new)
    new = pair.open(NEW, follows=1)
    follow(new, monkeypatch)
    pair.fold(new)
    assert ids(pair.heard(PASSED, 10)) == list(range(10))
    follow(new, monkeypatch)
    assert new.place is None
    pair.fold(new)
    assert ids(pair.heard(PASSED, 25)) == list(range(25))
    last = {key: (units, epoch) for key, units, _, epoch in pair.levels(9)}
    assert last == dict(zip(KEYS, [(9, 2), (8, 2), (8, 2)], strict=False))
    assert switch(pair.log, NEW, LANE, NOW).follows is None


def test_what_was_kept_is_said_once_however_often_it_is_interrupted(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages, "PAGE", 2)
    pair.send((KEYS[number], event(number + 1, at=NOW)) for number in range(7))
    old, new = pair.open(OLD), pair.open(NEW, follows=1)
    pair.fold(old)
    follow(new, monkeypatch)
    pair.fold(new)
    switch(pair.log, NEW, LANE, NOW)
    for crash in ("before_begin", "after_outputs", "before_commit", "after_commit", "after_store"):
        with pytest.raises(InterruptedError), hooked(crashing(crash)):
            pair.open(NEW).follow()
        pair.stores[2] = MemoryStore().lane(0)
    last = pair.open(NEW)
    assert last.place is None
    assert sorted(pair.levels(14)) == sorted((KEYS[n], n + 1, 0, epoch) for n in range(7) for epoch in (1, 2))
    kept = pair.stores[2].scan(records.KEPT, records.KEPT_END)
    assert list(kept) == []


def crashing(point: str) -> Callable[[str], None]:
    def hook(passed: str) -> None:
        if passed == point:
            raise InterruptedError

    return hook


def test_a_muted_lane_rings_what_the_older_one_rang_and_no_more(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    pair.send([(RUNG, event(1, at=NOW - 2 * DAY)), (WAITS, event(1, at=NOW))])
    old, new = pair.open(OLD), pair.open(NEW, follows=1)
    pair.fold(old)
    follow(new, monkeypatch)
    pair.fold(new)
    old.wake(NOW)
    pair.wait_for(old)
    before = pair.levels(3)
    follow(new, monkeypatch)
    follow(new, monkeypatch)
    pair.wait_for(new)
    assert pair.levels(3) == before
    assert standing(pair.log, NEW, LANE).position.woken == NOW  # type: ignore[union-attr]
    switch(pair.log, NEW, LANE, NOW)
    new = pair.open(NEW)
    new.follow()
    new.wake(NOW)
    assert sorted(pair.levels(5)[len(before) :]) == sorted([(RUNG, 1, 1, 2), (WAITS, 1, 0, 2)])
    new.wake(NOW + 2 * DAY)
    assert (WAITS, 1, 1, 2) in pair.levels(6)


def test_an_alarm_that_the_older_one_had_still_to_ring_rings_aloud(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, new = pair.open(OLD), pair.open(NEW, follows=1)
    old.wake(NOW)
    pair.send([(LATE, event(1, at=NOW - 2 * DAY))])  # due a day ago, and not yet rung
    pair.fold(old)
    assert standing(pair.log, OLD, LANE).position.woken == NOW - DAY - 1  # type: ignore[union-attr]
    follow(new, monkeypatch)
    pair.fold(new)
    switch(pair.log, NEW, LANE, NOW)
    new = pair.open(NEW)
    new.follow()
    new.wake(NOW)
    assert pair.levels(3) == [(LATE, 1, 0, 1), (LATE, 1, 0, 2), (LATE, 1, 1, 2)]


def test_letters_of_what_no_version_can_read_are_the_older_ones(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    pair.send([("key", b"not json"), ("key", event(666))])
    old, new = pair.open(OLD), pair.open(NEW, follows=1)
    pair.fold(old)
    follow(new, monkeypatch)
    pair.fold(new)
    letters = [letter for _, letter in pair.heard(DEAD_LETTERS.name, 3) if isinstance(letter, DeadLettered)]
    assert sorted((letter.service, letter.stage) for letter in letters) == [
        (OLD.group, "decode"),
        (OLD.group, "fold"),
        (NEW.group, "fold"),
    ]


def test_a_version_needs_a_greater_epoch(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    pair.send(some(0, 3))
    pair.fold(pair.open(dataclasses.replace(OLD, epoch=5)))
    new = pair.open(NEW, follows=1)
    with pytest.raises(ConfigFault, match="Give the view a greater epoch"):
        follow(new, monkeypatch)
    with pytest.raises(ConfigFault, match="Run the newer program"):
        pair.open(OLD)
    with pytest.raises(ValueError, match="needs an epoch of 2 or more"):
        dataclasses.replace(OLD, version=2)


def test_a_switch_needs_a_follower_that_is_not_ahead(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageFault, match="--follows 1"):
        switch(pair.log, NEW, LANE, NOW)
    pair.send(some(0, 6))
    old, new = pair.open(OLD), pair.open(NEW, follows=1)
    pair.fold(old)
    follow(new, monkeypatch)
    pair.fold(new)
    resetting.reset(pair.log, OLD, LANE, lambda source, lane, low, high: 2)
    with pytest.raises(UsageFault, match="is ahead of the version"):
        switch(pair.log, NEW, LANE, NOW)
    pair.fold(pair.open(OLD))
    assert switch(pair.log, NEW, LANE, NOW).is_switched


def test_a_position_is_found_behind_what_follows_it_and_among_many_commits(pair: Pair) -> None:
    assert standing(pair.log, OLD, LANE).position is None
    old = pair.open(OLD)
    assert standing(pair.log, OLD, LANE).position is None
    pair.send(some(0, 4_000))
    pair.fold(old)
    first = standing(pair.log, OLD, LANE)
    deadline = time.monotonic() + 20
    while first.position is None or first.position.next_offsets != {COUNTED: 4_000}:
        assert time.monotonic() < deadline, first  # a commit returns before its marker stands
        first = standing(pair.log, OLD, LANE)
    assert standing(pair.log, OLD, LANE, first) == first
    writer = pair.log.writer("stray")
    writer.begin()
    for number in range(2_500):
        writer.send(stray(f"s{number}".encode()))
    writer.commit(stray(b"s"))
    assert standing(pair.log, OLD, LANE).position == first.position


def stray(key: bytes) -> Outgoing:
    return Outgoing(OLD.changelog, key, b"", LANE)


def test_a_takeover_stops_the_owner_and_is_stopped_by_it(pair: Pair) -> None:
    pair.send(some(0, 3))
    old = pair.open(OLD)
    pair.fold(old)
    held = Takeover(OLD, pair.log, LANE)
    assert held.position is not None
    old = pair.open(OLD)
    with pytest.raises(LaneLost):
        held.write(held.position)
    held = Takeover(OLD, pair.log, LANE)
    held.write(held.position or Position(0))
    require_overtaken(old)
    again = standing(pair.log, OLD, LANE).position
    assert again is not None
    assert again.commits == held.position.commits + 1  # type: ignore[union-attr]


def test_what_the_owner_commits_before_it_is_stopped_counts(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    pair.send(some(0, 3))
    old, writer = pair.open(OLD), pair.log.writer

    def late(name: str) -> KafkaWriter:
        pair.fold(old)
        return writer(name)

    monkeypatch.setattr(pair.log, "writer", late)
    held = Takeover(OLD, pair.log, LANE)
    assert held.position is not None
    assert held.position.next_offsets == {COUNTED: 3}


def test_insisting_has_an_end() -> None:
    tries = []

    def act() -> None:
        tries.append(1)
        raise LaneLost("again")

    with pytest.raises(DependencyAway, match="stop the worker"):
        insist(act)
    assert len(tries) == 10
