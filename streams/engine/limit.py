"""When a lane stops: too many of its records in a row, or too large a share of them, have become dead letters.

A lane that puts everything aside does nothing but move a topic into another one: someone should look first. What was
counted is forgotten when the lane is opened anew; a stop is not (streams.engine.position).
"""

from collections import deque
from collections.abc import Iterable

import msgspec

IN_A_ROW_MAX = 1_000
SHARE_MAX = 0.10
WINDOW_US = 300_000_000
SLOT_US = 10_000_000
RECORDS_MIN = 1_000
"""A share of fewer records than this within the window says little: nine good ones and a bad one are 10 % too."""

IN_A_ROW = "in_a_row"
SHARE = "share"
WORDS = {
    IN_A_ROW: f"{IN_A_ROW_MAX:,} records in a row became dead letters",
    SHARE: f"more than {SHARE_MAX:.0%} of the records within {WINDOW_US // 60_000_000} minutes became dead letters",
}


class Tally(msgspec.Struct, gc=False):
    """What became of the records of one commit. `in_a_row` were refused last; `longest` is the longest such row."""

    in_a_row: int = 0
    longest: int = 0
    passed: int = 0
    refused: int = 0

    def note(self, outcomes: Iterable[bool]) -> None:
        """After this these records count, in their order: True for one that was refused."""
        for is_refused in outcomes:
            if is_refused:
                self.refused += 1
                self.in_a_row += 1
                self.longest = max(self.longest, self.in_a_row)
            else:
                self.note_passed(1)

    def note_passed(self, count: int) -> None:
        """After this `count` records count that were not refused."""
        self.passed += count
        if count:
            self.in_a_row = 0


class Limit:
    """What became of a lane's records in the last WINDOW_US. A commit that fails is not counted."""

    def __init__(self) -> None:
        self._slots: deque[tuple[int, Tally]] = deque()
        self._in_a_row = 0

    def tally(self) -> Tally:
        """An empty count for the next commit, which goes on with the row that there is."""
        return Tally(self._in_a_row)

    def excess(self, tally: Tally, now: int) -> str | None:
        """Why the lane has to stop once `tally` is committed; None where it has not."""
        if not tally.refused:
            return None
        if tally.longest >= IN_A_ROW_MAX:
            return IN_A_ROW
        self._forget(now)
        counted = [*(slot for _, slot in self._slots), tally]
        refused = sum(each.refused for each in counted)
        total = refused + sum(each.passed for each in counted)
        return SHARE if total >= RECORDS_MIN and refused > SHARE_MAX * total else None

    def add(self, tally: Tally, now: int) -> None:
        """After this `tally` is counted for WINDOW_US."""
        self._in_a_row = tally.in_a_row
        self._forget(now)
        if not self._slots or now - self._slots[-1][0] >= SLOT_US:
            self._slots.append((now, Tally()))
        slot = self._slots[-1][1]
        slot.passed += tally.passed
        slot.refused += tally.refused

    def _forget(self, now: int) -> None:
        while self._slots and now - self._slots[0][0] > WINDOW_US:
            self._slots.popleft()
