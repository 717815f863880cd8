"""What lies in a folder: which of the files are meant, which of those are whole, and in which order they are taken."""

from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from fnmatch import fnmatchcase
from itertools import count
from typing import Literal, Protocol

DONE, WHY = ".done", ".why"
UNFINISHED = (".part", ".tmp")
NAME_BYTES_MAX = 200
NOT_IN_NAMES = frozenset("/\\")
READ_BYTES = 1024 * 1024
ENTRIES_MAX = 100_000

Wholeness = Literal["stable", "done"]
Folder = Literal["taken", "refused"]
TAKEN: Folder = "taken"
REFUSED: Folder = "refused"


class Gone(Exception):
    """The file is not there any more, or changed while it was read: look again."""


class Barred(Exception):
    """The file may not be read, as its owner has it; others may be. The text says why."""


@dataclass(frozen=True, slots=True)
class Lying:
    """A file as it was seen. `changed` is in the place's own unit. `leads_out`: a link to somewhere else."""

    name: str
    size: int
    changed: int
    leads_out: bool = False


class Spot(Protocol):
    """A folder that is open. Each method raises Away or Declined where the folder does not answer."""

    async def look(self) -> list[Lying]:
        """Every file in it. Raises Declined for more than ENTRIES_MAX."""

    def read(self, lying: Lying) -> AsyncIterator[bytes]:
        """Its bytes. Raises Gone or Barred."""

    async def set_aside(self, name: str, folder: Folder, why: str = "") -> bool:
        """After this the file is in the folder beside it, with `why` in a file of its own where there is a reason.

        Nothing is written over. False where nothing may be moved. Raises Gone.
        """


class Place(Protocol):
    """Where a source's files are dropped."""

    def open(self) -> AbstractAsyncContextManager[Spot]:
        """The folder, for one look. Raises Away or Declined."""


class Looks:
    """What was seen at the last look, by which a file is known to be still."""

    def __init__(self, pattern: str, whole: Wholeness) -> None:
        self._pattern = pattern
        self._whole = whole
        self._before: frozenset[Lying] = frozenset()

    def taken(self, found: Iterable[Lying], first: str) -> list[Lying]:
        """The files to take now: the oldest first, and before them the one that is named `first`."""
        meant = [each for each in found if is_meant(each.name, self._pattern) and not fault_of(each)]
        if self._whole == "done":
            marks = {each.name for each in found}
            whole = [each for each in meant if each.name + DONE in marks]
        else:
            whole = [each for each in meant if each in self._before]
            self._before = frozenset(meant)
        return sorted(whole, key=lambda each: (each.name != first, each.changed, each.name))


def is_meant(name: str, pattern: str) -> bool:
    """Whether a file of that name is for us, once it is whole."""
    is_ours = name.endswith((DONE, WHY))
    is_unfinished = name.startswith(".") or name.lower().endswith(UNFINISHED)
    return fnmatchcase(name, pattern) and not is_ours and not is_unfinished


def passed_over(found: Iterable[Lying], pattern: str) -> Iterator[tuple[str, str]]:
    """The files that are meant and cannot be taken, each with why."""
    for each in found:
        if is_meant(each.name, pattern) and (fault := fault_of(each)):
            yield each.name, fault


def numbered(name: str) -> Iterator[str]:
    """The name, and then with a number behind it, for where it is there already."""
    yield name
    for number in count(1):
        yield f"{name}.{number}"


def fault_of(lying: Lying) -> str:
    """Why the file is not taken whatever it holds; empty where it is."""
    name = lying.name
    if not name or not name.isprintable() or NOT_IN_NAMES & set(name) or len(name.encode()) > NAME_BYTES_MAX:
        return "its name is too long, leads elsewhere or holds what no name holds: rename it"
    if lying.leads_out:
        return "it is a link that leads out of the folder: put the file itself there"
    return ""
