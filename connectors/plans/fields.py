"""Where a field that a plan names stands in an event, and what it holds there."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Literal

from schemas.avsc import schema_of
from schemas.meta import Event
from schemas.resolution import Schema, Types, kind_of, unit_of
from schemas.shapes import item_of, members_of, present
from schemas.topics import INPUTS

Kind = Literal["text", "whole", "number", "amount", "boolean", "time", "day", "list", "object", "any"]

TYPES: dict[str, type[Event]] = {
    struct.__name__: struct for topic in INPUTS if topic.is_public for struct in topic.events
}
"""Every event that a source may send, by its type."""

META = "meta"
_UNITS: dict[str | None, Kind] = {"decimal": "amount", "timestamp-micros": "time", "date": "day"}
_KINDS: dict[str, Kind] = {
    "string": "text",
    "enum": "text",
    "int": "whole",
    "long": "whole",
    "float": "number",
    "double": "number",
    "boolean": "boolean",
    "array": "list",
    "map": "object",
    "record": "object",
}

Look = Callable[[Any], list[Any]]
"""What stands there: one value, or one of each item where a list lies on the way; None for what is missing."""


class NoSuchField(LookupError):
    """An event of the type has no such field. `known` are those that it has there."""

    def __init__(self, name: str, known: Iterable[str] = ()) -> None:
        super().__init__(name)
        self.name = name
        self.known = list(known)


def field_of(struct: type[Event], path: str) -> tuple[Look, Kind]:
    """How `path` is looked up in an event of this type, and the kind of what it finds. Raises NoSuchField.

    A path goes down by points: `line.sku`, `lines.sku` of every line, `meta.context.session_id`.
    """
    schema = schema_of(struct)
    return _below(schema, struct, path.split("."), Types(schema))


def always_there(struct: type[Event]) -> frozenset[str]:
    """The fields without which there is no event of the type."""
    return frozenset(field["name"] for field in schema_of(struct)["fields"] if "default" not in field)


def told_in(struct: type[Event]) -> Callable[[Event], Iterator[str]]:
    """What an event of the type says: the names of the fields that are neither empty nor as they are by default."""
    members = members_of(struct)
    fields = [(field["name"], field.get("default")) for field in schema_of(struct)["fields"]]
    known = [(name, members[name][0], default) for name, default in fields if name != META]

    def told(event: Event) -> Iterator[str]:
        for name, attribute, default in known:
            value = getattr(event, attribute)
            if not is_empty(value) and value != default:
                yield name

    return told


def property_of(path: str) -> Look:
    """How `path` is looked up in what a sender said: as a name that has points in it, else step by step."""
    parts = path.split(".")

    def look(told: Any) -> list[Any]:
        return [told[path]] if path in told else _walked(told, parts)

    return look


def is_empty(value: Any) -> bool:
    """Whether nothing is said."""
    return value is None or (not value and not isinstance(value, int | float))


def _walked(told: Any, parts: list[str]) -> list[Any]:
    if not parts:
        return [told]
    if isinstance(told, list):
        return [found for each in told for found in _walked(each, parts)]
    return _walked(told.get(parts[0]), parts[1:]) if isinstance(told, dict) else [None]


def _below(schema: Schema, shape: Any, parts: list[str], named: Types) -> tuple[Look, Kind]:
    resolved = named.resolved(schema)
    kind = kind_of(resolved)
    if kind == "union":
        there = next(each for each in resolved if each != "null")
        return _below(there, present(shape), parts, named)
    if not parts:
        unit = unit_of(schema) or unit_of(resolved)
        return (lambda value: [value]), _UNITS.get(unit) or _KINDS.get(kind, "any")
    if kind == "array":
        look, found = _below(resolved["items"], item_of(shape), parts, named)
        return (lambda values: [inner for each in values or () for inner in look(each)]), found
    if kind == "map":
        key = ".".join(parts)
        _, found = _below(resolved["values"], item_of(shape), [], named)
        return (lambda values: [values.get(key)]), found
    if kind == "record":
        return _member(resolved, present(shape), parts, named)
    raise NoSuchField(parts[0])


def _member(schema: Schema, struct: Any, parts: list[str], named: Types) -> tuple[Look, Kind]:
    types = {field["name"]: field["type"] for field in schema["fields"]}
    if parts[0] not in types:
        raise NoSuchField(parts[0], types)
    attribute, shape = members_of(struct)[parts[0]]
    look, kind = _below(types[parts[0]], shape, parts[1:], named)

    def inside(record: Any) -> list[Any]:
        return [None] if record is None else look(getattr(record, attribute))

    return inside, kind
