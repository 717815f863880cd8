"""Columns to our values: texts, whole numbers, amounts, instants, days, yes or no; and which rows do not fit.

Amounts become whole ten-thousandths without a float in between: a float stands for the decimal that it is written as
(its shortest text), so 0.1 is 1000 and 0.1 + 0.2, which is no such decimal, does not fit. A local time that a change of
the clock repeats is the earlier one; one that it skips is the moment of the change.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from connectors.files.forms import ColumnForm
from schemas.wire import DATE_MAX, DATE_MIN, INSTANT_MAX, INSTANT_MIN

TEXT, INTEGER, AMOUNT, INSTANT, DAY, FLAG = "text", "integer", "amount", "instant", "day", "flag"

KIND_WORDS = {
    TEXT: "text",
    INTEGER: "a whole number",
    AMOUNT: "an amount of at most 4 decimals and 14 digits before them",
    INSTANT: "a time",
    DAY: "a day",
    FLAG: "yes or no (true, false, 1, 0)",
}

SCALE = 10_000
UNITS_MAX = 10**18
"""Ten-thousandths have at most 18 digits, and a float's shortest text is exact up to 15."""
FLOAT_UNITS_MAX = 10**15
NOISE_MAX = 1e-6
"""What adding floats up may be off by. More is a digit that someone meant."""
US = pa.timestamp("us")

_AMOUNT = r"^[+-]?[0-9]+(\.[0-9]+)?$"
_ZONED = r"(Z|[+-][0-9]{2}:?[0-9]{2})$"
_BOUNDS = {INSTANT: (INSTANT_MIN, INSTANT_MAX), DAY: (DATE_MIN, DATE_MAX)}
_DATE_LENGTH = len("2017-01-31")
_HOURS = ("%H", "%I", "%T", "%R")
_EPOCH_US = {"s": 1_000_000, "ms": 1_000, "us": 1}
_FLAGS = {
    "true": True,
    "false": False,
    "1": True,
    "0": False,
    "yes": True,
    "no": False,
    "y": True,
    "n": False,
}
_FAULTS = (pa.ArrowException, OverflowError, ValueError)


@dataclass(frozen=True, slots=True)
class Manner:
    """How a column is written, with the zone of its local times, and the zone whose days count."""

    form: ColumnForm
    zone: str
    day_zone: str


class Misfit(ValueError):
    """A value is not what it should be."""


def convert(column: pa.Array, kind: str, manner: Manner) -> tuple[pa.Array, list[int]]:
    """Our values, and the places of those that do not fit (empty in the result). Empty stays empty."""
    change = partial(_bounded, kind, manner=manner)
    bad: list[int] = []
    return _survivors(plain(column), change, 0, bad), bad


def one(value: Any, kind: str, zone: str) -> Any:
    """A single value in our terms. Raises Misfit."""
    try:
        column = pa.array([value.isoformat() if hasattr(value, "isoformat") else value])
        converted, bad = convert(column, kind, Manner(ColumnForm(epoch="us"), zone, zone))
    except _FAULTS:
        bad = [0]
    if bad or converted.null_count:
        raise Misfit(f"is not {KIND_WORDS[kind]}")
    return converted[0].as_py()


def plain(column: Any) -> pa.Array:
    """One array without a dictionary; texts that are empty, or only spaces, count as nothing."""
    if isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks()
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if pa.types.is_null(column.type) or pa.types.is_large_string(column.type):
        column = column.cast(pa.string())
    if pa.types.is_string(column.type):
        return pc.if_else(pc.equal(pc.utf8_trim_whitespace(column), ""), None, column)
    return column


def texts(column: pa.Array) -> pa.Array:
    """The column as text. Raises what convert would note."""
    return _text(plain(column), None)


