"""The engine on the real Kafka: exact over restarts, rebalances and rubbish; test_worker_kills.py has the kills."""

import random
import signal
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

from schemas.events.clock import ClockAdvanced
from schemas.events.dead_letters import DeadLettered
from schemas.topics import DEAD_LETTERS
from tests.streams.engine import counting
from tests.streams.engine.counting import DAY, Counted, CountLevel, event
from tests.streams.engine.rig import PARTITIONS, PATIENCE_S, Rig
from vaart.addresses import Addresses

pytestmark = pytest.mark.servers
LEVELS, PASSED, COUNTED = counting.LEVELS.name, counting.PASSED.name, counting.COUNTED.name


@pytest.fixture
def rig(servers: Addresses, prefix: str, tmp_path: Path) -> Iterator[Rig]:
    made = Rig(servers.kafka, prefix, tmp_path)
    yield made
    made.close()


def some_events(count: int, keys: int, seed: int) -> list[tuple[str, Counted]]:
    chance = random.Random(seed)
    return [
        (f"key-{chance.randrange(keys)}", event(chance.randrange(1, 9), at=number, event_id=str(number)))
        for number in range(count)
    ]


def last_levels(found: list[tuple[str, object, int]]) -> dict[str, CountLevel]:
    """The last snapshot per key; its sequence numbers must have grown all along."""
    newest: dict[str, CountLevel] = {}
    for key, level, _ in found:
        assert isinstance(level, CountLevel)
        assert key not in newest or level.seq > newest[key].seq
        newest[key] = level
    return newest


def assert_exact(rig: Rig, sent: list[tuple[str, Counted]]) -> None:
    passed = rig.wait_for(PASSED, len(sent))
    assert Counter((key, record.meta.event_id) for key, record, _ in passed) == Counter(  # type: ignore[attr-defined]
        (key, record.meta.event_id) for key, record in sent
    )
    totals: dict[str, int] = defaultdict(int)
    for key, record in sent:
        totals[key] += record.units
    assert {key: level.units for key, level in last_levels(rig.read(LEVELS)).items()} == totals


def test_a_stopped_owner_that_wakes_is_fenced(rig: Rig) -> None:
    sent = some_events(4_000, keys=100, seed=3)
    rig.start("a")
    rig.send(sent[:2_000])
    rig.wait_for(PASSED, 2_000)
    rig.workers["a"].send_signal(signal.SIGSTOP)
    rig.start("b")
    rig.send(sent[2_000:])
    rig.wait_for(PASSED, 4_000)
    rig.workers["a"].send_signal(signal.SIGCONT)
    more = some_events(1_000, keys=100, seed=4)
    rig.send(more)
    assert_exact(rig, sent + more)


def test_state_returns_without_its_folder(rig: Rig) -> None:
    import shutil

    sent = some_events(1_000, keys=50, seed=5)
    rig.start("a")
    rig.send(sent)
    rig.wait_for(PASSED, 1_000)
    assert rig.kill("a", signal.SIGTERM) == 0
    shutil.rmtree(rig.folder / "state")
    more = some_events(200, keys=50, seed=6)
    rig.start("a")
    rig.send(more)
    assert_exact(rig, sent + more)


def test_rubbish_becomes_one_dead_letter_each_and_the_rest_goes_on(rig: Rig) -> None:
    good = some_events(50, keys=5, seed=1)
    rig.start("a")
    rig.send([*good[:20], ("key-1", b"not json"), ("key-2", event(666, event_id="bad")), *good[20:]])
    assert_exact(rig, good)
    letters = [record for _, record, _ in rig.wait_for(DEAD_LETTERS.name, 2)]
    assert {(letter.stage, letter.value) for letter in letters if isinstance(letter, DeadLettered)} == {
        ("decode", b"not json"),
        ("fold", counting.encode(event(666, event_id="bad"))),
    }
    assert "not json" not in rig.log("a")


def test_silent_keys_are_woken_by_the_replays_clock(rig: Rig) -> None:
    rig.start("a", VAART_CLOCK="replay")
    rig.send([("key-1", event(1, at=0, event_id="1")), ("key-2", event(1, at=DAY, event_id="2"))])
    rig.advance(DAY)
    clocks = [record for _, record, _ in rig.wait_for(PASSED, 2 + PARTITIONS * PARTITIONS)]
    assert sum(isinstance(record, ClockAdvanced) for record in clocks) == PARTITIONS * PARTITIONS
    levels = [(key, record) for key, record, _ in rig.read(LEVELS) if isinstance(record, CountLevel)]
    rung = {key: level.rung for key, level in levels}
    assert rung == {"key-1": 1, "key-2": 0}


def test_a_replay_is_folded_in_the_order_of_time(rig: Rig) -> None:
    rig.start("a", VAART_CLOCK="replay", ORDERED="1")
    late, early, later = (event(1, at=days * DAY, event_id=str(days)) for days in (4, 1, 9))
    rig.send([("key", late), ("key", early), ("key", later)])
    rig.advance(5 * DAY)
    rig.wait_for(PASSED, 2 + PARTITIONS * PARTITIONS)
    rig.kill("a")
    rig.start("a", VAART_CLOCK="replay", ORDERED="1")
    rig.advance(9 * DAY)
    found = [record for _, record, _ in rig.wait_for(PASSED, 3 + 2 * PARTITIONS * PARTITIONS)]
    passed = [record.meta.event_id for record in found if isinstance(record, Counted)]
    assert passed == ["1", "4", "9"]
    levels = [record for _, record, _ in rig.read(LEVELS) if isinstance(record, CountLevel)]
    assert (levels[-1].units, levels[-1].rung) == (3, 2)


def test_live_the_wall_clock_wakes_silent_keys(rig: Rig) -> None:
    rig.start("a")
    due_soon = time.time_ns() // 1000 - DAY + 2_000_000
    rig.send([("key", event(1, at=due_soon)), ("other", event(1, at=due_soon + DAY // 2))])
    deadline = time.monotonic() + PATIENCE_S
    rung: dict[str, int] = {}
    while rung.get("key") != 1:
        assert time.monotonic() < deadline, rung
        rung = {key: record.rung for key, record, _ in rig.read(LEVELS) if isinstance(record, CountLevel)}
    assert rung == {"key": 1, "other": 0}


def test_a_topic_with_other_partitions_is_refused(rig: Rig) -> None:
    rig.start("a", VAART_KAFKA__PARTITIONS="8")
    assert rig.workers["a"].wait(60) != 0
    assert "8 are configured" in rig.log("a")
