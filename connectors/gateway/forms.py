"""Our own JSON form of an event: its Avro schema's fields, with amounts and times as people write them.

| in the schema | in JSON |
| --- | --- |
| decimal | a number or a text such as "19.95", four digits behind the point at most |
| timestamp-micros | ISO 8601 with a zone: "2026-11-25T10:15:00+01:00" |
| date | "2026-11-25" |
| bytes | base64 |
| a field with a default | may be left out |
"""

import base64
import binascii
import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import Any

from connectors.nearest import nearest
from schemas import wire
from schemas.avsc import schema_of
from schemas.resolution import Types, kind_of, unit_of
from schemas.shapes import item_of, members_of, present

_AMOUNT = re.compile(r"-?[0-9]{1,20}(\.[0-9]{1,20})?")

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_DAY = date(1970, 1, 1).toordinal()
_MICROSECOND = timedelta(microseconds=1)
_AMOUNT_END = Decimal(10) ** 14
_AMOUNT_STEP = Decimal("0.0001")


class Unfit(Exception):
    """A value that its field cannot have. The text says what is wanted, never the value."""


class Faults:
    """What is wrong with one event: JSON pointers and reasons, in the order of the schema."""

    def __init__(self) -> None:
        self.found: list[dict[str, str]] = []

    def note(self, pointer: str, reason: str) -> None:
        """Remembers one fault."""
        self.found.append({"pointer": pointer, "detail": reason})


Read = Callable[[Any, str, Faults], Any]
"""`read(value, pointer, faults)`: our value; None, and a fault noted, where the JSON value does not fit."""


@cache
def form_of(struct: type) -> Read:
    """The reader of `struct` from a JSON object. It reads everything, so that all faults are told at once."""
    schema = schema_of(struct)
    return _record(schema, Types(schema), struct)


def _reader(schema: Any, types: Types, shape: Any) -> Read:
    if isinstance(schema, list):
        return _optional(schema, types, shape)
    resolved = types.resolved(schema)
    kind, unit = kind_of(resolved), unit_of(schema) or unit_of(resolved)
    if kind == "record":
        return _record(resolved, types, present(shape))
    if kind == "array":
        return _list(_reader(resolved["items"], types, item_of(shape)))
    if kind == "map":
        return _map(_reader(resolved["values"], types, item_of(shape)))
    if kind == "enum":
        return _single(_symbol(resolved["symbols"]))
    return _single(_UNITS.get(unit or "") or _PLAIN[kind])


def _optional(branches: list[Any], types: Types, shape: Any) -> Read:
    there = next(branch for branch in branches if branch != "null")
    read = _reader(there, types, shape)
    if "null" not in branches:
        return read
    return lambda value, pointer, faults: None if value is None else read(value, pointer, faults)


def _record(schema: Any, types: Types, struct: type) -> Read:
    members = members_of(struct)
    fields = {
        field["name"]: (members[field["name"]][0], _reader(field["type"], types, members[field["name"]][1]))
        for field in schema["fields"]
    }
    required = [field["name"] for field in schema["fields"] if "default" not in field]

    def read(value: Any, pointer: str, faults: Faults) -> Any:
        if not isinstance(value, dict):
            return faults.note(pointer, "must be an object")
        before = len(faults.found)
        for name in required:
            if name not in value:
                faults.note(f"{pointer}/{name}", "is missing")
        found = {}
        for name, inner in value.items():
            if name not in fields:
                faults.note(
                    pointer, f"has a member that {schema['name']} does not have{nearest(name, fields)}"
                )
                continue
            attribute, read_field = fields[name]
            found[attribute] = read_field(inner, f"{pointer}/{name}", faults)
        return struct(**found) if len(faults.found) == before else None

    return read


def _list(read_item: Read) -> Read:
    def read(value: Any, pointer: str, faults: Faults) -> Any:
        if not isinstance(value, list):
            return faults.note(pointer, "must be a list")
        return [read_item(item, f"{pointer}/{index}", faults) for index, item in enumerate(value)]

    return read


def _map(read_item: Read) -> Read:
    def read(value: Any, pointer: str, faults: Faults) -> Any:
        if not isinstance(value, dict):
            return faults.note(pointer, "must be an object")
        if any("\0" in name for name in value):
            return faults.note(pointer, "has a name with the character U+0000, which databases refuse")
        # The names are the sender's own words, so a fault points at the map.
        return {name: read_item(item, pointer, faults) for name, item in value.items()}

    return read


def _single(take: Callable[[Any], Any]) -> Read:
    def read(value: Any, pointer: str, faults: Faults) -> Any:
        try:
            return take(value)
        except Unfit as error:
            return faults.note(pointer, str(error))

    return read


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise Unfit("must be a text (in quotes, ids too)")
    if "\0" in value:
        raise Unfit("holds the character U+0000, which databases refuse")
    return value


def _boolean(value: Any) -> bool:
    if not isinstance(value, bool):
        raise Unfit("must be true or false")
    return value


def _whole(end: int) -> Callable[[Any], int]:
    def take(value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int):
            raise Unfit("must be a whole number")
        if not -end <= value < end:
            raise Unfit(f"must be below {end}")
        return value

    return take


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise Unfit("must be a number")
    try:
        found = float(value)
    except OverflowError:
        raise Unfit("is too large") from None
    if found in (float("inf"), float("-inf")):
        raise Unfit("is too large")
    return found


def _amount(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int | str | Decimal):
        raise Unfit('must be an amount, such as "19.95"')
    if isinstance(value, str) and not _AMOUNT.fullmatch(value):
        raise Unfit('must be an amount, such as "19.95"')
    amount = Decimal(value)
    if not -_AMOUNT_END < amount < _AMOUNT_END:
        raise Unfit("has more than 14 digits before the point")
    rounded = amount.quantize(_AMOUNT_STEP)
    if rounded != amount:
        raise Unfit("has more than 4 digits behind the point")
    return int(rounded.scaleb(wire.AMOUNT_SCALE))


def _instant(value: Any) -> int:
    try:
        moment = datetime.fromisoformat(_text(value))
    except ValueError:
        raise Unfit('must be a time, such as "2026-11-25T10:15:00+01:00"') from None
    if moment.tzinfo is None:
        raise Unfit("needs its zone: end it with Z or an offset such as +01:00")
    found = (moment - _EPOCH) // _MICROSECOND
    if not wire.INSTANT_MIN <= found <= wire.INSTANT_MAX:
        raise Unfit("must be of the years 1 to 9999")
    return found


def _date(value: Any) -> int:
    try:
        return date.fromisoformat(_text(value)).toordinal() - _EPOCH_DAY
    except ValueError:
        raise Unfit('must be a date, such as "2026-11-25"') from None


def _bytes(value: Any) -> bytes:
    try:
        return base64.b64decode(_text(value), validate=True)
    except (binascii.Error, ValueError):
        raise Unfit("must be base64") from None


def _symbol(symbols: list[str]) -> Callable[[Any], str]:
    def take(value: Any) -> str:
        if value not in symbols:
            raise Unfit(f"must be one of {', '.join(symbols)}")
        return str(value)

    return take


_UNITS: dict[str, Callable[[Any], Any]] = {
    "decimal": _amount,
    "timestamp-micros": _instant,
    "date": _date,
}
_PLAIN: dict[str, Callable[[Any], Any]] = {
    "string": _text,
    "boolean": _boolean,
    "int": _whole(wire.INT_END),
    "long": _whole(wire.LONG_END),
    "double": _number,
    "float": _number,
    "bytes": _bytes,
    "fixed": _bytes,
}
