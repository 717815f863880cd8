"""State in RocksDB, one folder a worker: kept over restarts, opened by one process at a time.

The write-ahead log is off: the changelog is the log. A crash takes the newest writes of each lane with it, never one
from the middle: all lanes share one sequence of buffers, which reach the disk in their order. A file that is ingested
is on the disk before older writes of other lanes; those of its own lane go first, since it holds a key of theirs (END).

Two things are not as rocksdict has them. Its writes hold the interpreter while RocksDB makes them wait, heartbeats
included: so none waits there, it is refused and tried again. Its iterators end at a damaged block as if there were
nothing more: so each is asked why it ended.
"""

import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from operator import itemgetter
from pathlib import Path
from threading import Lock
from typing import Any

import rocksdict
import structlog

from streams.engine.stores import Writes
from vaart.errors import ConfigFault, StorageFault, VaartError
from vaart.failpoint import failpoint

BLOCK_CACHE_BYTES = 64 << 20
WRITE_BUFFER_BYTES = 32 << 20
LEVEL0_FILES, LEVEL0_FILES_MAX = 4, 400
"""So many sorted files are there before RocksDB merges them with what lies below: the second while files are ingested,
since each merge writes the lane anew. Until then a read looks into each of them that may have its key.
"""
STALL_PAUSE_S = 0.005
STALL_S_MAX = 300.0
DAMAGED = "DAMAGED"
"""A file of this name says that the folder is to be emptied when it is opened next."""
INCOMING = "incoming"
"""Where files are built before they are ingested."""

_STALLED = "Write stall"
_LOCKED = ("While lock file", "lock hold by current process")
_DAMAGE = ("Corruption", "No such file or directory")

log = structlog.get_logger()


class StoreTaken(ConfigFault):
    """Another process has the folder open."""


class StoreDamaged(StorageFault):
    """What is read is not what was written. The folder is emptied when it is opened next."""


