"""Records into Kafka or, while it does not take them, onto the disk: after `keep` each is in one of the two.

In the order in which they were handed over. Once Kafka has failed one, all that follow go to the spool behind it, and
directly to Kafka again only when the spool is empty. librdkafka's gapless guarantee sees to it that nothing overtakes
what failed: its producer is dead then, and a new one takes over. A record may be written twice; none is lost.
"""

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import structlog
from confluent_kafka import KafkaError, Message

from connectors.gateway.spool import Kept, Spool, adopted
from vaart import metrics
from vaart.errors import StorageFault, VaartError
from vaart.failpoint import failpoint
from vaart.kafka import Publisher

MESSAGE_TIMEOUT_MS = 1_500
"""Short, since a sender waits: what Kafka has not taken by then goes to the disk."""
PRODUCER = {
    "message.timeout.ms": MESSAGE_TIMEOUT_MS,
    "linger.ms": 5,
    "enable.gapless.guarantee": True,
    "message.max.bytes": 9 * 1024 * 1024,
}
DRAIN_RECORDS = 500
RETRY_S = 1.0
SHED_AT = 0.8
"""From here on the spool is for senders who never try again."""

log = structlog.get_logger()


class SpoolFull(Exception):
    """Neither Kafka nor the disk has room. Nothing is kept."""


class Delivery:
    """Keeps records. `connect` makes a Publisher with PRODUCER; `fail` ends the process with what it is given."""

    def __init__(
        self,
        connect: Callable[[], Publisher],
        folder: Path,
        bytes_max: int,
        fail: Callable[[BaseException], None],
    ) -> None:
        self._connect = connect
        self._publisher = connect()
        self._spool = Spool(folder)
        self._adopt(folder.parent)
        self._bytes_max = bytes_max
        self._fail = fail
        self._open: deque[_Attempt] = deque()
        self._waiting: deque[tuple[Sequence[Kept], asyncio.Future[None]]] = deque()
        self._arrived = asyncio.Event()
        self._spooling: asyncio.Task[None] | None = None
        self._draining: asyncio.Task[None]
        self._passing: set[asyncio.Task[None]] = set()
        if not self._spool.is_empty:
            self._turn_to_spool()

    @property
    def is_direct(self) -> bool:
        """Whether Kafka has all that was kept."""
        return self._spooling is None

    @property
    def sheds(self) -> bool:
        """Whether senders who try again are to be asked to."""
        return self._spool.bytes_kept >= SHED_AT * self._bytes_max

    async def keep(self, records: Sequence[Kept]) -> None:
        """After this every record is acknowledged by Kafka or lies on the disk. Raises SpoolFull."""
        if not records:
            return
        if self.is_direct:
            await self._kept(self._begun(records))
            return
        if self._spool.bytes_kept >= self._bytes_max:
            raise SpoolFull
        kept = asyncio.get_running_loop().create_future()
        self._waiting.append((records, kept))
        self._arrived.set()
        await kept

    def _begun(self, records: Sequence[Kept]) -> "_Attempt":
        attempt = self._attempted(records)
        self._open.append(attempt)
        return attempt

    async def _kept(self, attempt: "_Attempt") -> None:
        started = time.monotonic()
        if await attempt.complete():
            self._settle()
            metrics.PUBLISH_SECONDS.observe(time.monotonic() - started)
            return
        self._turn_to_spool()
        await attempt.kept

    async def close(self) -> None:
        """After this nothing is on its way; what Kafka has not got lies on the disk."""
        await asyncio.gather(*(attempt.complete() for attempt in self._open))
        if self._spooling is not None:
            self._spooling.cancel()
            await asyncio.gather(self._spooling, return_exceptions=True)
        await asyncio.to_thread(self._publisher.abandon)
        self._spool.close()

    def _adopt(self, root: Path) -> None:
        """After this what gateways left behind that are gone lies in our own spool."""
        for orphan in adopted(root):
            log.info("spool_adopted", bytes=orphan.bytes_kept)
            while not orphan.is_empty:
                records, place = orphan.read(DRAIN_RECORDS)
                self._spool.append(records)
                orphan.drained(place)
            orphan.close()

    def _attempted(self, records: Sequence[Kept]) -> "_Attempt":
        """What Kafka's queue does not even take has failed, and so has all behind it."""
        attempt = _Attempt(records)
        for index, record in enumerate(records):
            try:
                self._publisher.publish(record.topic, record.key, record.value, partial(attempt.note, index))
            except VaartError as error:
                attempt.stop_at(index, str(error))
                break
        return attempt

    def _settle(self) -> None:
        """Forgets the oldest attempts that are well over."""
        while self._open and self._open[0].is_good:
            self._open.popleft()

    def _turn_to_spool(self) -> None:
        if self._spooling is None:
            self._spooling = asyncio.create_task(self._spool_and_drain())
            metrics.SPOOLING.set(1)

    async def _spool_and_drain(self) -> None:
        try:
            await self._spool_failed()
            self._draining = asyncio.create_task(self._drain())
            try:
                await self._spool_new()
            finally:
                self._draining.cancel()
                await asyncio.gather(self._draining, return_exceptions=True)
            self._spool.emptied()
        except StorageFault as fault:
            self._fail(fault)
            return
        log.info("spool_drained")
        metrics.SPOOLING.set(0)
        metrics.SPOOL_BYTES.set(self._spool.bytes_kept)
        self._go_direct()

    def _go_direct(self) -> None:
        """What waits goes to Kafka first, in its order: under load something always waits."""
        self._spooling = None
        waiting = [(self._begun(records), kept) for records, kept in self._waiting]
        self._waiting.clear()
        for attempt, kept in waiting:
            task = asyncio.create_task(self._told(attempt, kept))
            self._passing.add(task)
            task.add_done_callback(self._passing.discard)

    async def _told(self, attempt: "_Attempt", kept: asyncio.Future[None]) -> None:
        await self._kept(attempt)
        kept.set_result(None)

    async def _spool_failed(self) -> None:
        """After this what Kafka failed lies on the disk, in its order, and a new producer is there."""
        await asyncio.to_thread(self._publisher.abandon)  # every report is in then
        attempts = list(self._open)
        self._open.clear()
        failed = [record for attempt in attempts for record in attempt.failed]
        if failed:
            error = next((attempt.error for attempt in attempts if attempt.error), "")
            log.warning("spooling", records=len(failed), error=error)
            await asyncio.to_thread(self._append, failed)
        for attempt in attempts:
            attempt.kept.set_result(None)
        self._publisher = self._connect()

    async def _spool_new(self) -> None:
        """Appends what arrives, all that waits by one write, until the spool is empty."""
        while not self._spool.is_empty:
            if not self._waiting:
                self._arrived.clear()
                arriving = asyncio.create_task(self._arrived.wait())
                await asyncio.wait([arriving, self._draining], return_when=asyncio.FIRST_COMPLETED)
                arriving.cancel()
                if self._draining.done():
                    await self._draining
                    self._draining = asyncio.create_task(self._drain())
                continue
            taken = list(self._waiting)
            self._waiting.clear()
            await asyncio.to_thread(self._append, [record for records, _ in taken for record in records])
            for _, kept in taken:
                kept.set_result(None)

    def _append(self, records: Sequence[Kept]) -> None:
        failpoint("before_spool")
        self._spool.append(records)
        failpoint("after_spool")
        metrics.SPOOL_BYTES.set(self._spool.bytes_kept)

    async def _drain(self) -> None:
        """Sends what lies on the disk, in its order, until there is nothing."""
        while not self._spool.is_empty:
            records, place = await asyncio.to_thread(self._spool.read, DRAIN_RECORDS)
            attempt = self._attempted(records)
            if await attempt.complete():
                self._spool.drained(place)
                metrics.SPOOL_BYTES.set(self._spool.bytes_kept)
            else:
                await asyncio.to_thread(self._publisher.abandon)
                self._publisher = self._connect()
                await asyncio.sleep(RETRY_S)


