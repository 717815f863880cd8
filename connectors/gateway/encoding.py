"""Events as records: their topic, their key, and their bytes."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from connectors.gateway.spool import Kept
from connectors.protocol.channel import Reject
from connectors.protocol.documents import written
from schemas.codec import Codec, Encode, Unencodable
from schemas.identifiers import SecretMissing
from schemas.meta import Entry, Event
from schemas.topic import Topic
from schemas.topics import RAW, route

EVENT_BYTES_MAX = 256 * 1024
INVALID = "invalid"
"""Why an event is rejected that its channel made and its schema does not take."""
ASKING_MAX = 8
"""Threads that ask the registry. They are nobody else's: while it hangs, the spool goes on."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Misfit:
    """An event that cannot be a record, and why; `is_too_large` for one that is only too long."""

    detail: str
    is_too_large: bool = False


class Encoding:
    """Makes records. Raises RegistryAway or SchemaUnknown where a schema is not at hand when a type comes first."""

    def __init__(self, codec: Codec, secret: str) -> None:
        self._codec = codec
        self._secret = secret
        self._encoders: dict[tuple[str, type], Encode] = {}
        self._asked: dict[tuple[str, type], asyncio.Task[Encode]] = {}
        self._threads = ThreadPoolExecutor(ASKING_MAX, "registry")

    async def records(self, events: Sequence[Event]) -> list[Kept | Misfit]:
        """For each event its record, or why it cannot be one."""
        return [await self._record(event) for event in events]

    async def fitted(self, events: Sequence[Event]) -> tuple[list[Kept], list[Reject]]:
        """The records of the events, and a reject for each that cannot be one."""
        kept, rejects = [], []
        for event, record in zip(events, await self.records(events), strict=True):
            if isinstance(record, Kept):
                kept.append(record)
            else:
                detail = f"{type(event).__name__}: {record.detail}"
                rejects.append(Reject(INVALID, detail, written(repr(event))))
        return kept, rejects

    async def entry(self, topic: Topic, key: str, entry: Entry) -> Kept:
        """The record of what is no event: a dead letter."""
        return Kept(topic.name, key, (await self._encoder(topic, type(entry)))(entry))

    async def _record(self, event: Event) -> Kept | Misfit:
        try:
            topic, key = route(event, self._secret)
            value = (await self._encoder(topic, type(event)))(event)
        except (Unencodable, SecretMissing) as error:
            return Misfit(str(error))
        if len(value) > EVENT_BYTES_MAX and topic is not RAW:
            return Misfit(f"one event may have {EVENT_BYTES_MAX} bytes at most", is_too_large=True)
        return Kept(topic.name, key, value)

    async def asked(self, ask: Callable[[], T]) -> T:
        """What `ask` returns, or raises, which may ask the registry."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, ask)

    async def _encoder(self, topic: Topic, struct: type) -> Encode:
        """Made once, however many wait for it."""
        name = (topic.name, struct)
        if name not in self._encoders:
            if name not in self._asked:
                make = partial(self._codec.encoder, topic, struct)
                self._asked[name] = asyncio.create_task(self.asked(make))
            try:
                self._encoders[name] = await asyncio.shield(self._asked[name])
            finally:
                self._asked.pop(name, None)
        return self._encoders[name]
