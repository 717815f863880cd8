"""An event with something in every field, for tests that must miss none."""

from typing import Any

from schemas.avsc import schema_of
from schemas.resolution import Types, kind_of, unit_of
from schemas.shapes import item_of, members_of, present

AMOUNT = 12_345
INSTANT = 1_709_290_800_123_456
DAY = 19_783


def whole(struct: type, **given: Any) -> Any:
    """One item in each list and map, each text the name of its field."""
    schema = schema_of(struct)
    return _record(schema, struct, Types(schema), given)


def _record(schema: Any, struct: type, named: Types, given: dict[str, Any]) -> Any:
    members = members_of(struct)
    values = {
        members[field["name"]][0]: _value(field["type"], members[field["name"]][1], named, field["name"])
        for field in schema["fields"]
        if field["name"] not in given
    }
    return struct(**values, **given)


def _value(schema: Any, shape: Any, named: Types, name: str) -> Any:
    schema = named.resolved(schema)
    kind = kind_of(schema)
    if kind == "union":
        return _value(next(each for each in schema if each != "null"), present(shape), named, name)
    if kind == "record":
        return _record(schema, present(shape), named, {})
    if kind == "array":
        return [_value(schema["items"], item_of(shape), named, name)]
    if kind == "map":
        return {name: _value(schema["values"], item_of(shape), named, name)}
    units = {"decimal": AMOUNT, "timestamp-micros": INSTANT, "date": DAY}
    return units.get(unit_of(schema) or "", {"string": name, "boolean": True}.get(kind, 7))
