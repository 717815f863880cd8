"""In a few words, what became of a request; and the same words, read again.

`2 ProductViewed, 1 rejected, 1 to fetch; off plan: 2 missing sku (ProductViewed), 1 unplanned_event (Size Guide)`
"""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from typing import cast, get_args

from connectors.plans.checking import Flag, Reason
from connectors.protocol.channel import Verdict

NOTHING = "nothing that is known"
REJECTED, TO_FETCH, MORE = "rejected", "to fetch", "more"
OFF_PLAN = "; off plan: "
FLAGS_MAX = 10
"""Kinds of faults that are told by name."""
_FLAG = re.compile(r"(\d+) (\w+)(?: ([^(),]+))? \(([^(),]+)\)")
_COUNT = re.compile(r"(\d+) (.+)")


@dataclass(frozen=True, slots=True)
class Told:
    """What a verdict says: how many events of each type, rejects and fetches, and how often each flag.

    `more_flags` are those that it counts and does not name.
    """

    events: dict[str, int] = field(default_factory=dict)
    rejected: int = 0
    to_fetch: int = 0
    off_plan: dict[Flag, int] = field(default_factory=dict)
    more_flags: int = 0


def words(verdict: Verdict, rejected: int, flags: Collection[Flag] = ()) -> str:
    """What became of the request; `rejected` counts those, too, that could not be encoded."""
    kinds = Counter(type(event).__name__ for event in verdict.events)
    told = [f"{count} {kind}" for kind, count in kinds.items()]
    if rejected:
        told.append(f"{rejected} {REJECTED}")
    if verdict.fetches:
        told.append(f"{len(verdict.fetches)} {TO_FETCH}")
    return (", ".join(told) or NOTHING) + (OFF_PLAN + ", ".join(_flagged(flags)) if flags else "")


def read(text: str) -> Told:
    """What `words` said. What it cannot have said counts for nothing."""
    counts, _, faults = text.partition(OFF_PLAN)
    found = {name: int(count) for count, name in _pairs(counts.split(", "))}
    return Told(
        {name: count for name, count in found.items() if name not in (REJECTED, TO_FETCH)},
        found.get(REJECTED, 0),
        found.get(TO_FETCH, 0),
        dict(_flags(faults.split(", "))),
        sum(int(count) for count, name in _pairs(faults.split(", ")) if name == MORE),
    )


def _flagged(flags: Iterable[Flag]) -> list[str]:
    counted = Counter(flags).most_common()
    told = [
        f"{count} {' '.join(filter(None, (flag.reason, flag.field)))} ({flag.event})"
        for flag, count in counted[:FLAGS_MAX]
    ]
    rest = sum(count for _, count in counted[FLAGS_MAX:])
    return [*told, f"{rest} {MORE}"] if rest else told


def _flags(parts: Iterable[str]) -> Iterator[tuple[Flag, int]]:
    for each in map(_FLAG.fullmatch, parts):
        if each is not None and each[2] in get_args(Reason):
            yield Flag(cast(Reason, each[2]), each[4], each[3] or ""), int(each[1])


def _pairs(parts: Iterable[str]) -> Iterable[tuple[str, str]]:
    found = (_COUNT.fullmatch(each) for each in parts)
    return ((each[1], each[2]) for each in found if each)
