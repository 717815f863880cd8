"""What a planned value must be: of which kind, one of which values, between which bounds."""

from collections.abc import Callable, Sequence
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from connectors.plans.fields import Kind
from schemas.wire import AMOUNT_SCALE

Fits = Callable[[Any], bool]
BOUNDED: frozenset[Kind] = frozenset({"whole", "number", "amount"})
"""Kinds of which there is a least and a greatest value."""
CHOSEN: dict[Kind, tuple[type, ...]] = {"text": (str,), "whole": (int,), "any": (str, int)}
"""Kinds of which a plan can list the values, and how it writes them."""


def fits_of(kind: Kind) -> Fits | None:
    """Whether a value that a sender wrote is of the kind; None where each is."""
    return _FITS.get(kind)


def allows_of(
    kind: Kind, one_of: Sequence[str | int], least: Decimal | None, most: Decimal | None, *, is_ours: bool
) -> Fits | None:
    """Whether a value of the kind is a planned one; None where each is. Amounts are ten-thousandths if `is_ours`."""
    if one_of:
        return frozenset(one_of).__contains__
    if least is None and most is None:
        return None
    scale = AMOUNT_SCALE if is_ours and kind == "amount" else 0
    low, high = (None if each is None else each.scaleb(scale) for each in (least, most))

    def lies_between(value: Any) -> bool:
        found = _decimal(value)
        return found is not None and (low is None or found >= low) and (high is None or found <= high)

    return lies_between


def _decimal(value: Any) -> Decimal | None:
    """Floats by their shortest text: 19.95 is 19.95."""
    if isinstance(value, bool) or not isinstance(value, int | float | str | Decimal):
        return None
    try:
        found = Decimal(str(value))
    except InvalidOperation:
        return None
    return found if found.is_finite() else None


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_time(value: Any) -> bool:
    return isinstance(value, str) and _reads(datetime.fromisoformat, value)


def _is_day(value: Any) -> bool:
    return isinstance(value, str) and _reads(date.fromisoformat, value)


def _reads(read: Callable[[str], object], value: str) -> bool:
    try:
        read(value)
    except ValueError:
        return False
    return True


_FITS: dict[Kind, Fits] = {
    "text": lambda value: isinstance(value, str),
    "whole": _is_whole,
    "number": _is_number,
    "amount": lambda value: _decimal(value) is not None,
    "boolean": lambda value: isinstance(value, bool),
    "time": _is_time,
    "day": _is_day,
    "list": lambda value: isinstance(value, list),
    "object": lambda value: isinstance(value, dict),
}
