"""Whether a schema that somebody registered is Avro, and small enough to be followed: nobody else may have looked.

It says what of the Avro 1.12 specification the reading of records rests on. A writer's defaults, precision and
documentation are not looked at: nothing here needs them.
"""

from collections.abc import Callable
from typing import Any

from schemas.resolution import PRIMITIVES, Schema, Unresolvable, full_name, last
from schemas.shapes import under

LEVELS_MAX = 64
BRANCHES_MAX = 64
"""A union's branch is then one byte."""
NAME_LENGTH_MAX = 255
SIZE_MAX = 2**31 - 1
SCALE_MAX = 76
"""The digits of an amount's bytes (wire.AMOUNT_BYTES_MAX)."""


def checked(schema: Schema) -> Schema:
    """The schema, if it is well-formed Avro within our limits. Raises Unresolvable, naming the field."""
    _Check().type(schema, "", "", 1)
    return schema


class _Check:
    """One look at one schema, in the order in which it is written: a name is defined before it is used."""

    def __init__(self) -> None:
        self._named: set[str] = set()
        self._parts: dict[Any, Callable[[dict[str, Any], str, str, int], None]] = {
            "record": self._record,
            "enum": self._enum,
            "fixed": self._fixed,
            "array": lambda schema, space, path, level: self._inner(schema, "items", space, path, level),
            "map": lambda schema, space, path, level: self._inner(schema, "values", space, path, level),
        }

    def type(self, schema: Any, space: str, path: str, level: int) -> None:
        _require(level <= LEVELS_MAX, path, f"types lie more than {LEVELS_MAX} deep in each other")
        if isinstance(schema, list):
            self._union(schema, space, path, level)
        elif isinstance(schema, dict):
            self._unit(schema, path)
            kind = schema.get("type")
            known = isinstance(kind, str) and (kind in PRIMITIVES or kind in self._parts)
            _require(known, path, "no type of Avro")
            if kind in self._parts:
                self._parts[kind](schema, space, path, level + 1)
        else:
            _require(isinstance(schema, str), path, "no type of Avro")
            known = schema in PRIMITIVES or (schema if "." in schema else _in(space, schema)) in self._named
            _require(known, path, "a type that is not defined before")

    def _union(self, branches: list[Any], space: str, path: str, level: int) -> None:
        _require(0 < len(branches) <= BRANCHES_MAX, path, f"a union has 1 to {BRANCHES_MAX} branches")
        for branch in branches:
            _require(not isinstance(branch, list), path, "a union in a union")
            self.type(branch, space, path, level + 1)

    def _unit(self, schema: dict[str, Any], path: str) -> None:
        unit = schema.get("logicalType")
        _require(unit is None or isinstance(unit, str), path, "a logical type without a name")
        if unit == "decimal":
            _require(_is_whole(schema.get("scale", 0), SCALE_MAX), path, f"a scale is 0 to {SCALE_MAX}")

    def _record(self, schema: dict[str, Any], space: str, path: str, level: int) -> None:
        space = self._name(schema, space, path)
        fields = schema.get("fields")
        _require(isinstance(fields, list), path, "a record has a list of fields")
        met: set[str] = set()
        for field in fields or ():
            name = field.get("name") if isinstance(field, dict) else None
            _require(_is_name(name) and "type" in field, path, "a field has a name and a type")
            _require(name not in met, path, "two fields have the same name")
            met.add(str(name))
            self.type(field["type"], space, under(path, str(name)), level)

    def _enum(self, schema: dict[str, Any], space: str, path: str, level: int) -> None:
        self._name(schema, space, path)
        symbols = schema.get("symbols")
        are_texts = isinstance(symbols, list) and all(isinstance(symbol, str) for symbol in symbols)
        _require(are_texts, path, "an enum has a list of symbols")

    def _fixed(self, schema: dict[str, Any], space: str, path: str, level: int) -> None:
        self._name(schema, space, path)
        _require(
            _is_whole(schema.get("size"), SIZE_MAX), path, f"a fixed has a size of 0 to {SIZE_MAX} bytes"
        )

    def _inner(self, schema: dict[str, Any], word: str, space: str, path: str, level: int) -> None:
        _require(word in schema, path, f"{schema['type']} without {word}")
        self.type(schema[word], space, path, level)

    def _name(self, schema: dict[str, Any], space: str, path: str) -> str:
        """Notes the name; the answer is the namespace for what is inside."""
        are_names = _is_name(schema.get("name")) and _is_name(schema.get("namespace") or "")
        _require(are_names, path, "a type has a name, and its namespace is one")
        name = full_name(schema, space)
        _require(last(name) not in PRIMITIVES | {""}, path, "a name that Avro has for itself, or none")
        _require(name not in self._named, path, f"two types are called {name}")
        self._named.add(name)
        return name.rpartition(".")[0]


def _in(space: str, name: str) -> str:
    return f"{space}.{name}" if space else name


def _is_name(value: Any) -> bool:
    return isinstance(value, str) and len(value) <= NAME_LENGTH_MAX


def _is_whole(value: Any, most: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= most


def _require(holds: bool, path: str, why: str) -> None:
    if not holds:
        raise Unresolvable(path, f"not a well-formed Avro schema: {why}")
