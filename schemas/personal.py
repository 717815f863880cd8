"""Which fields of an event hold personal data: those that its schema tags `pii`, and ids that show a person."""

from collections.abc import Callable, Iterable, Iterator
from functools import cache
from operator import attrgetter
from typing import Any

from schemas.avsc import schema_of
from schemas.keys import IDS_SHOW_PEOPLE
from schemas.readable import META
from schemas.resolution import Schema, Types, kind_of
from schemas.shapes import item_of, members_of, present

MASK = "***"

Find = Callable[[Any, str], Iterator[str]]
"""`find(value, path)`: the paths of personal data in it, when it stands at `path`."""


def paths(event: Any) -> list[str]:
    """Where `readable.body(event)` holds personal data, such as `customer/addresses/0/city`; all below is personal.

    Messaging and phone providers make ids of telephone numbers, so the ids of such events count too.
    """
    struct: type = type(event)
    find, ids = _tagged(struct)
    found = list(find(event, "")) if find else []
    if shows_people(event):
        found += [name for name, get in ids if name not in found and get(event) is not None]
    return found


def shows_people(event: Any) -> bool:
    """Whether the ids that its source gave the event may be telephone numbers, or contain them."""
    return event.meta.channel in IDS_SHOW_PEOPLE or getattr(event, "medium", None) in IDS_SHOW_PEOPLE


def mask(body: dict[str, Any], personal: Iterable[str]) -> dict[str, Any]:
    """The body, changed in place: what stands at these paths is masked."""
    for path in personal:
        *above, last = path.split("/")
        inner: Any = body
        for name in above:
            inner = _inside(inner, name)
        inner[last] = masked(inner[last])
    return body


def masked(value: Any) -> Any:
    """`***`; of a map or a list, each value: names stay."""
    if isinstance(value, dict):
        return {key: masked(each) for key, each in value.items()}
    if isinstance(value, list):
        return [masked(each) for each in value]
    return MASK


def _inside(value: Any, name: str) -> Any:
    return value[int(name)] if isinstance(value, list) else value[name]


@cache
def _tagged(struct: type) -> tuple[Find | None, list[tuple[str, Callable[[Any], Any]]]]:
    schema = schema_of(struct)
    fields = [field for field in schema["fields"] if field["name"] != META]
    members = members_of(struct)
    ids = [name for name in (field["name"] for field in fields) if name.endswith("_id") or name == "reply_to"]
    return _record(fields, struct, Types(schema)), [(name, attrgetter(members[name][0])) for name in ids]


def _record(fields: Iterable[Schema], struct: type, named: Types) -> Find | None:
    members = members_of(struct)
    parts = []
    for field in fields:
        attribute, shape = members[field["name"]]
        find = _itself if "pii" in field else _value(field["type"], shape, named)
        if find is not None:
            parts.append((field["name"], attrgetter(attribute), find))

    def find_in(record: Any, path: str) -> Iterator[str]:
        for name, get, find in parts:
            value = get(record)
            if value is not None:
                yield from find(value, f"{path}/{name}" if path else name)

    return find_in if parts else None


def _itself(_: Any, path: str) -> Iterator[str]:
    yield path


def _value(schema: Schema, shape: Any, named: Types) -> Find | None:
    """None where no value can be personal."""
    schema = named.resolved(schema)
    kind = kind_of(schema)
    if kind == "union":
        return _value(next(each for each in schema if each != "null"), present(shape), named)
    if kind == "record":
        return _record(schema["fields"], present(shape), named)
    if kind == "array":
        return _each(_value(schema["items"], item_of(shape), named))
    if kind == "map" and _value(schema["values"], item_of(shape), named):
        # A map's keys are any text and no part of a path: all of it is personal.
        return _itself
    return None


def _each(find: Find | None) -> Find | None:
    if find is None:
        return None

    def find_in(values: Any, path: str) -> Iterator[str]:
        for number, value in enumerate(values):
            yield from find(value, f"{path}/{number}")

    return find_in
