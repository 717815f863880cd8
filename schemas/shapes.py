"""How our structs stand beside Avro: which member carries which field, and what a list or map holds."""

import types
import typing
from functools import cache
from typing import Any

import msgspec

from schemas import wire
from schemas.resolution import Schema, Types, kind_of, unit_of


@cache
def members_of(struct: type) -> dict[str, tuple[str, Any]]:
    """By the field's name in Avro: the attribute that carries it, and its type."""
    return {field.encode_name: (field.name, field.type) for field in msgspec.structs.fields(struct)}


def present(shape: Any) -> Any:
    """The type of a value that is there: `X` for `X | None`."""
    if isinstance(shape, types.UnionType) or typing.get_origin(shape) is typing.Union:
        return next(each for each in typing.get_args(shape) if each is not types.NoneType)
    return shape


def item_of(shape: Any) -> Any:
    """What a list or a map of this type holds."""
    return typing.get_args(present(shape))[-1]


def under(path: str, name: str) -> str:
    """The path of a field below `path`."""
    return f"{path}.{name}" if path else name


def default_of(default: Any, schema: Schema, shape: Any, named: Types) -> Any:
    """The value that a field's default in the schema (JSON) stands for in our structs."""
    schema = named.resolved(schema)
    kind = kind_of(schema)
    if kind == "union":
        return default_of(default, schema[0], present(shape), named)
    if kind == "record":
        return _record(default, schema, present(shape), named)
    if kind == "array":
        return [default_of(each, schema["items"], item_of(shape), named) for each in default]
    if kind == "map":
        return {
            key: default_of(each, schema["values"], item_of(shape), named) for key, each in default.items()
        }
    if kind not in ("bytes", "fixed"):
        return default
    raw = default.encode("latin-1")
    return wire.amounts(schema["scale"])[raw] if unit_of(schema) == "decimal" else raw


def _record(default: dict[str, Any], schema: Schema, struct: type, named: Types) -> Any:
    members = members_of(struct)
    given = {}
    for field in schema["fields"]:
        attribute, shape = members[field["name"]]
        value = default[field["name"]] if field["name"] in default else field["default"]
        given[attribute] = default_of(value, field["type"], shape, named)
    return struct(**given)
