"""A lane that is claimed after brokers left its last transaction without an end."""

import pytest

from streams.engine import claim
from streams.engine.claim import claimed, writer_name
from streams.engine.log import Fate, Outgoing
from streams.engine.testing.driver import log_for
from streams.engine.testing.memory_log import MemoryLog
from tests.streams.engine.counting import PASSED, VIEW
from vaart.errors import ConfigFault

NAME = writer_name(VIEW, 0)


@pytest.fixture
def log() -> MemoryLog:
    return log_for(VIEW)


def leave(log: MemoryLog, fate: Fate) -> None:
    """A transaction that wrote to an output and to the changelog was to end so."""
    writer = log.writer(NAME)
    writer.begin()
    writer.send(Outgoing(PASSED.name, b"left", b"1", 0))
    writer.send(Outgoing(VIEW.changelog, b"left", b"1", 0))
    log.leave_undecided(NAME, fate)


def go_on(log: MemoryLog) -> None:
    """The lane is claimed, and commits to the same places."""
    writer = claimed(log, VIEW, 0)
    writer.begin()
    writer.send(Outgoing(PASSED.name, b"next", b"2", 0))
    writer.commit(Outgoing(VIEW.changelog, b"next", b"2", 0))


def seen(log: MemoryLog, topic: str) -> list[tuple[bytes | None, bytes | None]]:
    return [(each.key, each.value) for each in log.committed(topic, 0)]


def test_what_was_to_be_committed_is_there_when_the_lane_is_claimed(log: MemoryLog) -> None:
    leave(log, Fate.COMMITTED)
    assert seen(log, VIEW.changelog) == []
    claimed(log, VIEW, 0)
    assert seen(log, VIEW.changelog) == [(b"left", b"1"), (claim.NOTE, None)]
    assert log.bounds(VIEW.changelog, 0)[1] == log.end(VIEW.changelog, 0)
    go_on(log)
    assert seen(log, PASSED.name) == [(b"left", b"1"), (b"next", b"2")]


def test_what_was_to_be_aborted_is_never_seen(log: MemoryLog) -> None:
    leave(log, Fate.ABORTED)
    go_on(log)
    assert seen(log, VIEW.changelog) == [(b"next", b"2")]
    assert seen(log, PASSED.name) == [(b"next", b"2")]


def test_an_output_that_alone_was_left_is_ended_too(log: MemoryLog) -> None:
    writer = log.writer(NAME)
    writer.begin()
    writer.send(Outgoing(PASSED.name, b"left", b"1", 0))
    log.leave_undecided(NAME, Fate.ABORTED)
    go_on(log)
    assert seen(log, PASSED.name) == [(b"next", b"2")]


def test_a_lane_is_refused_where_nobody_knows(log: MemoryLog, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(claim, "DECIDED_WITHIN_S", 0.0)
    leave(log, Fate.COMMITTED)
    log.writer(NAME)
    with pytest.raises(ConfigFault, match="find-hanging"):
        claimed(log, VIEW, 0)
