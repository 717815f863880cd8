"""What a page says about something: names and values of any kind, as whoever built the page wrote them."""

import json
from collections.abc import Iterable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

import msgspec

from connectors.protocol import values
from connectors.protocol.documents import Unfit
from schemas.meta import Amount

CENT_OF_CENT = Decimal("0.0001")
PROPERTIES_BYTES_MAX = 256 * 1024
_WRITER = msgspec.json.Encoder(decimal_format="number", order="deterministic")


class Properties:
    """Reads such values. What is there and null is not there."""

    def __init__(self, told: Mapping[str, Any] | None) -> None:
        self.told = told or {}

    def has(self, name: str) -> bool:
        """Whether something is said about `name`."""
        return self.told.get(name) is not None

    def text(self, *names: str) -> str | None:
        """The first of these that is a text or a number, as a text."""
        for name in names:
            if (value := self.told.get(name)) is not None and (found := _text(value)) is not None:
                return found
        return None

    def needed(self, name: str) -> str:
        """The text or number there. Raises Unfit where there is none."""
        found = self.text(name)
        if found is None:
            raise Unfit(f"`{name}` is missing")
        return found

    def amount(self, *names: str) -> Amount | None:
        """The first of these that is there, as an amount. Raises Unfit.

        A price that the page divided (19.95 / 1.21) is rounded to the fourth digit behind the point.
        """
        for name in names:
            if (value := self.told.get(name)) not in (None, ""):
                return _amount(name, value)
        return None

    def whole(self, *names: str) -> int | None:
        """The first of these that is there, as a whole number. Raises Unfit."""
        for name in names:
            if (value := self.told.get(name)) not in (None, ""):
                return _whole(name, value)
        return None

    def inner(self, name: str) -> "Properties":
        """What is said below `name`."""
        found = self.told.get(name)
        return Properties(found) if isinstance(found, dict) else NOTHING

    def each(self, name: str) -> list["Properties"]:
        """The objects in the list `name`; one object alone is a list of one."""
        found = self.told.get(name)
        listed = found if isinstance(found, list) else [found]
        return [Properties(one) for one in listed if isinstance(one, dict)]


NOTHING = Properties(None)


def as_json(value: Any) -> str:
    """The value as JSON, numbers as they came. Raises Unfit where it is too long to be kept."""
    written = _WRITER.encode(value)
    if len(written) > PROPERTIES_BYTES_MAX:
        raise Unfit(f"has properties of more than {PROPERTIES_BYTES_MAX} bytes")
    return written.decode()


def flat(told: Mapping[str, Any], before: str = "") -> tuple[dict[str, str], list[str]]:
    """Traits as texts, `address.city` for what is nested, and the names of those that are null."""
    there: dict[str, str] = {}
    removed: list[str] = []
    for name, value in told.items():
        if isinstance(value, dict):
            inner, gone = flat(value, f"{before}{name}.")
            there.update(inner)
            removed.extend(gone)
        elif value is None:
            removed.append(before + name)
        else:
            there[before + name] = _written(value)
    return there, removed


def without_empty_lists(told: Any) -> Any:
    """The same object, with null in place of `[]`: PHP writes a map that is empty as a list."""
    if not isinstance(told, dict):
        return told
    return {name: None if value == [] else value for name, value in told.items()}


def pointed(pairs: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """The object that names with points stand for: `context.page.url=x` is `{"context": {"page": {"url": "x"}}}`."""
    found: dict[str, Any] = {}
    for name, value in pairs:
        *above, last = name.split(".")
        place = found
        for step in above:
            below = place.setdefault(step, {})
            place = below if isinstance(below, dict) else {}
        place[last] = value
    return found


def _text(value: Any) -> str | None:
    if isinstance(value, str):
        return value.strip() or None
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        return None
    return str(value)


def _amount(name: str, value: Any) -> Amount:
    try:
        found = Decimal(_text(value) or "")
        rounded = found.quantize(CENT_OF_CENT) if found.is_finite() else found
    except InvalidOperation:
        raise Unfit(f'`{name}` must be an amount, such as "19.95"') from None
    return values.amount(rounded)


def _whole(name: str, value: Any) -> int:
    try:
        return values.whole(_text(value) or "")
    except Unfit as unfit:
        raise Unfit(f"`{name}` {unfit}") from None


def _written(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return json.dumps(value)
    return str(value) if isinstance(value, int | Decimal) else as_json(value)
