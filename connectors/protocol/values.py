"""Senders' single values in our units: amounts, quantities, moments. Unfit says what is wanted, never the value."""

import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from functools import cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from connectors.protocol.documents import Unfit
from schemas.meta import Amount, Day, Instant
from schemas.wire import AMOUNT_END, AMOUNT_SCALE, INSTANT_MAX, INSTANT_MIN, LONG_END

NOISE = Decimal("0.000001")
"""So far behind the fourth decimal lies what a float added; real amounts have at most four decimals."""
MINOR_DIGITS = {
    "BHD": 3, "BIF": 0, "CLP": 0, "DJF": 0, "GNF": 0, "IQD": 3, "ISK": 0, "JOD": 3, "JPY": 0, "KMF": 0, "KRW": 0,
    "KWD": 3, "LYD": 3, "OMR": 3, "PYG": 0, "RWF": 0, "TND": 3, "UGX": 0, "UYI": 0, "VND": 0, "VUV": 0, "XAF": 0,
    "XOF": 0, "XPF": 0,
}  # fmt: skip
"""Digits of the minor unit where it is not 2 (ISO 4217)."""

_PLAIN = re.compile(r"(-?)(\d{1,14})(?:\.(\d{1,4}))?", re.ASCII)
"""An amount as nearly all are written."""
_STEP = Decimal(1).scaleb(-AMOUNT_SCALE)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_DAY = date(1970, 1, 1).toordinal()
_MICROSECOND = timedelta(microseconds=1)
_SEPARATORS = frozenset({"--T::Z", "--T::."})
"""Between the parts of a time as most have it: to the second or finer, in UTC."""
_MOMENT = re.compile(
    r"(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d)?)(?:[.,](\d{1,9})\d*)?)? ?(Z|UTC|[+-]\d\d:?\d\d|[+-]\d\d)?",
    re.IGNORECASE,
)

Number = str | int | Decimal


def amount(value: Number) -> Amount:
    """An amount in whole units of its currency ("19.95") as ten-thousandths. Raises Unfit.

    What a float got wrong (41.940000000000005) is put right; a real fifth decimal is not.
    """
    if isinstance(value, str) and (plain := _PLAIN.fullmatch(value)):
        sign, units, parts = plain.groups()
        return int(f"{sign}{units}{(parts or '').ljust(AMOUNT_SCALE, '0')}")
    try:
        found = Decimal(value)
    except (InvalidOperation, ValueError):
        raise Unfit('must be an amount, such as "19.95"') from None
    if not found.is_finite():
        raise Unfit('must be an amount, such as "19.95"')
    if abs(found) >= Decimal(AMOUNT_END).scaleb(-AMOUNT_SCALE):
        raise Unfit("has more than 14 digits before the point")
    rounded = found.quantize(_STEP)
    if abs(rounded - found) > NOISE:
        raise Unfit("has more than 4 digits behind the point")
    return int(rounded.scaleb(AMOUNT_SCALE))


def minor(value: Number, currency: str) -> Amount:
    """An amount in the currency's minor unit (1995 cents) as ten-thousandths. Raises Unfit."""
    return amount(Decimal(whole(value)).scaleb(-MINOR_DIGITS.get(currency, 2)))


def whole(value: Number) -> int:
    """A whole number: "3", 3 and 3.0. Raises Unfit."""
    try:
        found = Decimal(value)
    except (InvalidOperation, ValueError):
        raise Unfit("must be a whole number") from None
    if not found.is_finite() or found != found.to_integral_value() or abs(found) >= LONG_END:
        raise Unfit("must be a whole number")
    return int(found)


