"""How long to leave a source alone: what its answer says, else longer with each failure, and never for ever."""

from collections.abc import Callable, Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime

WAIT_S_MAX = 900.0
FIRST_S = 1.0
DOUBLINGS_MAX = 10
EPOCH_FROM = 1_000_000_000
"""A reset that is this large is a moment, a smaller one a number of seconds."""


def told_s(headers: Mapping[str, str], now_s: float) -> float | None:
    """What the answer asks for (RFC 9110 `Retry-After`; `X-RateLimit-*` where nothing remains); None for nothing."""
    if (asked := headers.get("retry-after")) is not None:
        return _bounded(_seconds(asked, now_s))
    if headers.get("x-ratelimit-remaining", "").strip() == "0":
        return _bounded(_reset(headers.get("x-ratelimit-reset", ""), now_s))
    return None


def back_off_s(failures: int, chance: Callable[[], float]) -> float:
    """Between half of and all of a time that doubles with each failure; `chance` is from 0 to 1."""
    longest = min(WAIT_S_MAX, FIRST_S * 2.0 ** min(failures, DOUBLINGS_MAX))
    return longest * (0.5 + chance() / 2)


def _seconds(text: str, now_s: float) -> float | None:
    try:
        return float(text)
    except ValueError:
        pass
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() - now_s


def _reset(text: str, now_s: float) -> float | None:
    try:
        found = float(text)
    except ValueError:
        return None
    return found - now_s if found >= EPOCH_FROM else found


def _bounded(found: float | None) -> float | None:
    """Not a number counts as nothing said."""
    return None if found is None or found != found else min(WAIT_S_MAX, max(0.0, found))
