"""Schemas of other versions, kinds and units: read as Avro says and exactly, or refused by field."""

import re
import struct
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as limits
from hypothesis import strategies as some

from schemas import wire
from schemas.coders import Reader
from schemas.resolution import Unresolvable
from tests.schemas.rows import plain, read, rows, written

pytestmark = pytest.mark.usefixtures("codec_kind")

FEW = limits(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck), database=None)
AMOUNT = {"type": "bytes", "logicalType": "decimal", "precision": 18, "scale": 4}


class Note(msgspec.Struct, kw_only=True):
    text: str
    count: int = 0
    extra: str | None = None


NOTE = plain(
    "Note",
    fields=[
        {"name": "text", "type": "string", "aliases": ["body"]},
        {"name": "count", "type": "long", "default": 7},
        {"name": "extra", "type": ["null", "string"], "default": None},
    ],
)
SHADE = {"type": "enum", "name": "Shade", "symbols": ["RED", "BLUE"]}
PART = plain("Part", fields=[{"name": "x", "type": {"type": "array", "items": "string"}}])


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param([{"name": "text", "type": "string"}], id="fields that we have and it has not"),
        pytest.param([{"name": "body", "type": "string"}], id="a field under its older name"),
        pytest.param(
            [{"name": "count", "type": "int"}, {"name": "text", "type": "bytes"}],
            id="another order, and types that widen",
        ),
        pytest.param(
            [{"name": "text", "type": "string"}, {"name": "extra", "type": "string"}],
            id="a value where we may have none",
        ),
        pytest.param(
            [
                {"name": "gone", "type": ["null", PART, SHADE, "double"]},
                {"name": "also", "type": {"type": "map", "values": ["int", "boolean", "float"]}},
                {"name": "raw", "type": {"type": "fixed", "name": "Raw", "size": 3}},
                {"name": "text", "type": "string"},
                {"name": "more", "type": {"type": "array", "items": "Part"}},
            ],
            id="fields that we do not have",
        ),
        pytest.param(
            [{"name": "text", "type": ["string"]}, {"name": "count", "type": ["int", "long"]}], id="unions"
        ),
    ],
)
def test_another_version_is_read_as_fastavro_does(fields: list[Any]) -> None:
    writer = plain("Note", fields=fields)
    reader = Reader(writer, NOTE, Note)

    @FEW
    @given(some.data())
    def check(data: some.DataObject) -> None:
        value = written(data.draw(rows(writer)), writer)
        try:
            expected = read(value, writer, NOTE)
        except UnicodeDecodeError:  # bytes that are no text
            with pytest.raises(UnicodeDecodeError):
                reader.read(b"\0" * 5 + value)
            return
        assert reader.read(b"\0" * 5 + value) == Note(**expected)

    check()


class Priced(msgspec.Struct):
    amount: int
    at: int
    shade: str


def priced(amount: Any, at: Any, shade: Any = SHADE) -> dict[str, Any]:
    named = [("amount", amount), ("at", at), ("shade", shade)]
    return plain("Priced", fields=[{"name": name, "type": kind} for name, kind in named])


MICROS = {"type": "long", "logicalType": "timestamp-micros"}
MILLIS = {"type": "long", "logicalType": "timestamp-millis"}
OURS = priced(AMOUNT, MICROS, SHADE | {"default": "RED"})


def decimal_of(scale: int, **more: Any) -> dict[str, Any]:
    return {"type": "bytes", "logicalType": "decimal", "precision": 18, "scale": scale, **more}


def test_units_are_told_exactly() -> None:
    in_fixed = decimal_of(2, type="fixed", name="Money", size=8)
    greens = {"type": "enum", "name": "Shade", "symbols": ["GREEN", "BLUE"]}
    cents = Reader(priced(in_fixed, MILLIS, greens), OURS, Priced)
    body = (1234).to_bytes(8, "big") + wire.varint(1_500) + b"\0"
    assert cents.read(b"\0" * 5 + body) == Priced(123_400, 1_500_000, "RED")
    assert cents.read(b"\0" * 5 + body[:-1] + b"\2").shade == "BLUE"
    finer = Reader(priced(decimal_of(6), MICROS), OURS, Priced).read
    assert finer(b"\0" * 5 + b"\4" + (1_200).to_bytes(2, "big") + b"\0\0").amount == 12
    with pytest.raises(wire.Misfit, match="finer"):
        finer(b"\0" * 5 + b"\4" + (1_201).to_bytes(2, "big") + b"\0\0")


