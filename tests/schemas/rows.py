"""Records of any schema for tests: made by hypothesis, told apart in Avro's words and in ours."""

import io
from decimal import Decimal
from typing import Any

import fastavro
from hypothesis import strategies as some

from schemas import wire
from schemas.resolution import Types, kind_of, unit_of
from schemas.shapes import item_of, members_of, present

TEXT = some.text(some.characters(exclude_categories=["Cs"]), max_size=80)
LONGS = some.integers(-wire.LONG_END, wire.LONG_END - 1)
BY_UNIT = {
    "decimal": some.integers(1 - wire.AMOUNT_END, wire.AMOUNT_END - 1).map(lambda n: Decimal(n).scaleb(-4)),
    "timestamp-micros": some.integers(wire.INSTANT_MIN, wire.INSTANT_MAX),
    "date": some.integers(wire.DATE_MIN, wire.DATE_MAX),
}
BY_KIND = {
    "string": TEXT,
    "long": LONGS,
    "int": some.integers(-wire.INT_END, wire.INT_END - 1),
    "double": some.floats(allow_nan=False, allow_infinity=False),
    "float": some.floats(width=32, allow_nan=False, allow_infinity=False),
    "boolean": some.booleans(),
    "bytes": some.binary(max_size=200),
    "null": some.none(),
}


def plain(name: str, **more: Any) -> dict[str, Any]:
    """A record schema."""
    return {"type": "record", "name": name, **more}


def rows(schema: Any, named: Types | None = None) -> some.SearchStrategy[Any]:
    """Records in fastavro's words: dicts, and amounts as Decimal."""
    named = named or Types(schema)
    schema = named.resolved(schema)
    kind = kind_of(schema)
    if kind == "union":
        return some.one_of([rows(each, named) for each in schema])
    if kind == "record":
        return some.fixed_dictionaries({each["name"]: rows(each["type"], named) for each in schema["fields"]})
    if kind == "array":
        return some.lists(rows(schema["items"], named), max_size=3)
    if kind == "map":
        return some.dictionaries(TEXT, rows(schema["values"], named), max_size=3)
    if kind == "enum":
        return some.sampled_from(schema["symbols"])
    if kind == "fixed":
        return some.binary(min_size=schema["size"], max_size=schema["size"])
    return BY_UNIT.get(unit_of(schema) or "", BY_KIND.get(kind, some.nothing()))


def struct_of(row: Any, schema: Any, shape: Any, named: Types | None = None) -> Any:
    """The same record in ours: structs, and amounts as ten-thousandths."""
    named = named or Types(schema)
    schema = named.resolved(schema)
    kind = kind_of(schema)
    if kind == "union":
        inner = next(each for each in schema if each != "null")
        return None if row is None else struct_of(row, inner, present(shape), named)
    if kind == "record":
        members = members_of(present(shape))
        return present(shape)(
            **{
                members[each["name"]][0]: struct_of(
                    row[each["name"]], each["type"], members[each["name"]][1], named
                )
                for each in schema["fields"]
            }
        )
    if kind == "array":
        return [struct_of(each, schema["items"], item_of(shape), named) for each in row]
    if kind == "map":
        return {key: struct_of(each, schema["values"], item_of(shape), named) for key, each in row.items()}
    return int(row.scaleb(4)) if isinstance(row, Decimal) else row


def without_times(schema: Any) -> Any:
    """The schema for fastavro with times as plain numbers, which its datetimes round."""
    if isinstance(schema, list):
        return [without_times(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    is_time = schema.get("logicalType") in ("timestamp-micros", "timestamp-millis", "date")
    return {
        key: without_times(value) for key, value in schema.items() if not (is_time and key == "logicalType")
    }


def written(row: Any, schema: Any) -> bytes:
    """What fastavro makes of it."""
    out = io.BytesIO()
    fastavro.schemaless_writer(out, fastavro.parse_schema(without_times(schema)), row)
    return out.getvalue()


def read(value: bytes, writer: Any, reader: Any = None) -> Any:
    """What fastavro reads from it."""
    parsed = fastavro.parse_schema(without_times(writer))
    into = fastavro.parse_schema(without_times(reader)) if reader else None
    return fastavro.schemaless_reader(io.BytesIO(value), parsed, into)