def moment(text: str, zone: str | None = None) -> Instant:
    """A time in ISO 8601, or nearly: a blank for the T, `UTC` for the Z, up to nine digits of a second or more.

    A time without an offset is one of `zone`; where a clock is put back, the earlier one. Raises Unfit.
    """
    if text.endswith("Z") and text[4:20:3] in _SEPARATORS:
        try:
            return _since_epoch(datetime.fromisoformat(text))
        except ValueError:
            pass  # nearly ISO 8601, perhaps
    parts = _MOMENT.fullmatch(text.strip())
    if parts is None:
        raise Unfit('must be a time, such as "2026-11-25T10:15:00+01:00"')
    day, clock, fraction, offset = parts.groups()
    try:
        found = datetime.fromisoformat(f"{day}T{clock or '00:00'}{_offset(offset)}")
    except ValueError:
        raise Unfit('must be a time, such as "2026-11-25T10:15:00+01:00"') from None
    micros = int((fraction or "")[:6].ljust(6, "0"))
    return _instant(found.replace(microsecond=micros), zone)


def iso(at: Instant) -> str:
    """The moment as texts have it, to the second, in UTC."""
    return (_EPOCH + timedelta(microseconds=at)).strftime("%Y-%m-%dT%H:%M:%SZ")


def local_text(at: Instant, zone: str) -> str:
    """The moment as clocks in `zone` show it, to the second and without an offset."""
    return (_EPOCH + at * _MICROSECOND).astimezone(zone_of(zone)).strftime("%Y-%m-%dT%H:%M:%S")


def seconds(value: Number) -> Instant:
    """Seconds since 1970 UTC, with their fraction. Raises Unfit."""
    return _since_1970(value, 1_000_000)


def millis(value: Number) -> Instant:
    """Milliseconds since 1970 UTC. Raises Unfit."""
    return _since_1970(value, 1_000)


def micros(value: Number) -> Instant:
    """Microseconds since 1970 UTC. Raises Unfit."""
    return _since_1970(value, 1)


def nanos(value: Number) -> Instant:
    """Nanoseconds since 1970 UTC. Raises Unfit."""
    return _since_1970(value, Decimal("0.001"))


def days(value: Number) -> Instant:
    """The beginning, in UTC, of a day that is told as days since 1970. Raises Unfit."""
    return _since_1970(value, 86_400_000_000)


def local_day(at: Instant, zone: str) -> Day:
    """The day of `at` where the shop is, as days since 1970."""
    return (_EPOCH + at * _MICROSECOND).astimezone(zone_of(zone)).toordinal() - _EPOCH_DAY


def day(text: str) -> Day:
    """A date such as 2026-11-25, as days since 1970. Raises Unfit."""
    try:
        return date.fromisoformat(text.strip()[:10]).toordinal() - _EPOCH_DAY
    except ValueError:
        raise Unfit('must be a date, such as "2026-11-25"') from None


def date_text(day: Day) -> str:
    """The day as ISO 8601 has it: 2026-11-25."""
    return date.fromordinal(day + _EPOCH_DAY).isoformat()


@cache
def zone_of(name: str) -> ZoneInfo:
    """The time zone of that name (IANA). Raises Unfit."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        raise Unfit("must be a time zone, such as Europe/Amsterdam") from None


def _offset(text: str | None) -> str:
    if text is None:
        return ""
    return "+00:00" if text.upper() in ("Z", "UTC") else text


def _instant(found: datetime, zone: str | None) -> Instant:
    if found.tzinfo is None:
        if zone is None:
            raise Unfit("has no time zone: set `zone` for this source")
        found = found.replace(tzinfo=zone_of(zone))
    return _since_epoch(found)


def _since_epoch(found: datetime) -> Instant:
    after = found - _EPOCH
    return _within((after.days * 86_400 + after.seconds) * 1_000_000 + after.microseconds)


def _since_1970(value: Number, units: int | Decimal) -> Instant:
    try:
        found = Decimal(value)
        return _within(int(found * units))
    except (InvalidOperation, ValueError, OverflowError):
        raise Unfit("must be a time, as a number since 1970") from None


def _within(found: int) -> Instant:
    if not INSTANT_MIN <= found <= INSTANT_MAX:
        raise Unfit("must be of the years 1 to 9999")
    return found
