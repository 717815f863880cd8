"""Events into Kafka: encoded, published, and only then said to be kept."""

import asyncio
import threading
import time
from collections.abc import Sequence
from functools import partial

import structlog
from confluent_kafka import KafkaError, Message

from connectors.gateway.problems import Problem
from schemas.codec import Codec, Encode, Unencodable
from schemas.identifiers import SecretMissing
from schemas.meta import Event
from schemas.registry import RegistryAway, SchemaUnknown
from schemas.topics import Topic, route
from vaart import metrics
from vaart.errors import VaartError
from vaart.kafka import Publisher, RecordTooLarge

EVENT_BYTES_MAX = 256 * 1024
MESSAGE_TIMEOUT_MS = 1_500
"""Less than the wait, so that librdkafka hardly ever writes a record of which we said that it is not kept."""
WAIT_S = 2.5
RETRY_AFTER_S = 5
PRODUCER = {"message.timeout.ms": MESSAGE_TIMEOUT_MS, "linger.ms": 2}

log = structlog.get_logger()


class Keeper:
    """Writes events to their topics. `is_keeping` is False from a failed delivery to the next good one."""

    def __init__(self, publisher: Publisher, codec: Codec, secret: str) -> None:
        self._publisher = publisher
        self._codec = codec
        self._secret = secret
        self._encoders: dict[tuple[str, type], Encode] = {}
        self.is_keeping = True

    async def keep(self, events: Sequence[Event | Problem]) -> list[Event | Problem]:
        """The events that every in-sync replica has; in place of each other one the Problem that it met."""
        outcomes = list(events)
        records = [await self._record(event) for event in events]
        receipt = _Receipt()
        started = time.monotonic()
        for index, record in enumerate(records):
            refused = record if isinstance(record, Problem) else self._publish(*record, index, receipt)
            if refused is not None:
                outcomes[index] = refused
        for index, is_kept in (await receipt.complete()).items():
            if not is_kept:
                outcomes[index] = _away("it was not acknowledged in time")
        self._note(receipt, started)
        return outcomes

    async def _record(self, event: Event | Problem) -> tuple[str, str, bytes] | Problem:
        if isinstance(event, Problem):
            return event
        try:
            topic, key = route(event, self._secret)
            value = (await self._encoder(topic, type(event)))(event)
        except (Unencodable, SecretMissing) as error:
            return Problem(422, str(error))
        except (RegistryAway, SchemaUnknown) as error:
            log.warning("no_schema", error=str(error))
            return _away("its schema is not at hand")
        if len(value) > EVENT_BYTES_MAX:
            return Problem(413, f"one event may have {EVENT_BYTES_MAX} bytes at most")
        return topic.name, key, value

    async def _encoder(self, topic: Topic, struct: type) -> Encode:
        """Made once, in a thread: it asks the registry."""
        found = self._encoders.get((topic.name, struct))
        if found is None:
            found = await asyncio.to_thread(self._codec.encoder, topic, struct)
            self._encoders[topic.name, struct] = found
        return found

    def _publish(self, topic: str, key: str, value: bytes, index: int, receipt: "_Receipt") -> Problem | None:
        receipt.expect(index)
        try:
            self._publisher.publish(topic, key, value, partial(receipt.note, index))
        except VaartError as error:
            receipt.forget(index)
            if isinstance(error, RecordTooLarge):
                return Problem(413, str(error))
            log.warning("not_published", error=str(error))
            return _away("Kafka does not take it")
        return None

    def _note(self, receipt: "_Receipt", started: float) -> None:
        if not receipt.outcomes:
            return
        metrics.PUBLISH_SECONDS.observe(time.monotonic() - started)
        self.is_keeping = all(receipt.outcomes.values())
        if not self.is_keeping:
            log.error(
                "not_acknowledged", records=list(receipt.outcomes.values()).count(False), error=receipt.error
            )


class _Receipt:
    """What Kafka acknowledged of one request's records. Delivery reports come from another thread."""

    def __init__(self) -> None:
        self.outcomes: dict[int, bool] = {}
        self.error = ""
        self._open: set[int] = set()
        self._lock = threading.Lock()
        self._loop = asyncio.get_running_loop()
        self._closed: asyncio.Future[None] | None = None

    def expect(self, index: int) -> None:
        """A report on this record will come; until it does the record is not kept."""
        with self._lock:
            self._open.add(index)
            self.outcomes[index] = False

    def forget(self, index: int) -> None:
        """The record was never handed over."""
        with self._lock:
            self._open.discard(index)
            del self.outcomes[index]

    def note(self, index: int, error: KafkaError | None, _: Message) -> None:
        """The report on one record."""
        with self._lock:
            self.outcomes[index] = error is None
            self.error = error.name() if error else self.error
            self._open.discard(index)
            is_last = not self._open and self._closed is not None
        if is_last:
            self._loop.call_soon_threadsafe(self._close)

    async def complete(self) -> dict[int, bool]:
        """By record whether it is kept, after all reports or WAIT_S."""
        with self._lock:
            self._closed = self._loop.create_future()
            if not self._open:
                self._close()
        try:
            async with asyncio.timeout(WAIT_S):
                await self._closed
        except TimeoutError:
            self.error = self.error or "no report in time"
        with self._lock:
            return dict(self.outcomes)

    def _close(self) -> None:
        if self._closed is not None and not self._closed.done():
            self._closed.set_result(None)


def _away(why: str) -> Problem:
    return Problem(
        503,
        f"the event is not kept, {why}; send it again: with the same content it is the same event",
        headers={"Retry-After": str(RETRY_AFTER_S)},
    )