@pytest.mark.parametrize(
    ("writer", "what"),
    [
        (priced("bytes", MICROS), "amount: the writer's unit is not stated, ours is decimal"),
        (priced("double", MICROS), "amount: the writer's unit is not stated, ours is decimal"),
        (
            priced({"type": "int", "logicalType": "decimal", "scale": 4}, MICROS),
            "amount: the writer has int, ours",
        ),
        (priced({"type": "array", "items": "int"}, MICROS), "amount: the writer has array, ours is bytes"),
        (priced(plain("Sum", fields=[]), MICROS), "amount: the writer has record, ours is bytes"),
        (priced(decimal_of(4), "long"), "at: the writer's unit is not stated, ours is timestamp-micros"),
        (priced(decimal_of(4), {"type": "int", "logicalType": "date"}), "at: the writer's unit is date"),
        (priced(decimal_of(4), MICROS, "string"), "shade: the writer has string, ours is enum"),
        (
            plain("Priced", fields=[{"name": "at", "type": MICROS}]),
            "amount: the writer does not have this field",
        ),
        (plain("Other", fields=[]), "the record: the writer has Other, ours is Priced"),
    ],
)
def test_what_cannot_be_settled_is_refused_by_field(writer: Any, what: str) -> None:
    with pytest.raises(Unresolvable, match=re.escape(what)):
        Reader(writer, OURS, Priced)


def test_a_schema_without_a_bound_is_refused() -> None:
    ours = plain("Note", fields=[])
    endless = plain("Note", fields=[{"name": "next", "type": {"type": "array", "items": "Note"}}])
    with pytest.raises(Unresolvable, match="contains itself"):
        Reader(endless, ours, Note)
    empty = plain("Note", fields=[{"name": "many", "type": {"type": "array", "items": "null"}}])
    with pytest.raises(Unresolvable, match="nothing bounds"):
        Reader(empty, ours, Note)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
@pytest.mark.parametrize("width", ["double", "float"])
def test_a_number_that_is_none_is_refused(value: float, width: str) -> None:
    class Weighed(msgspec.Struct):
        weight: float

    schema = plain("Weighed", fields=[{"name": "weight", "type": width}])
    body = struct.pack("<d" if width == "double" else "<f", value)
    with pytest.raises(wire.Misfit, match="not a finite number"):
        Reader(schema, schema, Weighed).read(b"\0" * 5 + body)


def test_an_amount_has_at_most_eighteen_digits() -> None:
    amounts = wire.amounts(4)
    assert amounts[(10**18 - 1).to_bytes(8, "big", signed=True)] == 10**18 - 1
    for raw in ((10**18).to_bytes(8, "big", signed=True), b"\x7f" * 20, b"\0" * 40):
        with pytest.raises(wire.Misfit, match="18 digits"):
            amounts[raw]


class Listed(msgspec.Struct):
    names: list[str]


LISTED = plain("Listed", fields=[{"name": "names", "type": {"type": "array", "items": "string"}}])


def test_a_list_may_come_in_many_blocks_with_or_without_their_size() -> None:
    read_list = Reader(LISTED, LISTED, Listed).read
    items = b"\2a" * 70
    blocks = wire.varint(70) + items + wire.varint(-70) + wire.varint(len(items)) + items + b"\2\2b\0"
    assert read_list(b"\0" * 5 + blocks).names == ["a"] * 140 + ["b"]
    with pytest.raises(wire.Cut):
        read_list(b"\0" * 5 + wire.varint(10**9) + items)


def test_a_union_without_such_a_branch_is_refused() -> None:
    schema = plain(
        "Note", fields=[{"name": "text", "type": "string"}, {"name": "extra", "type": ["null", "string"]}]
    )
    with pytest.raises(wire.Misfit, match="branch"):
        Reader(schema, NOTE, Note).read(b"\0" * 5 + b"\0\4")


def test_defaults_are_never_shared() -> None:
    schema = plain("Listed", fields=[])
    ours = plain("Listed", fields=[LISTED["fields"][0] | {"default": []}])
    read_empty = Reader(schema, ours, Listed).read
    one, other = read_empty(b"\0" * 5), read_empty(b"\0" * 5)
    assert one.names == []
    assert one.names is not other.names
