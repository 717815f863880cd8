"""Pairs of schemas for tests, made by hypothesis: one of ours with its struct, and one that a writer may have."""

import copy
from collections.abc import Callable
from typing import Any

import msgspec
from hypothesis import strategies as some

from schemas.resolution import kind_of
from tests.schemas.rows import plain

AMOUNT = {"type": "bytes", "logicalType": "decimal", "precision": 18, "scale": 4}
INSTANT = {"type": "long", "logicalType": "timestamp-micros"}
DAY = {"type": "int", "logicalType": "date"}
PLAIN = ("string", "long", "int", "boolean", "double", "float", "bytes")
NARROWER = {
    "long": ["int"],
    "double": ["float", "int", "long"],
    "float": ["int", "long"],
    "string": ["bytes"],
    "bytes": ["string"],
}
"""What Avro reads as these kinds too."""
SHAPES = {"long": int, "int": int, "boolean": bool, "double": float, "float": float, "bytes": bytes}
DEPTH = 3

Draw = some.DrawFn
Names = Callable[[str], str]


def numbered() -> Names:
    """Names that are never given twice."""
    given = [0]

    def name(word: str) -> str:
        given[0] += 1
        return f"{word}{given[0]}"

    return name


@some.composite
def ours(draw: Draw, only_written: bool = False) -> dict[str, Any]:
    """A record schema of the kinds that our structs hold, or of those that we also write."""
    return _record(draw, numbered(), DEPTH, only_written)


@some.composite
def theirs(draw: Draw, schema: dict[str, Any]) -> dict[str, Any]:
    """The schema in another version: its fields in another order, some fewer, some more, some of another kind."""
    changed: dict[str, Any] = _changed(draw, copy.deepcopy(schema), numbered())
    return changed


def shape_of(schema: Any) -> Any:
    """The type that holds it, as our structs are made."""
    kind = kind_of(schema)
    if kind == "union":
        return shape_of(next(each for each in schema if each != "null")) | None
    if kind == "record":
        fields = [(each["name"], shape_of(each["type"])) for each in schema["fields"]]
        return msgspec.defstruct(schema["name"], fields, kw_only=True)
    if kind == "array":
        return list[shape_of(schema["items"])]  # type: ignore[misc]
    if kind == "map":
        return dict[str, shape_of(schema["values"])]  # type: ignore[misc]
    if isinstance(schema, dict) and schema.get("logicalType") == "decimal":
        return int
    return bytes if kind == "fixed" else SHAPES.get(kind, str)


def _record(draw: Draw, name: Names, depth: int, only_written: bool) -> dict[str, Any]:
    fields: list[dict[str, Any]] = []
    for _ in range(draw(some.integers(1, 4))):
        kind = _type(draw, name, depth - 1, only_written)
        field = {"name": name("field"), "type": kind, "aliases": [name("older")]}
        if draw(some.booleans()) and (default := _default(kind)) is not ...:
            field["default"] = default
        fields.append(field)
    return plain(name("Record"), fields=fields)


def _type(draw: Draw, name: Names, depth: int, only_written: bool) -> Any:
    simple = [*PLAIN, AMOUNT, INSTANT, DAY] + ([] if only_written else ["enum", "fixed"])
    kind = draw(some.sampled_from(simple + (["optional", "array", "map", "record"] if depth > 0 else [])))
    if kind == "optional":
        inner = _type(draw, name, 0, only_written)
        return draw(some.permutations(["null", inner]))
    if kind == "record":
        return _record(draw, name, depth, only_written)
    if kind in ("array", "map"):
        inner = _type(draw, name, depth - 1, only_written)
        return {"type": kind, "items" if kind == "array" else "values": inner}
    if kind == "enum":
        return {"type": "enum", "name": name("Enum"), "symbols": ["RED", "BLUE"], "default": "BLUE"}
    if kind == "fixed":
        return {"type": "fixed", "name": name("Fixed"), "size": draw(some.integers(1, 9))}
    return kind


def _default(kind: Any) -> Any:
    if isinstance(kind, list):
        return None if kind[0] == "null" else ...
    simple = {"string": "unset", "long": 7, "int": 7, "boolean": True, "double": 0.5, "float": 0.5, "map": {}}
    simple |= {"array": [], "enum": "RED"}
    return ... if isinstance(kind, dict) and "logicalType" in kind else simple.get(kind_of(kind), ...)


def _changed(draw: Draw, schema: Any, name: Names) -> Any:
    kind = kind_of(schema)
    if kind == "union":
        inner = _changed(draw, next(each for each in schema if each != "null"), name)
        if isinstance(inner, list):
            return inner
        return draw(some.sampled_from([["null", inner], [inner, "null"], [inner], inner]))
    if kind == "record":
        return schema | {"fields": _fields(draw, schema["fields"], name)}
    if kind in ("array", "map"):
        word = "items" if kind == "array" else "values"
        return schema | {word: _changed(draw, schema[word], name)}
    if kind == "enum":
        return schema | {"symbols": draw(some.permutations(["RED", "BLUE", "GREEN"]))}
    if isinstance(schema, dict):
        return schema
    changed = draw(some.sampled_from([schema, schema, *NARROWER.get(schema, [])]))
    return draw(some.sampled_from([changed, changed, [changed], [changed, "null"]]))


def _fields(draw: Draw, fields: list[Any], name: Names) -> list[Any]:
    found = []
    for field in draw(some.permutations(fields)):
        if draw(some.integers(0, 9)) == 0:
            continue
        called = field["name"] if draw(some.integers(0, 3)) else field["aliases"][0]
        found.append({"name": called, "type": _changed(draw, field["type"], name)})
    for _ in range(draw(some.integers(0, 2))):
        more = {"name": name("unknown"), "type": _type(draw, lambda word: name(f"New{word}"), 2, False)}
        found.insert(draw(some.integers(0, len(found))), more)
    return found
