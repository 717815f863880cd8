"""JSON as RFC 8259 means it: UTF-8, no name twice, no NaN, no endless number, no text that is not Unicode.

Numbers with a point or an exponent become Decimal, so that no amount passes through a float.
"""

import json
import re
from decimal import Decimal
from typing import Any, NoReturn

from connectors.protocol.documents import DEPTH_MAX, NUMBER_DIGITS_MAX, is_too_deep

_OPENERS = re.compile(r"[\[{]")


class NotJson(ValueError):
    """The text is not JSON, or says the same twice. The reason shows nothing of the text but positions."""


def read(raw: bytes) -> Any:
    """The value that `raw` stands for: dict, list, str, int, Decimal, bool or None. Raises NotJson."""
    try:
        text = raw.decode()
    except UnicodeDecodeError as error:
        raise NotJson(f"the body is not UTF-8 at byte {error.start}") from None
    try:
        found = _DECODER.decode(text)
    except json.JSONDecodeError as error:
        raise NotJson(
            f"the body is not JSON: {error.msg} at line {error.lineno}, column {error.colno}"
        ) from None
    except RecursionError:
        raise NotJson(f"the body is nested deeper than {DEPTH_MAX}") from None
    if len(_OPENERS.findall(text)) > DEPTH_MAX and is_too_deep(found):
        raise NotJson(f"the body is nested deeper than {DEPTH_MAX}")
    if "\\u" in text:
        _check_unicode(found)
    return found


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise NotJson("an object has the same name twice; which value is meant cannot be known")
    return found


def _whole(digits: str) -> int:
    if len(digits) > NUMBER_DIGITS_MAX:
        raise NotJson(f"a number has more than {NUMBER_DIGITS_MAX} digits")
    return int(digits)


def _fraction(digits: str) -> Decimal:
    if len(digits) > NUMBER_DIGITS_MAX:
        raise NotJson(f"a number has more than {NUMBER_DIGITS_MAX} digits")
    return Decimal(digits)


def _not_a_number(word: str) -> NoReturn:
    raise NotJson(f"{word} is not JSON")


_DECODER = json.JSONDecoder(
    object_pairs_hook=_members, parse_int=_whole, parse_float=_fraction, parse_constant=_not_a_number
)


def _check_unicode(value: Any) -> None:
    try:
        json.dumps(value, ensure_ascii=False, default=str).encode()
    except UnicodeEncodeError:
        raise NotJson("a text holds half a surrogate pair, which is not Unicode") from None
