"""A dropped file as pieces in an order that never changes, in chunks with the place that each of them reaches.

The same bytes, read in the same way as of the same moment, are the same pieces: whoever goes on behind a chunk neither
misses a piece nor sees one again.
"""

import hashlib
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

from connectors.files import forms, rejects
from connectors.files.events import Stream, streams
from connectors.files.rejects import Rejects, TooManyRejects
from connectors.files.tables import TornFile, open_table
from connectors.gateway.redrive import vouched
from connectors.plans.checking import Flag
from connectors.protocol import facts
from connectors.protocol.channel import Channel, Outcome, Reject, Request, Source, Verdict
from connectors.protocol.documents import NotReadable
from schemas.meta import Event, Instant
from vaart import __version__
from vaart.errors import StorageFault, UsageFault

PIECES_MAX = 500
ENDINGS = (".csv.gz", ".csv", ".tsv", ".txt", ".parquet")
MISFIT = "row_misfit"
AT = "https://dropped.invalid"
MENDED = "Mend it, or how it is read, and drop it again: a repeat does no harm, its events have the same ids."


class Unusable(Exception):
    """Of the file, or of what is left of it, nothing can be made. The text, which may quote it, says what to do.

    `kind` says in a word or two what is wrong, and quotes nothing.
    """

    def __init__(self, kind: str, told: str) -> None:
        super().__init__(told.encode(errors="backslashreplace").decode())
        self.kind = kind


@dataclass(frozen=True, slots=True)
class Unmade:
    """A row or transaction of which no event was made: where it stands, and why. `detail` shows no value of it."""

    place: int
    reason: str
    detail: str
    item: bytes


Piece = Event | Unmade


@dataclass(slots=True)
class Chunk:
    """Pieces that go together, and how many the file has up to their end."""

    events: list[Event] = field(default_factory=list)
    unmade: list[Unmade] = field(default_factory=list)
    end: int = 0
    flags: list[Flag] = field(default_factory=list)
    """What is not as the source's plan says, once it was looked at."""

    def __len__(self) -> int:
        return len(self.events) + len(self.unmade)

    def add(self, piece: Piece) -> None:
        """After this it is in the chunk, too."""
        if isinstance(piece, Unmade):
            self.unmade.append(piece)
        else:
            self.events.append(piece)


@dataclass(frozen=True, slots=True)
class Dropped:
    """A copy of the file that nobody changes, the name that it has in its folder, and when it was first taken."""

    path: Path
    name: str
    received_at: Instant


class Reading(Protocol):
    """A way to read a source's files. `digest` is another when the same bytes may mean something else."""

    @property
    def digest(self) -> str:
        """Eight hexadecimal digits."""

    def stages(self, dropped: Dropped) -> Iterator[Iterator[Piece]]:
        """The pieces; those of a stage are sent before any of the next. Raises UsageFault or NotReadable."""


class ByMapping:
    """Tables, read as a mapping of one table says."""

    def __init__(self, mapping: forms.Mapping, given: Mapping[str, str], rejects_max: int) -> None:
        self._mapping = mapping
        self._given = given
        self._rejects_max = rejects_max
        self.digest = _digest(mapping.text, repr(sorted(given.items())))

    def stages(self, dropped: Dropped) -> Iterator[Iterator[Piece]]:
        told: deque[Unmade] = deque()
        table = self._mapping.events[0].table
        found = streams(
            self._mapping,
            {table: open_table(dropped.path, self._mapping.table(table))},
            received_at=dropped.received_at,
            given=self._given,
            rejected=Rejects(self._rejects_max, lambda reject: told.append(_unmade(reject, dropped.name))),
        )
        yield _pieces([each for each in found if each.is_opening], told)
        yield _pieces([each for each in found if not each.is_opening], told)


