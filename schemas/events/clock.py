"""The clock of a replay, which stands on every topic between the events."""

from schemas.meta import Entry, Instant


class ClockAdvanced(Entry, frozen=True, gc=False, kw_only=True):
    """Every event up to `until` that this writer puts on this partition stands before this record."""

    until: Instant
    writer: str
    lane: int = 0
    lanes: int = 1
