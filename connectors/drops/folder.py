"""A folder of this machine."""

import asyncio
import errno
import os
import stat
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

from connectors.drops.lying import ENTRIES_MAX, READ_BYTES, WHY, Barred, Folder, Gone, Lying, numbered
from connectors.polling.asking import Away, Declined

NOT_MOVED = (errno.EACCES, errno.EPERM, errno.EROFS, errno.EXDEV)


class LocalFolder:
    """It is open at any time. A link inside it is followed only to what lies inside it, too."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @asynccontextmanager
    async def open(self) -> AsyncIterator["LocalFolder"]:
        yield self

    async def look(self) -> list[Lying]:
        return await asyncio.to_thread(self._look)

    async def read(self, lying: Lying) -> AsyncIterator[bytes]:
        pieces = self._pieces(lying)
        while (piece := await asyncio.to_thread(next, pieces, None)) is not None:
            yield piece

    async def set_aside(self, name: str, folder: Folder, why: str = "") -> bool:
        return await asyncio.to_thread(self._set_aside, name, folder, why)

    def _look(self) -> list[Lying]:
        found: list[Lying] = []
        try:
            with os.scandir(self._path) as entries:
                for entry in entries:
                    if (lying := self._lying(entry)) is not None:
                        found.append(lying)
                    if len(found) > ENTRIES_MAX:
                        raise Declined(f"its folder holds more than {ENTRIES_MAX} files: clear it")
        except OSError as error:
            raise Away(f"its folder cannot be read: {error.strerror}") from None
        return found

    def _lying(self, entry: "os.DirEntry[str]") -> Lying | None:
        """None for what is no file, or has gone meanwhile."""
        try:
            if entry.is_symlink() and not self._is_inside(entry.path):
                return Lying(entry.name, 0, 0, leads_out=True)
            told = entry.stat()
        except FileNotFoundError:
            return None
        return Lying(entry.name, told.st_size, told.st_mtime_ns) if stat.S_ISREG(told.st_mode) else None

    def _is_inside(self, path: str) -> bool:
        return Path(os.path.realpath(path)).is_relative_to(os.path.realpath(self._path))

    def _pieces(self, lying: Lying) -> Iterator[bytes]:
        """What is opened is what lies there, and not what a link was made to mean since."""
        try:
            real = os.path.realpath(self._path / lying.name)
            if not self._is_inside(real):
                raise Gone
            with open(os.open(real, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb") as file:
                while piece := file.read(READ_BYTES):
                    yield piece
                told = os.fstat(file.fileno())
        except FileNotFoundError:
            raise Gone from None
        except OSError as error:
            raise Barred(f"it cannot be read: {error.strerror}") from None
        if (told.st_size, told.st_mtime_ns) != (lying.size, lying.changed):
            raise Gone

    def _set_aside(self, name: str, folder: Folder, why: str) -> bool:
        """The reason is there before the file is: a crash between them leaves the file to be found again."""
        beside = self._path / folder
        try:
            beside.mkdir(exist_ok=True)
            if beside.is_symlink():
                raise Declined(f"{folder} in its folder is a link: make it a folder")
            free = next(each for each in numbered(name) if not os.path.lexists(beside / each))
            if why:
                (beside / (free + WHY)).write_text(why, encoding="utf-8")
            (self._path / name).rename(beside / free)
        except FileNotFoundError:
            raise Gone from None
        except OSError as error:
            if error.errno in NOT_MOVED:
                return False
            raise Away(f"nothing can be moved in its folder: {error.strerror}") from None
        return True
