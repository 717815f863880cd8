"""The codec against fastavro, over generated records; what it refuses, and in which words."""

import copy
import io
import json
import re
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import fastavro
import msgspec
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as limits
from hypothesis import strategies as some

from schemas import topics as t
from schemas import wire
from schemas.avsc import schema_of
from schemas.codec import Codec, Reason, Undecodable, Unencodable, frame, key_text
from schemas.events.orders import SoldInStore
from schemas.events.states import StockLedgerEntry
from schemas.events.stock import StockSold
from schemas.reading import Reader
from schemas.registry import RegistryAway, SchemaUnknown
from schemas.resolution import Unresolvable
from tests.schemas.rows import read, rows, struct_of, without_times, written

PAIRS = sorted(
    {each: topic for topic in t.TOPICS for each in topic.carries}.items(), key=lambda pair: pair[0].__name__
)
FEW = limits(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck), database=None)
MANY = limits(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck), database=None)
TOTALS_SCALE = {"type": "bytes", "logicalType": "decimal", "precision": 18, "scale": 4}


class Shelf:
    """The ids of schemas, in memory: the codec's own part needs no server."""

    def __init__(self, *schemas: Any) -> None:
        self.schemas: list[Any] = list(schemas)
        self.is_away = False

    def schema(self, schema_id: int) -> Any:
        if self.is_away:
            raise RegistryAway("no answer")
        if not 1 <= schema_id <= len(self.schemas):
            raise SchemaUnknown("no such schema")
        return self.schemas[schema_id - 1]

    def id_of(self, subject: str, schema: Any) -> int:
        if schema not in self.schemas:
            self.schemas.append(schema)
        return self.schemas.index(schema) + 1


def codec(*schemas: Any) -> Codec:
    return Codec(Shelf(*schemas))  # type: ignore[arg-type]


def example(kind: type) -> Any:
    """One record of a type: the plainest that its schema allows."""
    found: list[Any] = []

    @limits(max_examples=1, deadline=None, database=None, derandomize=True)
    @given(rows(schema_of(kind)))
    def note(row: Any) -> None:
        found.append(struct_of(row, schema_of(kind), kind))

    note()
    return found[0]


def refused(decode: Callable[[Any], Any], value: bytes | None) -> Undecodable:
    with pytest.raises(Undecodable) as caught:
        decode(value)
    return caught.value


@pytest.mark.parametrize(("kind", "topic"), PAIRS, ids=lambda each: getattr(each, "__name__", ""))
def test_both_ways_as_fastavro_does(kind: type, topic: t.Topic) -> None:
    schema = schema_of(kind)
    encode, decode = (coder := codec()).encoder(topic, kind), coder.decoder(topic)

    @FEW
    @given(rows(schema))
    def check(row: Any) -> None:
        record = struct_of(row, schema, kind)
        value = encode(record)
        assert value[5:] == written(row, schema)
        assert decode(value) == record

    check()


def plain(name: str, **more: Any) -> dict[str, Any]:
    return {"type": "record", "name": name, **more}


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

    @limits(FEW, max_examples=30)
    @given(some.data())
    def check(data: some.DataObject) -> None:
        value = written(data.draw(_loose(writer)), writer)
        expected = read(value, writer, NOTE)
        assert reader.read(b"\0" * 5 + value) == Note(**expected)

    check()


def _loose(schema: Any) -> some.SearchStrategy[Any]:
    """What rows() does not make: kinds that our own schemas never have."""
    simple = {"int": some.integers(-(2**31), 2**31 - 1), "bytes": some.text(max_size=9).map(str.encode)}
    simple |= {"string": some.text(max_size=9), "long": some.integers(-(2**63), 2**63 - 1)}
    simple |= {"double": some.floats(allow_nan=False, allow_infinity=False), "boolean": some.booleans()}
    simple |= {"float": some.integers(-99, 99).map(float), "null": some.none(), "enum": some.just("BLUE")}
    simple |= {"fixed": some.binary(min_size=3, max_size=3)}
    if schema == "Part":
        schema = PART
    if isinstance(schema, list):
        return some.one_of([_loose(each) for each in schema])
    kind = schema if isinstance(schema, str) else schema["type"]
    if kind == "record":
        return some.fixed_dictionaries({each["name"]: _loose(each["type"]) for each in schema["fields"]})
    if kind == "array":
        return some.lists(_loose(schema["items"]), max_size=3)
    if kind == "map":
        return some.dictionaries(some.text(max_size=9), _loose(schema["values"]), max_size=3)
    return simple[kind]