class ByChannel:
    """Documents that their channel cuts, and then receives like requests that were proved to be the source's."""

    def __init__(self, channel: Channel, source: Source) -> None:
        assert channel.split is not None
        self._receive = channel.receive
        self._split = channel.split
        self._source = vouched(source)
        self.digest = _digest(channel.name, repr((source.zone, source.currency, source.region)))

    def stages(self, dropped: Dropped) -> Iterator[Iterator[Piece]]:
        yield self._pieces(dropped)

    def _pieces(self, dropped: Dropped) -> Iterator[Piece]:
        with dropped.path.open("rb") as file:
            for number, body in enumerate(self._split(file), 1):
                request = Request("POST", "", AT, {}, (), body, dropped.received_at)
                verdict = _verdict(self._receive(request, self._source), body)
                yield from verdict.events
                for reject in verdict.rejects:
                    detail = f"{dropped.name} transaction {number}: {reject.detail}"
                    yield Unmade(number, reject.reason, detail, reject.item)


def ending_of(name: str) -> str:
    """By what it is known how the file is written; empty where that is not known."""
    return next((ending for ending in ENDINGS if name.lower().endswith(ending)), "")


def chunks(reading: Reading, dropped: Dropped, start: int) -> Iterator[Chunk]:
    """What stands behind the first `start` pieces; a chunk may be empty. Raises Unusable behind all that was read.

    Raises StorageFault where this machine's own disk is full.
    """
    cutting = _Cutting(start)
    try:
        for stage in reading.stages(dropped):
            for piece in stage:
                if cutting.add(piece):
                    yield cutting.cut()
            yield cutting.cut()
    except StorageFault:
        raise
    except Exception as error:
        yield cutting.cut()
        raise _unusable(error, dropped) from None
    if cutting.is_of_no_use:
        told = f"nothing of it fits; the first: {cutting.first}\n{MENDED}"
        raise Unusable("nothing of it fits", told)


class _Cutting:
    """Counts every piece, and keeps those behind `start` until they are cut."""

    def __init__(self, start: int) -> None:
        self._start = start
        self._count = 0
        self._chunk = Chunk()
        self._is_of_use = False
        self.first = ""

    @property
    def is_of_no_use(self) -> bool:
        """Whether there were pieces, and none was an event."""
        return bool(self.first) and not self._is_of_use

    def add(self, piece: Piece) -> bool:
        """Whether it is time to cut."""
        self._count += 1
        if isinstance(piece, Unmade):
            self.first = self.first or piece.detail
        else:
            self._is_of_use = True
        if self._count > self._start:
            self._chunk.add(piece)
        return len(self._chunk) >= PIECES_MAX

    def cut(self) -> Chunk:
        """What was kept; from now on another chunk is."""
        found, self._chunk = self._chunk, Chunk()
        found.end = self._count
        return found


def _pieces(found: list[Stream], told: deque[Unmade]) -> Iterator[Piece]:
    """The events, and the rows that were told meanwhile before the next of them: also where the reading breaks off."""
    try:
        for stream in found:
            for event in stream:
                yield from _drained(told)
                yield event
    except UsageFault:
        yield from _drained(told)
        raise
    yield from _drained(told)


def _drained(told: deque[Unmade]) -> Iterator[Unmade]:
    while told:
        yield told.popleft()


def _unmade(reject: rejects.Reject, name: str) -> Unmade:
    return Unmade(reject.row, MISFIT, str(replace(reject, source=name)), reject.as_json())


def _verdict(outcome: Outcome, body: bytes) -> Verdict:
    if isinstance(outcome, Verdict):
        return outcome
    return Verdict(rejects=[Reject(facts.UNREADABLE, f"its channel answers {type(outcome).__name__}", body)])


def _unusable(error: Exception, dropped: Dropped) -> Unusable:
    told = str(error).replace(str(dropped.path), dropped.name)
    match error:
        case TooManyRejects():
            allowed = f"more rows do not fit than `rejects_max` allows: the dead letters say which\n{MENDED}"
            return Unusable("too much of it does not fit", allowed)
        case TornFile():
            return Unusable("it is torn", told)
        case UsageFault():
            return Unusable("it is not as its mapping says", f"{told}\n{MENDED}")
        case NotReadable():
            return Unusable("it cannot be read", f"{told}\n{MENDED}")
    # What other errors say may hold a value of the file.
    ours = f"the reading of it failed ({type(error).__name__})"
    return Unusable(ours, f"{ours}, which is a fault of vaart's own: report it")


def _digest(*words: str) -> str:
    return hashlib.sha256("\0".join((__version__, *words)).encode()).hexdigest()[:8]
