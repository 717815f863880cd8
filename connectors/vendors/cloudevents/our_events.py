"""Our own events in JSON: amounts as "19.95", times in ISO 8601, as their Avro schema says which field is which."""

import base64
import binascii
from collections.abc import Callable
from functools import cache
from typing import Any

import msgspec

from connectors.protocol import documents, values
from connectors.protocol.documents import Unfit
from schemas.avsc import schema_of
from schemas.meta import Event, Meta
from schemas.resolution import Types, kind_of, unit_of
from schemas.topics import INPUTS

TYPES: dict[str, type[Event]] = {
    kind.__name__: kind for topic in INPUTS if topic.is_public for kind in topic.events
}
"""Every event type that a channel may send, by name."""

Convert = Callable[[Any], Any]


def event(kind: type[Event], told: dict[str, Any], meta: Meta) -> Event:
    """The event of type `kind` that `told` says, with this meta. Raises Unfit."""
    fields = {name: value for name, value in told.items() if name != "meta"}
    ours = _converter(kind)(fields)
    return documents.fit({**ours, "meta": msgspec.to_builtins(meta)}, kind)


@cache
def _converter(kind: type[Event]) -> Convert:
    schema = schema_of(kind)
    return _record(schema, Types(schema))


def _of(schema: Any, types: Types) -> Convert:
    if isinstance(schema, list):
        there = _of(next(branch for branch in schema if branch != "null"), types)
        return lambda value: None if value is None else there(value)
    resolved = types.resolved(schema)
    single = _UNITS.get(unit_of(schema) or unit_of(resolved) or kind_of(resolved))
    if single is not None:
        return single
    if kind_of(resolved) == "record":
        return _record(resolved, types)
    if kind_of(resolved) == "array":
        return _each(_of(resolved["items"], types))
    return lambda value: value


def _record(schema: Any, types: Types) -> Convert:
    fields = {field["name"]: _of(field["type"], types) for field in schema["fields"]}

    def convert(value: Any) -> Any:
        if not isinstance(value, dict):
            raise Unfit(f"{schema['name']} must be an object")
        return {name: _named(name, fields[name], inner) for name, inner in value.items() if name in fields}

    return convert


def _named(name: str, convert: Convert, value: Any) -> Any:
    try:
        return convert(value)
    except Unfit as unfit:
        raise Unfit(f"{name}: {unfit}") from None


def _each(convert: Convert) -> Convert:
    return lambda value: [convert(each) for each in value] if isinstance(value, list) else value


def _amount(value: Any) -> int:
    if isinstance(value, bool):
        raise Unfit('must be an amount, such as "19.95"')
    return values.amount(value)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise Unfit("must be a text")
    return value


def _bytes(value: Any) -> bytes:
    try:
        return base64.b64decode(_text(value), validate=True)
    except (binascii.Error, ValueError):
        raise Unfit("must be base64") from None


_UNITS: dict[str, Convert] = {
    "decimal": _amount,
    "timestamp-micros": lambda value: values.moment(_text(value)),
    "date": lambda value: values.day(_text(value)),
    "bytes": _bytes,
}