class Priced(msgspec.Struct):
    amount: int
    at: int
    shade: str


def priced(amount: Any, at: Any, shade: Any = SHADE) -> dict[str, Any]:
    named = [("amount", amount), ("at", at), ("shade", shade)]
    return plain("Priced", fields=[{"name": name, "type": kind} for name, kind in named])


MICROS = {"type": "long", "logicalType": "timestamp-micros"}
MILLIS = {"type": "long", "logicalType": "timestamp-millis"}
OURS = priced(TOTALS_SCALE, MICROS, SHADE | {"default": "RED"})


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


SOLD = example(SoldInStore)
ENCODED = codec(schema_of(SoldInStore)).encoder(t.ORDERS, SoldInStore)(SOLD)


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (None, Reason.EMPTY_VALUE),
        (b"", Reason.EMPTY_VALUE),
        (b"\0", Reason.TOO_SHORT),
        (b"\0\0\0\1", Reason.TOO_SHORT),
        (b"\1" + ENCODED[1:], Reason.WRONG_MAGIC),
        (b'{"type": "SoldInStore"}', Reason.JSON),
        (b"\0\0\0\0\x63" + ENCODED[5:], Reason.UNKNOWN_SCHEMA_ID),
        (b"\0\0\0\0\2" + ENCODED[5:], Reason.FOREIGN_SCHEMA),
        (b"\0\0\0\0\3" + ENCODED[5:], Reason.UNREADABLE_SCHEMA),
        (b"\0\0\0\0\4" + ENCODED[5:], Reason.UNREADABLE_SCHEMA),
        (b"\0\0\0\0\1", Reason.TRUNCATED),
        (ENCODED[:-1], Reason.TRUNCATED),
        (ENCODED + b"\0", Reason.TRAILING_BYTES),
    ],
)
def test_bad_bytes_are_named(value: bytes | None, reason: Reason) -> None:
    odd = plain("SoldInStore", namespace="vaart.commerce", fields=[{"name": "meta", "type": "string"}])
    broken = plain("SoldInStore", namespace="vaart.commerce", fields=[{"name": "meta", "type": "nothing"}])
    decode = codec(schema_of(SoldInStore), schema_of(StockSold), odd, broken).decoder(t.ORDERS)
    for _ in "twice":
        assert refused(decode, value).reason is reason


def ledger(**changes: Any) -> bytes:
    """A ledger entry whose fields were written without any check."""
    schema = without_times(schema_of(StockLedgerEntry))
    row = {
        "sku": "dress", "seq": 1, "location_id": "haarlem", "owner": "us", "event_id": "e", "line_no": 0,
        "kind": "sale", "bucket": "available", "delta": -1, "at": 0,
    }  # fmt: skip
    out = io.BytesIO()
    fastavro.schemaless_writer(out, fastavro.parse_schema(schema), row | changes)
    return frame(1) + out.getvalue()


@pytest.mark.parametrize(
    ("value", "reason", "field"),
    [
        (ledger(at=wire.INSTANT_MAX + 1), Reason.INVALID_VALUE, "at"),
        (ledger(sku="secret").replace(b"secret", b"s\xed\xa0\x80et"), Reason.INVALID_TEXT, "sku"),
        (frame(1) + b"\1", Reason.INVALID_VALUE, "sku"),
        (frame(1) + b"\xff" * 11, Reason.INVALID_VALUE, "sku"),
        (frame(1) + b"\xfe\xff\xff\xff\x0f", Reason.TRUNCATED, "sku"),
    ],
)
def test_bad_values_name_their_field_and_not_themselves(value: bytes, reason: Reason, field: str) -> None:
    found = refused(codec(schema_of(StockLedgerEntry)).decoder(t.LEDGER), value)
    assert (found.reason, found.schema_id) == (reason, 1)
    assert field in found.detail
    assert "secret" not in str(found)


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
    for raw in ((10**18).to_bytes(8, "big", signed=True), b"\x7f" * 40):
        with pytest.raises(wire.Misfit, match="18 digits"):
            amounts[raw]


