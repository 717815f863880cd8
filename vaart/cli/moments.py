"""Moments as people write them on the command line."""

import re
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from vaart.errors import UsageFault

Since = Annotated[str, typer.Option(help="From then on: 30m, 12h, 7d ago or 2026-11-25T08:00Z.")]

_AGO = re.compile(r"(\d+)([mhd])")
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}


def moment_ms(text: str) -> int:
    """A moment, in milliseconds since 1970 UTC. Raises UsageFault."""
    ago = _AGO.fullmatch(text)
    if ago is not None:
        moment = datetime.now(UTC) - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
    else:
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            raise UsageFault(f"{text!r} is no time: write 30m, 12h, 7d or 2026-11-25T08:00Z") from None
        if moment.tzinfo is None:
            raise UsageFault(f"{text!r} lacks its zone: write {text}Z, or the offset such as +01:00")
    return int(moment.timestamp() * 1000)
