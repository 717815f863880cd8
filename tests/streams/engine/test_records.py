import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.engine import records
from streams.view import Record
from vaart.errors import ConfigFault


@given(st.lists(st.text(), max_size=4))
def test_parts_survive_any_text(parts: list[str]) -> None:
    assert records.parts_of(records.parts_bytes(tuple(parts))) == tuple(parts)


def test_ids_that_hold_a_separator_do_not_collide() -> None:
    assert records.parts_bytes(("a/b", "c")) != records.parts_bytes(("a", "b/c"))


@given(st.integers(-(2**62), 2**62), st.integers(0, 2**62))
def test_due_entries_sort_by_time(first: int, second: int) -> None:
    keys = [records.due_key(abs(first), b"z"), records.due_key(second, b"a")]
    assert (keys[0] < keys[1]) == (abs(first) < second) or abs(first) == second
    assert records.due_of(keys[0]) == (abs(first), b"z")


class Old(Record):
    units: int = 0


class New(Record):
    version = 2
    units: int = 0
    doubled: int = 0

    @classmethod
    def upgrade(cls, version: int, encoded: bytes) -> "New":
        import msgspec

        (units,) = msgspec.msgpack.decode(encoded)
        return cls(units, units * 2)


def test_an_older_version_is_converted() -> None:
    assert records.record_decoder(New)(records.record_value(Old(3))) == New(3, 6)
    assert records.head_decoder(New)(records.head_value(Old(3), 7)) == New(3, 6)


def test_a_newer_version_is_refused_with_what_to_do() -> None:
    with pytest.raises(ConfigFault, match="run the newer program"):
        records.record_decoder(Old)(records.record_value(New(3, 6)))
