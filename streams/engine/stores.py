"""Where a worker keeps its lanes' state: in RocksDB, or in memory. Both behave alike (one conformance suite).

A store is never ahead of the changelog: what is written here was committed there before. Values, position and due
index go into one atomic write, so that an unclean stop leaves a state that was true at some commit.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, Protocol

import rocksdict
from sortedcontainers import SortedDict

from vaart.errors import StorageFault

BLOCK_CACHE_BYTES = 64 << 20
WRITE_BUFFER_BYTES = 32 << 20
SCAN_PAGE = 1_000

Writes = Mapping[bytes, bytes | None]
"""New values by record key; None removes."""


class LaneStore(Protocol):
    """The records of one lane."""

    def get(self, key: bytes) -> bytes | None:
        """The value at `key`, None where there is none."""

    def get_many(self, keys: Sequence[bytes]) -> list[bytes | None]:
        """The values at `keys`, in their order."""

    def scan(self, start: bytes, stop: bytes) -> Iterator[tuple[bytes, bytes]]:
        """The records from `start` up to, not including, `stop`, in the order of their keys.

        Writing while a scan is open is allowed; the scan may or may not see it.
        """

    def write(self, writes: Writes) -> None:
        """All of `writes`, or nothing. Raises StorageFault where the disk refuses."""

    def clear(self) -> None:
        """After this the lane holds nothing."""


class Store(Protocol):
    """The state of one worker."""

    def lane(self, number: int) -> LaneStore:
        """The records of lane `number`; those of other lanes stay apart."""

    def count(self) -> int:
        """How many records there are in all, about."""

    def close(self) -> None:
        """After this all that was written lies on the disk."""


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

    def clear(self) -> None:
        self._records.clear()

    def count(self) -> int:
        return len(self._records)


class RocksStore:
    """State in RocksDB under `folder`: kept over restarts, opened by one process at a time.

    The write-ahead log is off: the changelog is the log. What is lost with the process is read again from there.
    """

    def __init__(self, folder: Path) -> None:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._db = rocksdict.Rdict(str(folder), _options())
        except Exception as error:
            raise StorageFault(f"the state folder {folder} cannot be opened: {error}") from error
        # Any: its type stub says method where the module has an attribute.
        options: Any = rocksdict.WriteOptions()
        options.disable_wal = True
        self._write_options = options
        self._folder = folder

    def lane(self, number: int) -> "_RocksLane":
        return _RocksLane(self._db, self._write_options, number, self._folder)

    def count(self) -> int:
        return self._db.property_int_value("rocksdb.estimate-num-keys") or 0

    def close(self) -> None:
        self._db.flush()
        self._db.close()


class _RocksLane:
    def __init__(
        self, db: rocksdict.Rdict, options: rocksdict.WriteOptions, number: int, folder: Path
    ) -> None:
        self._db = db
        self._options = options
        self._prefix = number.to_bytes(2, "big")
        self._folder = folder

    def get(self, key: bytes) -> bytes | None:
        found: bytes | None = self._db.get(self._prefix + key)
        return found

    def get_many(self, keys: Sequence[bytes]) -> list[bytes | None]:
        prefix = self._prefix
        found: Any = self._db.get([prefix + key for key in keys])
        return list(found)

    def scan(self, start: bytes, stop: bytes) -> Iterator[tuple[bytes, bytes]]:
        begin, end = self._prefix + start, self._prefix + stop
        items: Any = self._db.items(from_key=begin)
        for key, value in items:
            if key >= end:
                return
            yield key[2:], value

    def write(self, writes: Writes) -> None:
        batch = rocksdict.WriteBatch(raw_mode=True)
        prefix = self._prefix
        for key, value in writes.items():
            if value is None:
                batch.delete(prefix + key)
            else:
                batch.put(prefix + key, value)
        try:
            self._db.write(batch, self._options)
        except Exception as error:
            raise StorageFault(f"the state folder {self._folder} cannot be written: {error}") from error

    def clear(self) -> None:
        keys = (key for key, _ in self.scan(b"", b"\xff"))
        while page := list(islice(keys, SCAN_PAGE)):
            self.write(dict.fromkeys(page))


def _options() -> rocksdict.Options:
    options = rocksdict.Options(raw_mode=True)
    options.create_if_missing(True)
    options.set_write_buffer_size(WRITE_BUFFER_BYTES)
    options.set_max_write_buffer_number(3)
    options.set_keep_log_file_num(2)
    table = rocksdict.BlockBasedOptions()
    table.set_block_cache(rocksdict.Cache(BLOCK_CACHE_BYTES))
    table.set_bloom_filter(10, False)
    options.set_block_based_table_factory(table)
    return options
