"""One source's drops: look, take what is whole, send it chunk by chunk with the place behind it, and set it aside.

What is known to be taken stands in the cursor, by checksum; a file is moved only once that is on Kafka.
"""

import asyncio
import hashlib
import random
import shutil
import tempfile
from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

import structlog

from connectors.drops.checking import form_of
from connectors.drops.checkpoint import Checkpoint
from connectors.drops.lying import (
    DONE,
    REFUSED,
    TAKEN,
    Barred,
    Folder,
    Gone,
    Looks,
    Lying,
    Place,
    Spot,
    passed_over,
)
from connectors.drops.reading import Dropped, Reading, Unusable, chunks, ending_of
from connectors.drops.recording import SERVICE, Records
from connectors.gateway.spool import Kept
from connectors.plans.counting import count
from connectors.polling.asking import Away, Declined
from connectors.polling.ledger import Ledger, Replaced
from connectors.polling.waiting import back_off_s
from connectors.sources import Installed
from schemas.events.ingest import CursorMoved
from schemas.registry import RegistryAway, SchemaUnknown
from vaart import metrics
from vaart.clock import Clock
from vaart.errors import DependencyAway, StorageFault
from vaart.failpoint import failpoint

SEEN_MAX = 5_000
"""Checksums of files that are known to be taken. One that is older, and comes again, gives the same event ids again."""
DIGITS = 32
"""Hexadecimal digits of a checksum that are kept."""
COPY = "dropped"
HEARD = ("taken", "known")
SECOND_US = 1_000_000
STAYS = "nothing may be moved in its folder: files stay there and are known by their checksums"

log = structlog.get_logger()


