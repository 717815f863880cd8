"""A sender's document: from bytes to values, from values to the part of them that a channel reads.

A channel says what it reads as msgspec structs: what they do not name is ignored, whatever else the sender adds.
Numbers with a point become Decimal. Nothing here shows a value in what it raises.
"""

import json
import re
from collections.abc import Hashable
from decimal import Decimal
from functools import cache
from typing import Any, TypeVar, cast

import msgspec

DEPTH_MAX = 64
NUMBER_DIGITS_MAX = 100
UNREADABLE = "\N{REPLACEMENT CHARACTER}"
"""Stands for U+0000, which databases refuse, and for half a surrogate pair, which is not Unicode."""

T = TypeVar("T")


class NotReadable(ValueError):
    """The bytes are no document at all."""


class Unfit(ValueError):
    """A part of a document is missing, or is not what it must be. The text says which and what."""


def parse(raw: bytes) -> Any:
    """What the JSON in `raw` stands for: dict, list, str, int, Decimal, bool or None. Raises NotReadable.

    NaN and endless numbers become None, and a name that is there twice counts as its last, as senders' own readers have
    it. Characters that nobody can store are replaced, so that no order is lost for one of them.
    """
    try:
        found = _DECODER.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError):
        found = _leniently(raw)
    except RecursionError:
        raise NotReadable("it is nested too deep") from None
    return _cleaned(found) if b"\\u0000" in raw else found


def fit(value: Any, kind: type[T]) -> T:
    """`value` as `kind`, a msgspec struct; numbers and texts that stand for each other are taken as each other.

    Raises Unfit.
    """
    try:
        return msgspec.convert(value, kind, strict=False)
    except msgspec.ValidationError as error:
        raise Unfit(_without_values(str(error))) from None


def read(raw: bytes, kind: type[T]) -> T:
    """`fit(parse(raw), kind)`, faster where nothing is odd. Raises NotReadable or Unfit."""
    if b"\\u0000" not in raw:
        try:
            return cast(T, _decoder_of(cast(Hashable, kind)).decode(raw))
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            pass  # perhaps only the strict reader cannot read it
    return fit(parse(raw), kind)


def written(value: Any) -> bytes:
    """`value` as JSON again, for an item that is put aside; empty where it is nested too deep to be written."""
    try:
        return json.dumps(value, default=str, separators=(",", ":")).encode()
    except RecursionError:
        return b""


def is_too_deep(value: Any) -> bool:
    """Whether lists and objects are nested deeper than DEPTH_MAX. It looks level by level, without recursion."""
    level = [value]
    for _ in range(DEPTH_MAX + 1):
        if not level:
            return False
        level = _inside(level)
    return True


def _inside(level: list[Any]) -> list[Any]:
    """The lists and objects one level deeper. It is on the path of every batch: what is in them is classed once."""
    found: list[Any] = []
    for outer in level:
        if outer.__class__ is dict:
            found += outer.values()
        elif outer.__class__ is list:
            found += outer
    return [each for each in found if each.__class__ is dict or each.__class__ is list]


@cache
def _decoder_of(kind: Hashable) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(cast(type, kind), strict=False, float_hook=Decimal)


_DECODER = msgspec.json.Decoder(float_hook=Decimal)


def _leniently(raw: bytes) -> Any:
    """As the standard library reads it, which takes half a surrogate pair and NaN."""
    try:
        text = raw.decode("utf-8-sig")
        found = json.loads(text, parse_float=_fraction, parse_int=_whole, parse_constant=lambda _: None)
    except UnicodeDecodeError as error:
        raise NotReadable(f"it is not UTF-8 at byte {error.start}") from None
    except json.JSONDecodeError as error:
        raise NotReadable(
            f"it is not JSON: {error.msg} at line {error.lineno}, column {error.colno}"
        ) from None
    except RecursionError:
        raise NotReadable("it is nested too deep") from None
    return _cleaned(found)


def _whole(digits: str) -> int:
    if len(digits) > NUMBER_DIGITS_MAX:
        raise NotReadable(f"a number has more than {NUMBER_DIGITS_MAX} digits")
    return int(digits)


def _fraction(digits: str) -> Decimal:
    if len(digits) > NUMBER_DIGITS_MAX:
        raise NotReadable(f"a number has more than {NUMBER_DIGITS_MAX} digits")
    return Decimal(digits)


def _cleaned(value: Any, depth: int = 0) -> Any:
    if depth > DEPTH_MAX:
        raise NotReadable(f"it is nested deeper than {DEPTH_MAX}")
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, list):
        return [_cleaned(each, depth + 1) for each in value]
    if isinstance(value, dict):
        return {_text(name): _cleaned(inner, depth + 1) for name, inner in value.items()}
    return value


def _text(value: str) -> str:
    return value.replace("\0", UNREADABLE).encode(errors="surrogatepass").decode("utf-8", errors="replace")


def _without_values(told: str) -> str:
    """msgspec quotes a value only where it names the members of an enumeration or a tag."""
    return _QUOTED_VALUE.sub("", told)


_QUOTED_VALUE = re.compile(r" value '[^']*'| value -?[0-9.]+")
