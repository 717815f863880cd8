"""A lane's position, read from outside; and written from outside, by taking the lane over for a moment.

The position is the last record of every commit, so it is found at the changelog's end whether or not a worker runs.
An owner that was taken over is refused at its next commit, or finds when idle that its changelog went on without it;
it opens the lane again and goes on from the position that it finds.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import msgspec

from streams.engine import position, records
from streams.engine.claim import claimed
from streams.engine.log import LaneLost, Log, Outgoing
from streams.engine.position import Position
from streams.view import View
from vaart.errors import DependencyAway

TAIL_OFFSETS = 1_000
TAIL_GROWTH = 8
ATTEMPTS_MAX = 10

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Standing:
    """A lane's position at some commit, None before its first; and where the changelog ended when it was read."""

    position: Position | None
    end: int


def standing(log: Log, view: View, lane: int, before: Standing | None = None) -> Standing:
    """Where the lane stands. With `before`, only what was written since is read. Raises DependencyAway."""
    low, high = log.bounds(view.changelog, lane)
    if before is not None and before.end > high:
        before = None  # the topic was made again
    start = low if before is None else max(low, before.end)
    stop = high
    size = TAIL_OFFSETS
    while stop > start:
        begin = max(start, stop - size)
        found = _last_position(log, view, lane, begin, stop)
        if found is not None:
            return Standing(position.decode(found), high)
        stop, size = begin, size * TAIL_GROWTH
    return Standing(None if before is None else before.position, high)


class Takeover:
    """Once it is made, whoever owned the lane can commit nothing more, until it opens the lane again.

    `position` is the lane's, read after that. Making it and writing raise LaneLost where the owner was quicker.
    """

    def __init__(self, view: View, log: Log, lane: int) -> None:
        self._view, self._lane = view, lane
        self._writer = claimed(log, view, lane)
        self.position = standing(log, view, lane).position

    def write(self, changed: Position) -> None:
        """After this the lane stands at `changed`, under the next commit number."""
        numbered = msgspec.structs.replace(changed, commits=changed.commits + 1)
        self._writer.begin()
        self._writer.commit(
            Outgoing(self._view.changelog, records.POSITION, position.encode(numbered), self._lane)
        )


def insist(act: Callable[[], T]) -> T:
    """What `act` returns. It is tried again where an owner took its lane back meanwhile. Raises DependencyAway."""
    for _ in range(ATTEMPTS_MAX):
        try:
            return act()
        except LaneLost:
            continue
    raise DependencyAway(
        f"a worker took its lane back {ATTEMPTS_MAX} times before it could be changed: try again, or stop the worker"
    )


def _last_position(log: Log, view: View, lane: int, start: int, stop: int) -> bytes | None:
    found = None
    for page in log.read(view.changelog, lane, start, stop):
        for key, value in page.records:
            if key == records.POSITION:
                found = value
    return found
