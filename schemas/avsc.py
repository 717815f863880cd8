"""The Avro schema of a typed event, state or entry: which packaged .avsc file it follows."""

import json
import re
from functools import cache
from importlib.resources import files
from typing import Any

_WORD = re.compile(r"(?<!^)(?=[A-Z])")


class SchemaMissing(LookupError):
    """The type has no schema file: it is only a part of others, or nobody wrote one yet."""


@cache
def schema_of(cls: type) -> dict[str, Any]:
    """The schema of a type that stands on a topic, as it is written. It is shared: do not change it.

    Raises SchemaMissing.
    """
    name = file_of(cls)
    path = files("schemas") / "avro" / name
    try:
        schema: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise SchemaMissing(f"{cls.__name__} has no schema: schemas/avro/{name} is missing") from None
    return schema


def name_of(cls: type) -> str:
    """The full name of the type's record, such as `vaart.commerce.OrderPlaced`. Raises SchemaMissing."""
    schema = schema_of(cls)
    return f"{schema['namespace']}.{schema['name']}"


def file_of(cls: type) -> str:
    """The name of the type's schema file: OrderPlaced of version 1 is `order_placed.v1.avsc`."""
    return f"{_WORD.sub('_', cls.__name__).lower()}.v{getattr(cls, 'schema_version', 1)}.avsc"
