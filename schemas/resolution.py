"""How a writer's schema is read as ours: which fields, branches and units meet.

Avro's rules, and units on top, which Avro ignores: an amount of another scale is rescaled exactly,
milliseconds become microseconds, and a number without a unit is never taken for one with.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

Schema = Any
"""A parsed .avsc: a dict, a list (union) or a name."""

PRIMITIVES = frozenset({"null", "boolean", "int", "long", "float", "double", "bytes", "string"})
PROMOTIONS = {
    "int": frozenset({"int", "long", "float", "double"}),
    "long": frozenset({"long", "float", "double"}),
    "float": frozenset({"float", "double"}),
    "string": frozenset({"string", "bytes"}),
    "bytes": frozenset({"bytes", "string"}),
}
RECORDS_DEEP_MAX = 32
"""How deep records lie in each other."""
UNITLESS = frozenset({None, "uuid"})
"""Logical types that change no meaning: what carries one is read as its plain type."""
READABLE_UNITS = {
    "decimal": frozenset({"decimal"}),
    "timestamp-micros": frozenset({"timestamp-micros", "timestamp-millis"}),
    "date": frozenset({"date"}),
}


class Unresolvable(ValueError):
    """The writer's schema cannot be read as ours. `path` is the field, from the record down."""

    def __init__(self, path: str, why: str) -> None:
        super().__init__(f"{path or 'the record'}: {why}")
        self.path = path
        self.why = why


class Types:
    """The named types of one schema."""

    def __init__(self, schema: Schema) -> None:
        self._named: dict[str, Schema] = {}
        self._open: list[str] = []
        self._collect(schema, "")

    def resolved(self, schema: Schema) -> Schema:
        """The definition behind a name; anything else as it is."""
        if isinstance(schema, dict) and isinstance(schema["type"], dict | list):
            return self.resolved(schema["type"])
        return self._named.get(schema, schema) if isinstance(schema, str) else schema

    @contextmanager
    def inside(self, record: Schema, path: str) -> Iterator[None]:
        """Raises Unresolvable when a record contains itself, or lies deeper than RECORDS_DEEP_MAX."""
        if record["name"] in self._open:
            raise Unresolvable(path, "a record that contains itself is not supported")
        if len(self._open) >= RECORDS_DEEP_MAX:
            raise Unresolvable(path, f"records lie more than {RECORDS_DEEP_MAX} deep in each other")
        self._open.append(record["name"])
        try:
            yield
        finally:
            self._open.pop()

    def _collect(self, schema: Schema, space: str) -> None:
        if isinstance(schema, list):
            for branch in schema:
                self._collect(branch, space)
        elif isinstance(schema, dict):
            self._collect_named(schema, space)

    def _collect_named(self, schema: dict[str, Any], space: str) -> None:
        if schema["type"] in ("record", "enum", "fixed", "error"):
            name = full_name(schema, space)
            space = name.rpartition(".")[0]
            if self._named.setdefault(last(name), schema) is not schema:
                raise Unresolvable("", f"two types are called {last(name)}")
            self._named[name] = schema
        if schema["type"] == "record":
            for field in schema["fields"]:
                self._collect(field["type"], space)
        elif schema["type"] in ("array", "map"):
            self._collect(schema["items" if schema["type"] == "array" else "values"], space)
        elif isinstance(schema["type"], dict | list):
            self._collect(schema["type"], space)


def full_name(schema: Schema, space: str = "") -> str:
    """The name with its namespace."""
    name: str = schema["name"]
    space = schema.get("namespace", space)
    return name if "." in name or not space else f"{space}.{name}"


def last(name: str) -> str:
    """The name without its namespace."""
    return name.rpartition(".")[2]


def kind_of(schema: Schema) -> str:
    """`union`, `record`, `array`, `map`, `enum`, `fixed` or a primitive."""
    if isinstance(schema, list):
        return "union"
    return str(schema["type"] if isinstance(schema, dict) else schema)


def unit_of(schema: Schema) -> str | None:
    """The logical type; None where it has none."""
    return schema.get("logicalType") if isinstance(schema, dict) else None


def check_units(writer: Schema, reader: Schema, path: str) -> None:
    """Raises Unresolvable unless a value in the writer's unit can be told in the reader's."""
    theirs, ours = unit_of(writer), unit_of(reader)
    if theirs in UNITLESS and ours in UNITLESS:
        return
    if theirs not in READABLE_UNITS.get(ours or "", ()):
        raise Unresolvable(
            path, f"the writer's unit is {theirs or 'not stated'}, ours is {ours or 'not stated'}"
        )


def check_kinds(writer: Schema, reader: Schema, path: str) -> None:
    """Raises Unresolvable unless Avro reads the writer's type as the reader's."""
    theirs, ours = kind_of(writer), kind_of(reader)
    if unit_of(reader) == "decimal" and theirs in ("bytes", "fixed"):
        return
    if theirs == ours == "fixed" and writer["size"] != reader["size"]:
        raise Unresolvable(path, "the writer's fixed size is not ours")
    if theirs != ours and ours not in PROMOTIONS.get(theirs, ()):
        raise Unresolvable(path, f"the writer has {theirs}, ours is {ours}")


def check_names(writer: Schema, reader: Schema, path: str) -> None:
    """Raises Unresolvable unless the named type is the reader's or one of its aliases."""
    if not has_name_of(writer, reader):
        raise Unresolvable(path, f"the writer has {writer['name']}, ours is {reader['name']}")


def has_name_of(writer: Schema, reader: Schema) -> bool:
    """Whether a named type of the writer is the reader's, by its last name or an alias."""
    accepted = {last(reader["name"]), *map(last, reader.get("aliases", ()))}
    return last(writer["name"]) in accepted


def ours_for(name: str, reader: Schema) -> Schema | None:
    """The reader's field that a writer's field of this name is read into; None where it is passed over."""
    for field in reader["fields"]:
        if field["name"] == name:
            return field
    return next((field for field in reader["fields"] if name in field.get("aliases", ())), None)


def is_empty(schema: Schema, types: Types) -> bool:
    """Whether a value takes no bytes, so that nothing bounds how many there are."""
    schema = types.resolved(schema)
    if kind_of(schema) == "record":
        return all(is_empty(field["type"], types) for field in schema["fields"])
    return kind_of(schema) == "null" or (kind_of(schema) == "fixed" and schema["size"] == 0)
