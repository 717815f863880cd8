"""What was fetched of one source partition and waits for its lane."""

from collections import deque
from collections.abc import Sequence

from streams.engine.letters import Arrived

RECORDS_HIGH, RECORDS_LOW = 20_000, 10_000
BYTES_HIGH, BYTES_LOW = 16 << 20, 4 << 20
BATCH_BYTES_MAX = 8 << 20


class Queue:
    """Records in their order. It takes whatever it is given: whoever fills it pauses when `is_full`."""

    def __init__(self) -> None:
        self._records: deque[Arrived] = deque()
        self._bytes = 0
        self.newest = 0
        """The latest time at which a record that was ever in this queue was sent, in milliseconds."""

    def __len__(self) -> int:
        return len(self._records)

    @property
    def first_offset(self) -> int | None:
        """The offset of the record that comes next; None where nothing waits."""
        return self._records[0].offset if self._records else None

    @property
    def oldest_s(self) -> float | None:
        """When the record that comes next was sent, in seconds; None where nothing waits."""
        return self._records[0].timestamp / 1_000 if self._records else None

    @property
    def is_full(self) -> bool:
        """Time to fetch no more."""
        return len(self._records) > RECORDS_HIGH or self._bytes > BYTES_HIGH

    @property
    def is_low(self) -> bool:
        """Time to fetch again."""
        return len(self._records) < RECORDS_LOW and self._bytes < BYTES_LOW

    def add(self, records: Sequence[Arrived]) -> None:
        """After this `records` wait, too."""
        self._records.extend(records)
        self._bytes += sum([len(record.value or b"") for record in records])
        self.newest = max(self.newest, *[record.timestamp for record in records])

    def take(self, most: int, horizon: int | None = None, limit: int | None = None) -> list[Arrived]:
        """The next records, at most `most` and about BATCH_BYTES_MAX, sent not later than `horizon`, below `limit`."""
        waiting = self._records
        if not waiting:
            return []
        most = min(most, len(waiting), max(1, BATCH_BYTES_MAX * len(waiting) // max(1, self._bytes)))
        is_behind_horizon = horizon is None or horizon >= self.newest
        if is_behind_horizon and (limit is None or waiting[-1].offset < limit):
            taken = [waiting.popleft() for _ in range(most)]
        else:
            taken = self._up_to(horizon, limit, most)
        self._bytes -= sum([len(record.value or b"") for record in taken])
        return taken

    def clear(self) -> None:
        """After this nothing waits."""
        self._records.clear()
        self._bytes = 0

    def _up_to(self, horizon: int | None, limit: int | None, most: int) -> list[Arrived]:
        waiting = self._records
        taken: list[Arrived] = []
        while (
            waiting
            and len(taken) < most
            and (horizon is None or waiting[0].timestamp <= horizon)
            and (limit is None or waiting[0].offset < limit)
        ):
            taken.append(waiting.popleft())
        return taken