def test_a_union_without_such_a_branch_is_refused() -> None:
    schema = plain(
        "Note", fields=[{"name": "text", "type": "string"}, {"name": "extra", "type": ["null", "string"]}]
    )
    with pytest.raises(wire.Misfit, match="branch"):
        Reader(schema, NOTE, Note).read(b"\0" * 5 + b"\0\4")


def test_a_key_is_text_of_a_bounded_length() -> None:
    assert key_text("winkel é".encode()) == "winkel é"
    for key in (None, b"", b"x" * 1025, b"\xff"):
        with pytest.raises(Undecodable, match="invalid_key"):
            key_text(key)


SHORT = codec(schema_of(StockSold))
DECODE = SHORT.decoder(t.STOCK)
VALID = SHORT.encoder(t.STOCK, StockSold)(example(StockSold))


@MANY
@given(some.data())
def test_any_bytes_are_a_record_or_undecodable(data: some.DataObject) -> None:
    value = bytearray(VALID)
    for _ in range(data.draw(some.integers(1, 4))):
        at = data.draw(some.integers(5, len(value) - 1))
        value[at : at + data.draw(some.integers(0, 2))] = data.draw(some.binary(max_size=3))
    assert outcome(bytes(value)) in {
        "a record", Reason.TRUNCATED, Reason.TRAILING_BYTES, Reason.INVALID_TEXT, Reason.INVALID_VALUE,
    }  # fmt: skip


def outcome(value: bytes) -> str:
    try:
        DECODE(value)
    except Undecodable as error:
        return error.reason
    return "a record"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"receipt_id": 5}, "receipt_id"),
        ({"receipt_id": "\ud800"}, "receipt_id"),
        ({"business_date": wire.DATE_MAX + 1}, "business_date"),
        ({"business_date": None}, "business_date"),
        ({"till_sequence": 2**63}, "till_sequence"),
        ({"till_sequence": 1.5}, "till_sequence"),
        ({"lines": "abc"}, "lines"),
        ({"meta": None}, "meta"),
    ],
)
def test_what_does_not_fit_names_its_field(changes: dict[str, Any], field: str) -> None:
    encode = codec().encoder(t.ORDERS, SoldInStore)
    with pytest.raises(Unencodable, match=rf"SoldInStore\.{field}") as found:
        encode(msgspec.structs.replace(SOLD, **changes))
    assert "\ud800" not in str(found.value)


def test_an_amount_that_does_not_fit_names_its_field() -> None:
    encode = codec().encoder(t.ORDERS, SoldInStore)
    for amount in (10**18, 0.5, "12"):
        totals = msgspec.structs.replace(SOLD.totals, total=amount)
        with pytest.raises(Unencodable, match=r"SoldInStore\.totals\.total"):
            encode(msgspec.structs.replace(SOLD, totals=totals))


def test_another_type_is_not_encoded() -> None:
    with pytest.raises(Unencodable, match="another type"):
        codec().encoder(t.ORDERS, SoldInStore)(object())


def test_while_the_registry_is_away_nothing_is_called_bad() -> None:
    shelf = Shelf(schema_of(SoldInStore))
    decode = Codec(shelf).decoder(t.ORDERS)  # type: ignore[arg-type]
    shelf.is_away = True
    with pytest.raises(RegistryAway):
        decode(ENCODED)
    shelf.is_away = False
    assert decode(ENCODED) == SOLD
    shelf.is_away = True
    assert decode(ENCODED) == SOLD


def test_defaults_are_never_shared() -> None:
    schema = copy.deepcopy(schema_of(SoldInStore))
    schema["fields"] = [each for each in schema["fields"] if each["name"] != "tenders"]
    reader = Reader(schema, schema_of(SoldInStore), SoldInStore)
    value = b"\0" * 5 + written(_row(), schema)
    one, other = reader.read(value), reader.read(value)
    assert one.tenders == []
    assert one.tenders is not other.tenders


def _row() -> Any:
    return read(ENCODED[5:], schema_of(SoldInStore))


def test_the_schemas_travel_with_the_package() -> None:
    assert json.loads((Path(t.__file__).parent / "avro" / "sold_in_store.v1.avsc").read_text())
