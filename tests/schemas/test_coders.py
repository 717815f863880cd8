"""The compiled codec and the functions in its place say the same of any record and of any bytes, and keep nothing."""

import gc
import random
import resource
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as limits
from hypothesis import strategies as some

from hatch_build import build_codec
from schemas import coders, wire
from schemas import topics as t
from schemas.avsc import schema_of
from schemas.coders import Reader, Writer
from schemas.events.orders import SoldInStore
from schemas.plans import read_plan, write_plan
from schemas.reading import PythonReader
from schemas.writing import PythonWriter
from tests.schemas.rows import plain, rows, struct_of
from tests.schemas.test_codec import damaged

needs_compiled = pytest.mark.skipif(
    coders.compiled is None,
    reason="the compiled codec was not built here: install a C compiler and install again",
)
KINDS = sorted({each for topic in t.TOPICS for each in topic.carries}, key=lambda each: each.__name__)
FEW = limits(
    max_examples=15,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    database=None,
    phases=[Phase.generate],
)
FRAME = b"\0\0\0\0\1"


def outcome(call: Callable[[Any], Any], value: Any) -> tuple[str, Any]:
    """What came of it, in the words of the codec. Where bytes end too early the two may name different fields."""
    try:
        return "done", call(value)
    except (wire.Cut, IndexError):
        return "cut", None
    except wire.Misfit as error:
        return "refused", str(error)
    except UnicodeError:
        return "refused", "no text"
    except Exception:
        return "refused", "not a value of its type"


def by_both(kind: type) -> tuple[tuple[Any, Any], tuple[Any, Any]]:
    schema = schema_of(kind)
    reading, writing = read_plan(schema, schema, kind), write_plan(schema, kind)
    return (
        (Reader(schema, schema, kind).read, PythonReader(reading, 5).read),
        (Writer(schema, kind, FRAME).write, PythonWriter(writing, FRAME).write),
    )


@needs_compiled
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_both_write_the_same_bytes_and_read_whatever_comes_of_them_alike(kind: type) -> None:
    schema = schema_of(kind)
    (read, python_read), (write, python_write) = by_both(kind)

    @FEW
    @given(some.data())
    def check(data: some.DataObject) -> None:
        record = struct_of(data.draw(rows(schema)), schema, kind)
        value = write(record)
        assert value == python_write(record)
        broken = data.draw(damaged(value))
        ours, theirs = outcome(read, broken), outcome(python_read, broken)
        assert ours == theirs or "cut" in (ours[0], theirs[0])
        if "cut" in (ours[0], theirs[0]):
            assert "done" not in (ours[0], theirs[0])

    check()


@needs_compiled
@pytest.mark.parametrize(
    "value",
    [None, True, 0, 1, -1, 1.0, 0.5, 2**63, 10**18, float("nan"), "", "é", "\ud800", b"x", [], {}, ["a"], {"a": "b"},
     {1: "b"}, {"a": 1}],
    ids=repr,
)  # fmt: skip
def test_both_refuse_and_take_the_same_values(value: Any) -> None:
    schema = plain(
        "Odd",
        fields=[
            {"name": name, "type": kind}
            for name, kind in {
                "text": "string",
                "whole": "long",
                "small": "int",
                "real": "double",
                "short": "float",
                "flag": "boolean",
                "raw": "bytes",
                "at": {"type": "long", "logicalType": "timestamp-micros"},
                "day": {"type": "int", "logicalType": "date"},
                "cost": {"type": "bytes", "logicalType": "decimal", "precision": 18, "scale": 4},
                "maybe": ["null", "string"],
                "many": {"type": "array", "items": "string"},
                "named": {"type": "map", "values": "string"},
            }.items()
        ],
    )
    good = Odd("x", 1, 1, 1.0, 1.0, True, b"x", 1, 1, 1, None, [], {})
    write, python_write = Writer(schema, Odd, FRAME).write, PythonWriter(write_plan(schema, Odd), FRAME).write
    for field in Odd.__struct_fields__:
        record = msgspec.structs.replace(good, **{field: value})
        assert outcome(write, record) == outcome(python_write, record), field


class Odd(msgspec.Struct):
    text: Any
    whole: Any
    small: Any
    real: Any
    short: Any
    flag: Any
    raw: Any
    at: Any
    day: Any
    cost: Any
    maybe: Any
    many: list[Any]
    named: dict[str, Any]


@needs_compiled
def test_neither_good_nor_bad_records_leave_anything_behind() -> None:
    (read, _), (write, _) = by_both(SoldInStore)
    chance = random.Random(1)
    record = example_of(SoldInStore)
    value = write(record)
    broken = [bytes(chance.randbytes(chance.randrange(400))) for _ in range(50)]
    broken += [value[:cut] + chance.randbytes(3) + value[cut + 3 :] for cut in range(5, len(value), 3)]

    def work() -> None:
        for each in broken:
            outcome(read, FRAME + each)
            outcome(read, each)
        outcome(write, msgspec.structs.replace(record, receipt_id="\ud800"))
        outcome(write, msgspec.structs.replace(record, lines=[None]))
        assert read(write(record)) == record

    for _ in range(30):
        work()
    gc.collect()
    objects, memory = len(gc.get_objects()), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    counted = sys.getrefcount(SoldInStore)
    for _ in range(300):
        work()
    gc.collect()
    assert len(gc.get_objects()) - objects < 100
    assert sys.getrefcount(SoldInStore) == counted
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - memory < 4_000


def example_of(kind: type) -> Any:
    found: list[Any] = []

    @limits(max_examples=1, deadline=None, database=None, derandomize=True)
    @given(rows(schema_of(kind)))
    def note(row: Any) -> None:
        found.append(struct_of(row, schema_of(kind), kind))

    note()
    return found[0]


@needs_compiled
def test_a_count_that_the_bytes_cannot_hold_allocates_nothing() -> None:
    schema = plain("Bag", fields=[{"name": "many", "type": {"type": "array", "items": "string"}}])
    read = Reader(schema, schema, msgspec.defstruct("Bag", [("many", list[str])])).read
    for count in (
        b"\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01",
        b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\x02",
    ):
        with pytest.raises(wire.Cut):
            read(FRAME + count)


def test_without_a_compiler_nothing_is_built_and_the_reason_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "schemas").mkdir()
    (tmp_path / "schemas" / "_avro.c").write_text("int broken")
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CC", raising=False)
    assert build_codec(tmp_path) in ("no C compiler was found", "Python's C headers are not installed")


@needs_compiled
def test_a_compiler_that_fails_leaves_no_older_codec_behind(tmp_path: Path) -> None:
    (tmp_path / "schemas").mkdir()
    (tmp_path / "schemas" / "_avro.c").write_text("int broken")
    (tmp_path / "schemas" / "_avro.old.so").write_bytes(b"")
    assert "failed" in (build_codec(tmp_path) or "")
    assert list((tmp_path / "schemas").glob("*.so")) == []
