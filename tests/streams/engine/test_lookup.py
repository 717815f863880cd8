"""A key's state out of a changelog that is cut at any place: as of a commit, never of half a one."""

from collections.abc import Iterator

import pytest

from streams.engine import position, records
from streams.engine.kafka_log import KafkaLog
from streams.engine.log import Page
from streams.engine.lookup import look_up
from streams.engine.position import Position
from tests.streams.engine.counting import VIEW, Head, Place

KEY = b"key"
HERE, THERE = (
    records.collection_prefix(0, KEY, 0) + records.parts_bytes((place,)) for place in ("here", "there")
)


def commit(number: int) -> list[tuple[bytes, bytes | None]]:
    """One that writes head, collection and position, each saying its number."""
    return [
        (HERE, records.record_value(Place(number))),
        (records.head_key(KEY), records.head_value(Head(units=number), None)),
        (records.head_key(b"other"), records.head_value(Head(units=99), None)),
        (THERE, None if number == 3 else records.record_value(Place(number))),
        (records.POSITION, position.encode(Position(4, number))),
    ]


CHANGELOG = [record for number in (1, 2, 3) for record in commit(number)]


class Cut(KafkaLog):
    """A changelog of which `count` records can be read."""

    def __init__(self, count: int) -> None:
        self.count = count

    def bounds(self, topic: str, partition: int) -> tuple[int, int]:
        return 0, self.count

    def read(self, topic: str, partition: int, start: int, stop: int) -> Iterator[Page]:
        for at in range(start, stop, 2):
            yield Page(CHANGELOG[at : min(stop, at + 2)], min(stop, at + 2))


@pytest.mark.parametrize("count", range(len(CHANGELOG) + 1))
def test_a_state_is_of_one_commit(count: int) -> None:
    told: list[tuple[int, int]] = []
    found = look_up(Cut(count), VIEW, 0, KEY, lambda reached, end: told.append((reached, end)))
    number = count // len(commit(1))
    assert found.records == count
    assert told[0] == (0, count)
    assert told[-1] == (count, count)
    if number == 0:
        assert (found.head, found.position) == (None, None)
        return
    assert (found.head.units, found.position) == (number, Position(4, number))
    places = {"here": number} if number == 3 else {"here": number, "there": number}
    assert {part[0]: place.units for part, place in found.collections["places"].items()} == places