class RocksStore:
    """See streams.engine.stores.Store. A folder that proves damaged is emptied: the changelog has all of it.

    Raises StoreTaken where another process has the folder open, StorageFault where it cannot be used.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._db = _opened(folder)
        self._merging = _Merging(self._db, folder)

    def lane(self, number: int) -> "_RocksLane":
        return _RocksLane(self._db, self._merging, number, self._folder)

    def count(self) -> int:
        return self._db.property_int_value("rocksdb.estimate-num-keys") or 0

    def close(self) -> None:
        try:
            self._db.close()
        except Exception as error:  # rocksdict knows no narrower one
            raise _fault(self._folder, error, "closed") from error


class _RocksLane:
    def __init__(self, db: rocksdict.Rdict, merging: "_Merging", number: int, folder: Path) -> None:
        self._db = db
        self._merging = merging
        self._options = _write_options()
        self._prefix = number.to_bytes(2, "big")
        self._folder = folder
        self._file = folder / INCOMING / f"{number}.sst"

    def get(self, key: bytes) -> bytes | None:
        try:
            found: bytes | None = self._db.get(self._prefix + key)
        except Exception as error:
            raise _fault(self._folder, error, "read") from error
        return found

    def get_many(self, keys: Sequence[bytes]) -> list[bytes | None]:
        prefix = self._prefix
        try:
            found: Any = self._db.get([prefix + key for key in keys])
        except Exception as error:
            raise _fault(self._folder, error, "read") from error
        return list(found)

    def scan(self, start: bytes, stop: bytes) -> Iterator[tuple[bytes, bytes]]:
        begin, end = self._prefix + start, self._prefix + stop
        found: Any = self._db.iter()
        found.seek(begin)
        while found.valid():
            key = found.key()
            if key >= end:
                return
            yield key[2:], found.value()
            found.next()
        try:
            found.status()
        except Exception as error:
            raise _fault(self._folder, error, "read") from error

    def write(self, writes: Writes) -> None:
        self._write(lambda: self._batch(writes))

    def ingest(self, writes: Writes) -> None:
        if not writes:
            return
        self._merging.put_off()
        try:
            self._build(writes)
            failpoint("before_ingest")
            self._db.ingest_external_file([str(self._file)], _moving())
        except Exception as error:
            raise _fault(self._folder, error, "written") from error
        finally:
            self._file.unlink(missing_ok=True)

    def clear(self) -> None:
        self._write(self._erasure)

    def _write(self, batch: Any) -> None:
        self._merging.go_on()
        deadline = time.monotonic() + STALL_S_MAX
        while True:
            try:
                self._db.write(batch(), self._options)  # which leaves a batch empty even where it is refused
            except Exception as error:
                if _STALLED not in str(error) or time.monotonic() > deadline:
                    raise _fault(self._folder, error, "written") from error
                time.sleep(STALL_PAUSE_S)
            else:
                return

    def _batch(self, writes: Writes) -> rocksdict.WriteBatch:
        batch = rocksdict.WriteBatch(raw_mode=True)
        prefix = self._prefix
        for key, value in _in_order(writes):
            if value is None:
                batch.delete(prefix + key)
            else:
                batch.put(prefix + key, value)
        return batch

    def _erasure(self) -> rocksdict.WriteBatch:
        batch = rocksdict.WriteBatch(raw_mode=True)
        batch.delete_range(self._prefix, self._prefix + b"\xff")
        return batch

    def _build(self, writes: Writes) -> None:
        writer = rocksdict.SstFileWriter(_options())
        writer.open(str(self._file))
        prefix = self._prefix
        for key, value in _in_order(writes):
            if value is None:
                del writer[prefix + key]
            else:
                writer[prefix + key] = value
        writer.finish()


class _Merging:
    """When RocksDB merges sorted files of all lanes: not while a lane is ingested."""

    def __init__(self, db: rocksdict.Rdict, folder: Path) -> None:
        self._db = db
        self._folder = folder
        self._lock = Lock()
        self._is_put_off = False

    def put_off(self) -> None:
        """After this files may be ingested. Waits for merges where there are too many already."""
        self._set(is_put_off=True)
        deadline = time.monotonic() + STALL_S_MAX
        while int(self._db.property_value("rocksdb.num-files-at-level0") or 0) >= LEVEL0_FILES_MAX:
            if time.monotonic() > deadline:
                raise StorageFault(
                    f"the disk of {self._folder} is too slow: RocksDB is {STALL_S_MAX:.0f} s behind"
                )
            time.sleep(STALL_PAUSE_S)

    def go_on(self) -> None:
        """After this RocksDB merges as ever."""
        if self._is_put_off:
            self._set(is_put_off=False)

    def _set(self, *, is_put_off: bool) -> None:
        with self._lock:
            if self._is_put_off != is_put_off:
                files = LEVEL0_FILES_MAX if is_put_off else LEVEL0_FILES
                try:
                    self._db.set_options({"level0_file_num_compaction_trigger": str(files)})
                except Exception as error:
                    raise _fault(self._folder, error, "written") from error
                self._is_put_off = is_put_off


def _opened(folder: Path) -> rocksdict.Rdict:
    if (folder / DAMAGED).exists():
        _empty(folder)
    try:
        return _open(folder)
    except StoreDamaged:
        _empty(folder)
        return _open(folder)


def _open(folder: Path) -> rocksdict.Rdict:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        db = rocksdict.Rdict(str(folder), _options())
        shutil.rmtree(folder / INCOMING, ignore_errors=True)
        (folder / INCOMING).mkdir()
    except Exception as error:
        raise _fault(folder, error, "opened") from error
    return db


def _empty(folder: Path) -> None:
    """It may hold personal data, so nothing is kept for later."""
    log.warning("damaged_state_removed", folder=str(folder), reason="it is rebuilt from the changelog")
    try:
        shutil.rmtree(folder)
    except OSError as error:
        raise _fault(folder, error, "emptied") from error


def _fault(folder: Path, error: Exception, verb: str) -> VaartError:
    """What RocksDB says is known by its words alone: rocksdict has one kind of exception."""
    text = str(error)
    if any(word in text for word in _LOCKED):
        return StoreTaken(
            f"the state folder {folder} is in use by another process: give each worker of a view a name of its own "
            "(--instance, or VAART_INSTANCE)"
        )
    if any(word in text for word in _DAMAGE) and not isinstance(error, OSError):
        with suppress(OSError):  # then it is found damaged again
            (folder / DAMAGED).touch()
        return StoreDamaged(
            f"the state folder {folder} is damaged; start again, and it is rebuilt from the changelog ({text})"
        )
    return StorageFault(f"the state folder {folder} cannot be {verb}: {text}")


def _in_order(writes: Writes) -> list[tuple[bytes, bytes | None]]:
    """A sorted file must be; a buffer takes neighbours in less time than it takes to sort them."""
    return sorted(writes.items(), key=itemgetter(0))


def _write_options() -> Any:
    # Any: its type stub says method where the module has an attribute.
    options: Any = rocksdict.WriteOptions()
    options.disable_wal = True
    options.no_slowdown = True
    return options


def _moving() -> rocksdict.IngestExternalFileOptions:
    options = rocksdict.IngestExternalFileOptions()
    options.set_move_files(True)
    return options


def _options() -> rocksdict.Options:
    options = rocksdict.Options(raw_mode=True)
    options.create_if_missing(True)
    options.set_write_buffer_size(WRITE_BUFFER_BYTES)
    options.set_max_write_buffer_number(3)
    options.set_level_zero_file_num_compaction_trigger(LEVEL0_FILES)
    options.set_level_zero_slowdown_writes_trigger(2 * LEVEL0_FILES_MAX)
    options.set_level_zero_stop_writes_trigger(2 * LEVEL0_FILES_MAX)
    options.set_keep_log_file_num(2)
    table = rocksdict.BlockBasedOptions()
    table.set_block_cache(rocksdict.Cache(BLOCK_CACHE_BYTES))
    table.set_bloom_filter(10, False)
    options.set_block_based_table_factory(table)
    return options
