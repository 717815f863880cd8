"""The driver: what someone who writes a view sees."""

import dataclasses

import pytest

from streams.engine import records
from streams.engine.testing.driver import Driver
from tests.streams.engine.counting import COUNTED, DAY, LEVELS, PASSED, VIEW, CountLevel, Head, encode, event


def test_events_go_in_and_outputs_come_out() -> None:
    driver = Driver(VIEW)
    driver.send("pear", event(2))
    driver.send("pear", event(3, at=5, place="there"))
    assert [key for key, _ in driver.outputs(PASSED)] == ["pear", "pear"]
    assert driver.last(LEVELS)["pear"].units == 5
    assert driver.state("pear").head == Head(units=5, rung=0, last_at=5)
    assert driver.state("pear").wake_at == DAY + 5
    assert set(driver.state("pear").collections["places"]) == {("here",), ("there",)}


def test_the_clock_is_moved_by_hand() -> None:
    driver = Driver(VIEW)
    driver.send("pear", event(2))
    driver.advance(until=DAY - 1)
    assert driver.state("pear").head.rung == 0
    driver.advance(until=DAY)
    assert driver.last(LEVELS)["pear"].rung == 1


def test_a_restart_loses_the_store_and_nothing_else() -> None:
    driver = Driver(VIEW)
    driver.send("pear", event(2))
    before = driver.state("pear")
    driver.restart()
    assert driver.state("pear") == before
    driver.send("pear", event(1))
    seqs = [level.seq for _, level in driver.outputs(LEVELS) if isinstance(level, CountLevel)]
    assert seqs == sorted(set(seqs))


def test_every_commit_writes_to_the_changelog_where_it_stands() -> None:
    driver = Driver(VIEW)
    driver.send("pear", event(2))
    assert [key for key, _ in driver.changelog()][-1] == records.POSITION
    driver.send("pear", event(0))
    tombstones = {key for key, value in driver.changelog() if value is None}
    assert records.head_key(b"pear") in tombstones


def test_what_is_refused_is_a_dead_letter() -> None:
    driver = Driver(VIEW)
    driver.send("pear", b"rubbish")
    driver.send("pear", event(666))
    assert [letter.stage for letter in driver.dead_letters()] == ["decode", "fold"]
    assert driver.state("pear").head is None


def test_a_source_must_be_named_where_two_carry_the_event() -> None:
    twice = dataclasses.replace(VIEW, sources=(COUNTED, dataclasses.replace(COUNTED, name="test.other.v1")))
    with pytest.raises(ValueError, match="name the topic"):
        Driver(twice).send("pear", event(1))
    driver = Driver(twice)
    driver.send("pear", event(1), COUNTED)
    assert driver.state("pear").head.units == 1


def test_what_was_sent_is_read_as_it_was_sent() -> None:
    driver = Driver(VIEW)
    driver.send("pear", event(1, event_id="e-1"))
    ((_, passed),) = driver.outputs(PASSED)
    assert encode(passed) == encode(event(1, event_id="e-1"))
