"""Records on the disk while Kafka does not take them: kept in their order, read back in their order, once deleted gone.

A folder of segments, each a row of `length, CRC-32, record`, and a cursor that says from where on they are not yet in
Kafka. What was appended is on the disk when `append` returns. A crash leaves a torn tail, which is cut: nobody was told
that it is kept. The folder belongs to one process at a time.
"""

import fcntl
import os
import shutil
import struct
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import msgspec
import structlog

from vaart.errors import StorageFault

SEGMENT_BYTES_MAX = 64 * 1024 * 1024
FOLDER_MODE, FILE_MODE = 0o700, 0o600
CURSOR, LOCK = "cursor", "lock"

_HEAD = struct.Struct(">II")

log = structlog.get_logger()


class Kept(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """A record as it goes to Kafka. The topic is without the deployment's prefix."""

    topic: str
    key: str
    value: bytes


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A byte of a segment."""

    segment: int = 0
    offset: int = 0


class SpoolTaken(StorageFault):
    """Another process has the folder open."""


class Spool:
    """The spool in `folder`, which is made if it is missing. Raises SpoolTaken or StorageFault.

    One thread at a time appends, one reads; both may go on at once.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = _locked(folder)
        try:
            self.cursor = self._read_cursor()
            self.end = self._settled_end()
            self.bytes_kept = sum(path.stat().st_size for path in self._segments().values())
        except OSError as error:
            raise _fault(folder, error) from error
        self._writer: BinaryIO | None = None

    @property
    def is_empty(self) -> bool:
        """Whether Kafka has all of it."""
        return self.cursor >= self.end

    def append(self, records: Iterable[Kept]) -> None:
        """After this `records` are on the disk, behind all others. Raises StorageFault; then do not go on."""
        rows = b"".join(_row(record) for record in records)
        try:
            writer = self._open_writer()
            writer.write(rows)
            writer.flush()
            os.fsync(writer.fileno())
        except OSError as error:
            raise _fault(self._folder, error) from error
        self.end = Place(self.end.segment, self.end.offset + len(rows))
        self.bytes_kept += len(rows)

    def read(self, most: int) -> tuple[list[Kept], Place]:
        """The first records behind the cursor, at most `most`, and the place behind them. Raises StorageFault."""
        place = self.cursor
        found: list[Kept] = []
        try:
            while place < self.end and len(found) < most:
                rows = list(self._rows(place, most - len(found)))
                found += [record for record, _ in rows]
                place = rows[-1][1] if rows else self._next_segment(place)
        except OSError as error:
            raise _fault(self._folder, error) from error
        return found, min(place, self.end)

    def drained(self, place: Place) -> None:
        """After this what lies before `place` is not read again, and segments before it are deleted.

        A crash may forget it: then some records go to Kafka twice, which their event ids tell.
        """
        self.cursor = place
        try:
            fresh = self._folder / f"{CURSOR}.new"
            fresh.write_bytes(msgspec.msgpack.encode((place.segment, place.offset)))
            fresh.replace(self._folder / CURSOR)
            for number, path in self._segments().items():
                if number < place.segment:
                    self.bytes_kept -= path.stat().st_size
                    path.unlink()
        except OSError as error:
            raise _fault(self._folder, error) from error

    def emptied(self) -> None:
        """After this it takes no room; it must be empty, and nobody append or read meanwhile. Raises StorageFault."""
        assert self.is_empty
        if self._writer is not None:
            self._writer.close()
            self._writer = None
        self.end = Place(self.end.segment + 1)
        self.drained(self.end)

    def close(self) -> None:
        """After this another process may open it. A spool that is empty leaves no folder behind."""
        if self._writer is not None:
            self._writer.close()
        if self.is_empty:
            shutil.rmtree(self._folder, ignore_errors=True)
        os.close(self._lock)

    def _segments(self) -> dict[int, Path]:
        return {int(path.stem): path for path in sorted(self._folder.glob("*.spool"))}

    def _read_cursor(self) -> Place:
        path = self._folder / CURSOR
        if not path.exists():
            return Place(min(self._segments(), default=1))
        return Place(*msgspec.msgpack.decode(path.read_bytes(), type=tuple[int, int]))

    def _next_segment(self, place: Place) -> Place:
        """The begin of the segment behind the one that ends at `place`. Raises StorageFault where it does not end."""
        path = self._folder / _name(place.segment)
        if path.exists() and path.stat().st_size > place.offset:
            raise StorageFault(
                f"{path} is damaged at byte {place.offset}: what is behind it cannot be read. "
                "Move the file away to go on without it."
            )
        return Place(place.segment + 1)

    def _settled_end(self) -> Place:
        """Where the last whole row ends; what a crash left behind it is cut off: nobody was told that it is kept."""
        segments = self._segments()
        if not segments:
            return Place(max(1, self.cursor.segment), 0) if self.cursor.offset == 0 else self.cursor
        last = max(segments)
        end = max((place for _, place in self._rows(Place(last), None)), default=Place(last))
        torn = segments[last].stat().st_size - end.offset
        if torn:
            log.warning("spool_tail_cut", segment=segments[last].name, bytes=torn)
            os.truncate(segments[last], end.offset)
        return end

    def _rows(self, start: Place, most: int | None) -> Iterator[tuple[Kept, Place]]:
        """Whole rows of one segment from `start` on, each with the place behind it."""
        path = self._folder / _name(start.segment)
        if not path.exists():
            return
        with path.open("rb") as opened:
            opened.seek(start.offset)
            place, count = start, 0
            while most is None or count < most:
                head = opened.read(_HEAD.size)
                if len(head) < _HEAD.size:
                    return
                length, checksum = _HEAD.unpack(head)
                body = opened.read(length)
                if len(body) < length or zlib.crc32(body) != checksum:
                    return
                place = Place(place.segment, place.offset + _HEAD.size + length)
                yield msgspec.msgpack.decode(body, type=Kept), place
                count += 1

    def _open_writer(self) -> BinaryIO:
        is_full = self.end.offset >= SEGMENT_BYTES_MAX
        if self._writer is not None and is_full:
            self._writer.close()
            self._writer = None
        if self._writer is None:
            if is_full:
                self.end = Place(self.end.segment + 1)
            path = self._folder / _name(self.end.segment)
            path.touch(mode=FILE_MODE)
            self._writer = path.open("ab")
            _sync_folder(self._folder)
        return self._writer


def adopted(root: Path) -> list[Spool]:
    """The spools under `root` that a process left behind with records in them; they are ours from now on."""
    found = []
    for folder in sorted(root.glob("*")) if root.exists() else []:
        try:
            spool = Spool(folder)
        except SpoolTaken:
            continue
        if spool.is_empty:
            spool.close()
        else:
            found.append(spool)
    return found


def _row(record: Kept) -> bytes:
    body = msgspec.msgpack.encode(record)
    return _HEAD.pack(len(body), zlib.crc32(body)) + body


def _name(segment: int) -> str:
    return f"{segment:08}.spool"


def _locked(folder: Path) -> int:
    try:
        folder.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
        lock = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, FILE_MODE)
    except OSError as error:
        raise _fault(folder, error) from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        raise SpoolTaken(f"the spool {folder} is in use by another gateway") from None
    return lock


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _fault(folder: Path, error: OSError) -> StorageFault:
    return StorageFault(f"the spool {folder} cannot be used: {error.strerror}")
