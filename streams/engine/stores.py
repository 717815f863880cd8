"""Where a worker keeps its lanes' state: in memory, or in RocksDB (rocks_store). Both behave alike (one suite).

A store is never ahead of the changelog: what is written here was committed there before. Values, position and due
index go into one atomic write, so that an unclean stop leaves a state that was true at some commit.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

from sortedcontainers import SortedDict

Writes = Mapping[bytes, bytes | None]
"""New values by record key; None removes."""


class LaneStore(Protocol):
    """The records of one lane. What it says may raise StorageFault: the disk refuses, or what it holds is damaged."""

    def get(self, key: bytes) -> bytes | None:
        """The value at `key`, None where there is none."""

    def get_many(self, keys: Sequence[bytes]) -> list[bytes | None]:
        """The values at `keys`, in their order."""

    def scan(self, start: bytes, stop: bytes) -> Iterator[tuple[bytes, bytes]]:
        """The records from `start` up to, not including, `stop`, in the order of their keys.

        Writing while a scan is open is allowed; the scan may or may not see it.
        """

    def write(self, writes: Writes) -> None:
        """All of `writes`, or nothing."""

    def ingest(self, writes: Writes) -> None:
        """As `write`, and on the disk at once. For tens of thousands: cheaper a record, dearer a call."""

    def clear(self) -> None:
        """The lane holds nothing: all of it is gone, or nothing is."""


class Store(Protocol):
    """The state of one worker."""

    def lane(self, number: int) -> LaneStore:
        """The records of lane `number`; those of other lanes stay apart."""

    def count(self) -> int:
        """How many records there are in all, about."""

    def close(self) -> None:
        """After this all that was written lies on the disk. Raises StorageFault where the disk refuses."""


class MemoryStore:
    """State in memory: gone with the process, rebuilt from the changelog at the next start."""

    def __init__(self) -> None:
        self._lanes: dict[int, _MemoryLane] = {}

    def lane(self, number: int) -> "_MemoryLane":
        return self._lanes.setdefault(number, _MemoryLane())

    def count(self) -> int:
        return sum(lane.count() for lane in self._lanes.values())

    def close(self) -> None:
        self._lanes.clear()


class _MemoryLane:
    def __init__(self) -> None:
        self._records: SortedDict = SortedDict()

    def get(self, key: bytes) -> bytes | None:
        found: bytes | None = self._records.get(key)
        return found

    def get_many(self, keys: Sequence[bytes]) -> list[bytes | None]:
        return [self._records.get(key) for key in keys]

    def scan(self, start: bytes, stop: bytes) -> Iterator[tuple[bytes, bytes]]:
        for key in list(self._records.irange(start, stop, inclusive=(True, False))):
            value = self._records.get(key)
            if value is not None:
                yield key, value

    def write(self, writes: Writes) -> None:
        for key, value in writes.items():
            if value is None:
                self._records.pop(key, None)
            else:
                self._records[key] = value

    ingest = write

    def clear(self) -> None:
        self._records.clear()

    def count(self) -> int:
        return len(self._records)
