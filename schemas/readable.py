"""An event in plain JSON, as people read it: instants and days are ISO texts, amounts are decimal texts.

Fields that are empty (null) are left out.
"""

from base64 import b64encode
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, timedelta
from functools import cache, lru_cache
from operator import attrgetter
from typing import Any

from schemas.avsc import schema_of
from schemas.resolution import Schema, Types, kind_of, unit_of
from schemas.shapes import item_of, members_of, present

META = "meta"
ONE = 10_000
"""An amount of 1, in ten-thousandths."""
KEPT_MAX = 65_536
"""Amounts whose texts are kept: prices come again and again."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_DAY = date(1970, 1, 1)

Tell = Callable[[Any], Any]


def body(event: Any) -> dict[str, Any]:
    """The event without its meta, by the names of its schema. The dict is the caller's own."""
    struct: type = type(event)
    found: dict[str, Any] = _body(struct)(event)
    return found


def instant(micros: int) -> str:
    """Such as `2026-03-28T09:00:00.123456Z`; no fraction where there is none."""
    return (_EPOCH + timedelta(microseconds=micros)).isoformat()[:-6] + "Z"


def day(days: int) -> str:
    """Such as `2026-03-28`."""
    return (_EPOCH_DAY + timedelta(days=days)).isoformat()


@lru_cache(KEPT_MAX)
def amount(ten_thousandths: int) -> str:
    """Such as `-19.9500`: always four decimals."""
    whole, rest = divmod(abs(ten_thousandths), ONE)
    return f"{'-' if ten_thousandths < 0 else ''}{whole}.{rest:04}"


_UNITS: dict[str | None, Tell] = {"timestamp-micros": instant, "date": day, "decimal": amount}


@cache
def _body(struct: type) -> Tell:
    schema = schema_of(struct)
    fields = [field for field in schema["fields"] if field["name"] != META]
    return _record(fields, struct, Types(schema))


def _record(fields: Iterable[Schema], struct: type, named: Types) -> Tell:
    members = members_of(struct)
    plain: list[tuple[str, Tell]] = []
    told: list[tuple[str, Tell, Tell]] = []
    for field in fields:
        attribute, shape = members[field["name"]]
        tell_it = _value(field["type"], shape, named)
        if tell_it is None:
            plain.append((field["name"], attrgetter(attribute)))
        else:
            told.append((field["name"], attrgetter(attribute), tell_it))

    def tell(record: Any) -> dict[str, Any]:
        found = {name: value for name, get in plain if (value := get(record)) is not None}
        for name, get, tell_it in told:
            value = get(record)
            if value is not None:
                found[name] = tell_it(value)
        return found

    return tell


def _value(schema: Schema, shape: Any, named: Types) -> Tell | None:
    """None where a value is told as it is."""
    schema = named.resolved(schema)
    kind = kind_of(schema)
    if kind == "union":
        return _value(next(each for each in schema if each != "null"), present(shape), named)
    if kind == "record":
        return _record(schema["fields"], present(shape), named)
    if kind == "array":
        return _each(_value(schema["items"], item_of(shape), named))
    if kind == "map":
        return _entries(_value(schema["values"], item_of(shape), named))
    plain = _base64 if kind in ("bytes", "fixed") else None
    return _UNITS.get(unit_of(schema), plain)


def _each(tell: Tell | None) -> Tell | None:
    return tell and (lambda values: [tell(value) for value in values])


def _entries(tell: Tell | None) -> Tell | None:
    return tell and (lambda values: {key: tell(value) for key, value in values.items()})


def _base64(value: bytes) -> str:
    return b64encode(value).decode()