def _survivors(
    column: pa.Array, change: Callable[[pa.Array], pa.Array], start: int, bad: list[int]
) -> pa.Array:
    """Halves the column until what does not fit stands alone: one pass when all is well."""
    try:
        return change(column)
    except _FAULTS:
        if len(column) <= 1:
            bad.extend(range(start, start + len(column)))
            return change(pa.nulls(len(column), pa.string()))
    half = len(column) // 2
    first = _survivors(column.slice(0, half), change, start, bad)
    return pa.concat_arrays([first, _survivors(column.slice(half), change, start + half, bad)])


def _bounded(kind: str, column: pa.Array, manner: Manner) -> pa.Array:
    """The values, all within what our schemas hold."""
    values = _CHANGES[kind](column, manner)
    if kind in _BOUNDS and values.null_count < len(values):
        least, most = pc.min_max(values).values()
        if least.as_py() < _BOUNDS[kind][0] or most.as_py() > _BOUNDS[kind][1]:
            raise Misfit("before the year 1 or after 9999")
    return values


def _text(column: pa.Array, manner: Manner | None) -> pa.Array:
    kind = column.type
    if pa.types.is_string(kind):
        return column
    if pa.types.is_floating(kind):
        return _text_of_floats(column)
    if (
        pa.types.is_integer(kind)
        or pa.types.is_boolean(kind)
        or pa.types.is_date(kind)
        or pa.types.is_decimal(kind)
    ):
        return column.cast(pa.string())
    if pa.types.is_timestamp(kind):
        return pc.strftime(column.cast(pa.timestamp("us", kind.tz)), "%Y-%m-%dT%H:%M:%S")
    raise Misfit(f"{kind} cannot be text")


def _text_of_floats(column: pa.Array) -> pa.Array:
    """An id that became a float, since its column has gaps, is written as the whole number that it is."""
    whole = pc.equal(column, pc.round(column))
    if pc.all(whole).as_py() is not False:
        return column.cast(pa.int64()).cast(pa.string())
    return column.cast(pa.string())


def _integer(column: pa.Array, manner: Manner) -> pa.Array:
    if pa.types.is_boolean(column.type):
        raise Misfit("a flag is no number")
    return _trimmed(column).cast(pa.int64())


def _amount(column: pa.Array, manner: Manner) -> pa.Array:
    kind = column.type
    if pa.types.is_floating(kind):
        return _units_of_floats(column, manner.form.decimals)
    if pa.types.is_string(kind):
        column = _decimals(column, manner)
    elif not pa.types.is_integer(kind) and not pa.types.is_decimal(kind):
        raise Misfit(f"{kind} is no amount")
    return _units_of_decimals(column.cast(pa.decimal128(38, 4)))


def _decimals(column: pa.Array, manner: Manner) -> pa.Array:
    column = _trimmed(column)
    if manner.form.decimal_mark == ",":
        if pc.any(pc.match_substring(column, ".")).as_py():
            raise Misfit("a point where the mark is a comma")
        column = pc.replace_substring(column, ",", ".")
    if pc.all(pc.match_substring_regex(column, _AMOUNT)).as_py() is False:
        raise Misfit("no decimal")
    return column


def _units_of_floats(column: pa.Array, decimals: int | None) -> pa.Array:
    values = column.cast(pa.float64()).to_numpy(zero_copy_only=False)
    empty = np.isnan(values)
    values = np.where(empty, 0.0, values)
    if decimals is not None:
        values = _without_noise(values, decimals)
    units = np.rint(values * SCALE)
    if np.any(np.abs(units) >= FLOAT_UNITS_MAX) or np.any(units / SCALE != values):
        raise Misfit("not a decimal of four places")
    return pa.array(units.astype(np.int64), mask=empty)


def _without_noise(values: Any, decimals: int) -> Any:
    rounded = np.round(values, decimals)
    if np.any(np.abs(values - rounded) > NOISE_MAX):
        raise Misfit(f"more than {decimals} decimals")
    return rounded