class _Attempt:
    """Records handed to Kafka together. Reports come from another thread."""

    def __init__(self, records: Sequence[Kept]) -> None:
        self.records = records
        self.error = ""
        self.kept: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._loop = asyncio.get_running_loop()
        self._over = self._loop.create_future()
        self._is_kept = [False] * len(records)
        self._open = len(records)
        self._lock = threading.Lock()

    @property
    def is_good(self) -> bool:
        """Whether Kafka has all of them."""
        return all(self._is_kept)

    @property
    def failed(self) -> list[Kept]:
        """What Kafka does not have, as far as is known."""
        return [record for record, is_kept in zip(self.records, self._is_kept, strict=True) if not is_kept]

    def note(self, index: int, error: KafkaError | None, _: Message) -> None:
        """The report on one record."""
        with self._lock:
            self._is_kept[index] = error is None
            self.error = self.error or (error.name() if error else "")
            self._open -= 1
            if self._open == 0 or error is not None:
                self._loop.call_soon_threadsafe(self._end)

    def stop_at(self, index: int, error: str) -> None:
        """No report will come on the records from `index` on."""
        with self._lock:
            self.error = self.error or error
            self._open -= len(self.records) - index
        self._end()

    async def complete(self) -> bool:
        """Whether Kafka has all of them; as soon as that is known."""
        await self._over
        return self.is_good

    def _end(self) -> None:
        if not self._over.done():
            self._over.set_result(None)