class Drops:
    """Those of one source. `fault` says why files are not being taken at present; None while all is well.

    Files are copied into `folder` to be read: nobody changes them there, and they are gone once they are read.
    """

    def __init__(
        self,
        found: Installed,
        place: Place,
        reading: Reading,
        ledger: Ledger,
        records: Records,
        clock: Clock,
        folder: Path,
    ) -> None:
        self._source = found.source.name
        self._channel = found.channel.name
        self._form = form_of(found)
        self._place = place
        self._reading = reading
        self._ledger = ledger
        self._records = records
        self._clock = clock
        self._folder = folder
        self._looks = Looks(self._form.pattern, self._form.whole)
        self._stand: CursorMoved | None = None
        self._staying: dict[Lying, str] = {}
        """What is dealt with and could not be moved, by its checksum; empty for what was refused."""
        self._is_staying_told = False
        self._told: set[str] = set()
        self.fault: str | None = None

    async def run(
        self,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
        chance: Callable[[], float] = random.random,
    ) -> None:
        """Looks for ever; returns once another process takes the source's files. Back-offs grow with each failure."""
        failures = 0
        while True:
            try:
                await self.look()
                failures, wait_s = 0, self._form.every_s
            except Replaced:
                self.fault = f"another process takes the files of {self._source} now"
                log.warning("drop_replaced", source=self._source)
                return
            except (Away, Declined, DependencyAway, RegistryAway, SchemaUnknown, StorageFault) as error:
                self.fault, failures = f"{self._source}: {error}", failures + 1
                self._stand = None if isinstance(error, DependencyAway) else self._stand
                wait_s = back_off_s(failures, chance)
                log.warning("drop_failed", source=self._source, error=str(error), wait_s=round(wait_s, 1))
            await sleep(wait_s)

    async def look(self) -> None:
        """After this every file that is whole is taken or refused, or said to be passed over."""
        stand = self._stand or await self._opened()
        async with self._place.open() as spot:
            found = await spot.look()
            self._forget(found)
            barred: dict[str, str] = {}
            for lying in self._looks.taken(found, Checkpoint.of(stand.page).name):
                try:
                    await self._deal_with(spot, lying)
                except Barred as error:
                    barred[lying.name] = str(error)
                except Gone:
                    continue  # the next look finds it, if it is there
        self._tell({**barred, **dict(passed_over(found, self._form.pattern))})
        self.fault = next((f"{self._source}: {name}: {why}" for name, why in barred.items()), None)

    async def _opened(self) -> CursorMoved:
        """Where the source stands; no older process can take its files any more."""
        last = await asyncio.to_thread(self._ledger.open)
        await asyncio.to_thread(_cleared, self._folder)
        if last is not None:
            metrics.SOURCE_HEARD.labels(self._channel, self._source).set(last.meta.received_at / SECOND_US)
        self._stand = last or self._records.cursor(self._clock(), "", [])
        return self._stand

    async def _deal_with(self, spot: Spot, lying: Lying) -> None:
        if lying in self._staying:
            return
        try:
            sha256, outcome = await self._taken(spot, lying)
        except Unusable as error:
            await self._commit([], self._at)  # so that it is us who refuse it
            log.warning("drop_refused", source=self._source, file=lying.name, why=error.kind)
            await self._set_aside(spot, lying, REFUSED, why=f"{lying.name} was refused: {error}\n")
            self._count("refused")
            return
        await self._set_aside(spot, lying, TAKEN, sha256)
        self._count(outcome)

    async def _taken(self, spot: Spot, lying: Lying) -> tuple[str, str]:
        """After this all that it says is on Kafka. Its checksum, and whether it was known before. Raises Unusable."""
        if lying.size > self._form.bytes_max:
            told = f"it has more than {self._form.bytes_max} bytes: raise bytes_max if it may have"
            raise Unusable("it is too large", told)
        with _emptied(self._folder) as folder:
            path = folder / (COPY + ending_of(lying.name))
            sha256 = await self._copied(spot, lying, path)
            if sha256 in self._at.seen:
                return sha256, "known"
            await self._send(path, lying.name, sha256)
        return sha256, "taken"

    async def _copied(self, spot: Spot, lying: Lying, path: Path) -> str:
        """Its checksum; the copy holds what that is of."""
        digest, size = hashlib.sha256(), 0
        with _written(path.parent), path.open("wb") as file:
            async for piece in spot.read(lying):
                size += len(piece)
                if size > self._form.bytes_max:
                    raise Gone  # it grows: it was not whole
                await asyncio.to_thread(_keep, file, digest, piece)
        return digest.hexdigest()[:DIGITS]

    async def _send(self, path: Path, name: str, sha256: str) -> None:
        """Goes on behind the checkpoint, where that is of this file."""
        point = Checkpoint.of(self._at.page)
        is_begun = point.is_of(sha256, self._reading.digest)
        taken_at = self._at.since if is_begun else self._clock()
        found = chunks(self._reading, Dropped(path, name, taken_at), point.end if is_begun else 0)
        events = unmade = 0
        while (chunk := await asyncio.to_thread(next, found, None)) is not None:
            if not len(chunk):
                continue
            records = await self._records.of(chunk, name)
            page = str(Checkpoint(sha256, self._reading.digest, chunk.end, name))
            await self._commit(records, self._records.cursor(taken_at, page, self._at.seen))
            count(chunk.flags, self._channel, self._source)
            for each in chunk.unmade:
                metrics.DEAD_LETTERS.labels(topic=f"{SERVICE}.{self._source}", reason=each.reason).inc()
            events, unmade = events + len(chunk.events), unmade + len(chunk.unmade)
            failpoint("drop_between_chunks")
        seen = _with(self._at.seen, sha256, self._staying.values())
        await self._commit([], self._records.cursor(taken_at, "", seen))
        failpoint("drop_before_move")
        log.info("drop_taken", source=self._source, file=name, events=events, unmade=unmade)

    @property
    def _at(self) -> CursorMoved:
        assert self._stand is not None
        return self._stand

    async def _commit(self, records: Sequence[Kept], cursor: CursorMoved) -> None:
        kept = await self._records.of_cursor(cursor)
        await asyncio.to_thread(self._ledger.commit, records, kept)
        self._stand = cursor

    async def _set_aside(
        self, spot: Spot, lying: Lying, folder: Folder, sha256: str = "", why: str = ""
    ) -> None:
        """Its mark goes first: one that was left would say that the next file of its name is whole."""
        with suppress(Gone):
            if self._form.whole == "done":
                with suppress(Gone):
                    await spot.set_aside(lying.name + DONE, folder)
            if await spot.set_aside(lying.name, folder, why):
                return
            if not self._is_staying_told:
                log.warning("drop_stays", source=self._source, why=STAYS)
            self._is_staying_told = True
            self._staying[lying] = sha256

    def _forget(self, found: Sequence[Lying]) -> None:
        there = set(found)
        self._staying = {lying: sha256 for lying, sha256 in self._staying.items() if lying in there}

    def _tell(self, passed: Mapping[str, str]) -> None:
        """Once for each name, as long as it is there."""
        for name in passed.keys() - self._told:
            log.warning("drop_passed_over", source=self._source, file=name, why=passed[name])
            self._count("passed_over")
        self._told = set(passed)

    def _count(self, outcome: str) -> None:
        metrics.DROP_FILES.labels(source=self._source, outcome=outcome).inc()
        if outcome in HEARD:
            metrics.SOURCE_HEARD.labels(self._channel, self._source).set_to_current_time()


def _cleared(folder: Path) -> None:
    """After this the folder is there, and nothing is in it that a process left behind that died."""
    with _written(folder):
        folder.mkdir(parents=True, exist_ok=True)
        for left in folder.iterdir():
            shutil.rmtree(left, ignore_errors=True)


@contextmanager
def _emptied(folder: Path) -> Iterator[Path]:
    """A folder in it for us alone, which is gone afterwards."""
    with _written(folder):
        ours = Path(tempfile.mkdtemp(dir=folder))
    try:
        yield ours
    finally:
        shutil.rmtree(ours, ignore_errors=True)


@contextmanager
def _written(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StorageFault(f"{folder} cannot be written: {error.strerror}") from None


def _keep(file: BinaryIO, digest: "hashlib._Hash", piece: bytes) -> None:
    file.write(piece)
    digest.update(piece)


def _with(seen: Sequence[str], sha256: str, staying: Collection[str]) -> list[str]:
    """What is known from now on. The oldest is forgotten that does not lie in the folder any more. Raises Declined."""
    if len(seen) < SEEN_MAX:
        return [*seen, sha256]
    there = set(staying)
    oldest = next((each for each in seen if each not in there), None)
    if oldest is None:
        raise Declined(f"{SEEN_MAX} files stay in its folder, and no more can be known: clear it")
    return [*(each for each in seen if each != oldest), sha256]