def _units_of_decimals(column: pa.Array) -> pa.Array:
    filled = pc.fill_null(column, pa.scalar(0).cast(column.type))
    if len(filled) and max(abs(edge.as_py()) for edge in pc.min_max(filled).values()) * SCALE >= UNITS_MAX:
        raise Misfit("too many digits")
    low = np.frombuffer(filled.buffers()[1], np.int64)[2 * filled.offset :: 2][: len(filled)]
    return pa.array(low, mask=column.is_null().to_numpy(zero_copy_only=False))


def _instant(column: pa.Array, manner: Manner) -> pa.Array:
    kind = column.type
    if pa.types.is_integer(kind) and manner.form.epoch:
        return pc.multiply_checked(column.cast(pa.int64()), _EPOCH_US[manner.form.epoch])
    if pa.types.is_string(kind):
        return _instant_of_texts(_trimmed(column), manner)
    if pa.types.is_date(kind) or (pa.types.is_timestamp(kind) and kind.tz is None):
        return _utc(column.cast(US), manner.zone)
    if pa.types.is_timestamp(kind):
        return column.cast(pa.timestamp("us", "UTC")).cast(pa.int64())
    raise Misfit(f"{kind} is no time")


def _instant_of_texts(column: pa.Array, manner: Manner) -> pa.Array:
    if manner.form.epoch and pc.all(pc.match_substring_regex(column, r"^-?[0-9]+$")).as_py() is not False:
        return _instant(column.cast(pa.int64()), manner)
    if manner.form.format:
        return _utc(pc.strptime(column, format=manner.form.format, unit="us"), manner.zone)
    zoned = pc.match_substring_regex(column, _ZONED)
    with_zone = pc.if_else(zoned, column, None).cast(pa.timestamp("us", "UTC")).cast(pa.int64())
    return pc.coalesce(with_zone, _utc(pc.if_else(zoned, None, column).cast(US), manner.zone))


def _utc(local: pa.Array, zone: str) -> pa.Array:
    return pc.assume_timezone(local, zone, ambiguous="earliest", nonexistent="latest").cast(pa.int64())


def _day(column: pa.Array, manner: Manner) -> pa.Array:
    """A date says its day itself; of a moment it is the day in the mapping's zone."""
    if pa.types.is_date(column.type):
        return column.cast(pa.date32()).cast(pa.int32())
    if not pa.types.is_string(column.type):
        return _day_of(_instant(column, manner), manner)
    column = _trimmed(column)
    if manner.form.format:
        moments = pc.strptime(column, format=manner.form.format, unit="us")
        is_date = not any(hour in manner.form.format for hour in _HOURS)
        return (
            moments.cast(pa.date32()).cast(pa.int32())
            if is_date
            else _day_of(_utc(moments, manner.zone), manner)
        )
    dates = pc.equal(pc.utf8_length(column), _DATE_LENGTH)
    days = pc.if_else(dates, column, None).cast(pa.date32()).cast(pa.int32())
    return pc.coalesce(days, _day_of(_instant_of_texts(pc.if_else(dates, None, column), manner), manner))


def _day_of(instants: pa.Array, manner: Manner) -> pa.Array:
    zoned = instants.cast(pa.timestamp("us", "UTC")).cast(pa.timestamp("us", manner.day_zone))
    return pc.floor_temporal(pc.local_timestamp(zoned), unit="day").cast(pa.date32()).cast(pa.int32())


def _flag(column: pa.Array, manner: Manner) -> pa.Array:
    if pa.types.is_boolean(column.type):
        return column
    words = pc.utf8_lower(_trimmed(_text(column, manner)))
    places = pc.index_in(words, pa.array(list(_FLAGS)))
    if places.null_count > words.null_count:
        raise Misfit("neither yes nor no")
    return pa.array(list(_FLAGS.values())).take(places)


def _trimmed(column: pa.Array) -> pa.Array:
    return pc.utf8_trim_whitespace(column) if pa.types.is_string(column.type) else column


_CHANGES: dict[str, Callable[..., pa.Array]] = {
    TEXT: _text,
    INTEGER: _integer,
    AMOUNT: _amount,
    INSTANT: _instant,
    DAY: _day,
    FLAG: _flag,
}
