"""The single values of Avro, as bytes and as ours, with their bounds: numbers, amounts, instants, dates.

Amounts are ten-thousandths of at most 18 digits, instants microseconds and dates days of the years 1 to 9999:
what Postgres, Python and every client can hold.
"""

import math
import struct
from collections.abc import Callable
from typing import Any, TypeVar

AMOUNT_SCALE = 4
AMOUNT_END = 10**18
AMOUNT_BYTES_MAX = 32
INSTANT_MIN = -62_135_596_800_000_000
INSTANT_MAX = 253_402_300_799_999_999
DATE_MIN = -719_162
DATE_MAX = 2_932_896
LONG_END = 1 << 63
INT_END = 1 << 31
VARINT_SHIFT_MAX = 63
KEPT_MAX = 65_536
"""Entries of a cache of coded values before it starts anew."""

_INSTANT_BYTES = 8
_INSTANTS_MAX = 8_192
_instants: dict[bytes, int] = {}

_DOUBLE = struct.Struct("<d")
_FLOAT = struct.Struct("<f")

K = TypeVar("K")
V = TypeVar("V")


class Misfit(ValueError):
    """A value that Avro, the schema or our bounds do not allow. The text never shows the value."""


class Cut(Misfit):
    """The bytes end before the record does."""


class Trailing(Misfit):
    """Bytes follow the record."""


BOOLEANS = {False: b"\x00", True: b"\x01"}

LENGTHS = tuple(byte >> 1 if byte < 128 and byte % 2 == 0 else -1 for byte in range(256))
"""The length that a first byte stands for alone; -1 where more bytes or a sign follow."""

LONGS = tuple((byte >> 1) ^ -(byte & 1) if byte < 128 else None for byte in range(256))
"""The number that a first byte stands for alone; None where more bytes follow."""


def read_long(b: bytes, p: int) -> tuple[int, int]:
    """The varint at `p`, at most 64 bits, and the position behind it."""
    number = shift = 0
    while (byte := b[p]) > 127:
        number |= (byte & 127) << shift
        shift += 7
        p += 1
        if shift > VARINT_SHIFT_MAX:
            raise Misfit("a number of more than 64 bits")
    number |= byte << shift
    if number >= LONG_END * 2:
        raise Misfit("a number of more than 64 bits")
    return (number >> 1) ^ -(number & 1), p + 1


def read_length(b: bytes, p: int) -> tuple[int, int]:
    """The length of a text at `p`, and the position behind it."""
    length, p = read_long(b, p)
    if length < 0:
        raise Misfit("a negative length")
    if length > len(b) - p:
        raise Cut("the bytes end before the record does")
    return length, p


def read_block(b: bytes, p: int) -> tuple[int, int]:
    """The number of items in a block at `p`; a negative count is followed by the block's size in bytes."""
    count, p = read_long(b, p)
    if count < 0:
        _, p = read_long(b, p)
    if abs(count) > len(b) - p:
        raise Cut("the bytes end before the record does")
    return abs(count), p


def read_instant(b: bytes, p: int) -> tuple[int, int]:
    """The instant at `p`. Those of our age take eight bytes, and each comes more than once: it is read once."""
    known = _instants.get(b[p : p + _INSTANT_BYTES])
    if known is not None:
        return known, p + _INSTANT_BYTES
    number, end = read_long(b, p)
    if not INSTANT_MIN <= number <= INSTANT_MAX:
        raise Misfit("an instant out of range")
    if end - p == _INSTANT_BYTES:
        if len(_instants) >= _INSTANTS_MAX:
            _instants.clear()
        _instants[b[p:end]] = number
    return number, end


def read_double(b: bytes, p: int) -> tuple[float, int]:
    """The double at `p`. Raises Misfit for NaN and infinities."""
    return _finite(_DOUBLE.unpack(b[p : p + 8])[0]), p + 8


def read_float(b: bytes, p: int) -> tuple[float, int]:
    """The float at `p`. Raises Misfit for NaN and infinities."""
    return _finite(_FLOAT.unpack(b[p : p + 4])[0]), p + 4


def bounded(low: int, high: int, what: str, times: int = 1) -> Callable[[bytes, int], tuple[int, int]]:
    """A reader of a varint in units of `times` ours, from `low` to `high`; else it raises Misfit(`what`)."""

    def read(b: bytes, p: int) -> tuple[int, int]:
        number, p = read_long(b, p)
        number *= times
        if not low <= number <= high:
            raise Misfit(what)
        return number, p

    return read


class Kept(dict[K, V]):
    """A bounded cache: `kept[x]` is `make(x)`, made once as long as it is kept."""

    def __init__(self, make: Callable[[K], V]) -> None:
        super().__init__()
        self._make = make

    def __missing__(self, key: K) -> V:
        made = self._make(key)
        if len(self) >= KEPT_MAX:
            self.clear()
        self[key] = made
        return made


def amounts(scale: int) -> Kept[bytes, int]:
    """Amounts as ten-thousandths, by their bytes with `scale` digits behind the point. Never rounded."""

    def amount(raw: bytes) -> int:
        if len(raw) > AMOUNT_BYTES_MAX:
            raise Misfit("an amount of more than 18 digits")
        number = int.from_bytes(raw, "big", signed=True)
        if scale <= AMOUNT_SCALE:
            number *= _power(AMOUNT_SCALE - scale)
        else:
            number, rest = divmod(number, _power(scale - AMOUNT_SCALE))
            if rest:
                raise Misfit("an amount finer than a ten-thousandth")
        if not -AMOUNT_END < number < AMOUNT_END:
            raise Misfit("an amount of more than 18 digits")
        return number

    return Kept(amount)


def whole(value: Any, low: int, high: int) -> int:
    """The value as an int, if it is a whole number of any type from `low` to `high`."""
    number = int(value)
    if number != value:
        raise Misfit("not a whole number")
    if not low <= number <= high:
        raise Misfit("a number out of range")
    return number


def varint(number: int) -> bytes:
    """The zigzag varint of a number of at most 64 bits."""
    rest = number << 1 if number >= 0 else ~number << 1 | 1
    written = bytearray()
    while rest > 127:
        written.append(rest & 127 | 128)
        rest >>= 7
    written.append(rest)
    return bytes(written)


def written(low: int, high: int) -> Kept[Any, bytes]:
    """Varints of whole numbers from `low` to `high`, by their number."""
    return Kept(lambda value: varint(whole(value, low, high)))


def written_amount(value: Any) -> bytes:
    """An amount of ten-thousandths as the bytes of a decimal, its length in front."""
    number = whole(value, 1 - AMOUNT_END, AMOUNT_END - 1)
    size = (number.bit_length() + 8) // 8
    return varint(size) + number.to_bytes(size, "big", signed=True)


def written_double(value: float) -> bytes:
    """Eight bytes. Raises Misfit for NaN and infinities."""
    return _DOUBLE.pack(_finite(value))


def written_float(value: float) -> bytes:
    """Four bytes. Raises Misfit for NaN and infinities."""
    return _FLOAT.pack(_finite(value))


def _power(exponent: int) -> int:
    return int(10**exponent)


def _finite(value: float) -> float:
    if not math.isfinite(value):
        raise Misfit("not a finite number")
    return value
