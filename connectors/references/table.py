"""What sources' own ids stand for, as `connectors.references.v1` has it, kept up to date while a service runs."""

import threading
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import structlog

from connectors.sources import Installed, Sources
from schemas.codec import Decode, Undecodable
from schemas.topics import REFERENCES
from vaart.addresses import Addresses
from vaart.errors import VaartError
from vaart.reading import Reader
from vaart.settings import Settings

GROUP = "vaart.references.v1"
KNOWN_MAX = 5_000_000
"""About one gigabyte. What is learned beyond is not known here, and asked for again when it is needed."""

log = structlog.get_logger()


class References:
    """Follows the topic in a thread of its own. Ask it only after `load`."""

    def __init__(self, settings: Settings, addresses: Addresses, decode: Decode) -> None:
        self._settings = settings
        self._addresses = addresses
        self._decode = decode
        self._known: dict[str, str] = {}
        self._is_over = threading.Event()
        self._thread: threading.Thread | None = None

    def load(self) -> None:
        """After this all is known that the topic held, and what comes is taken in. Blocking. Raises DependencyAway."""
        partitions = range(self._settings.kafka.partitions)
        with Reader(self._settings, self._addresses, GROUP) as reader:
            starts = {each: reader.bounds(REFERENCES.name, each)[0] for each in partitions}
            ends = {(REFERENCES.name, each): reader.bounds(REFERENCES.name, each)[1] for each in partitions}
            self._take(reader.records(REFERENCES.name, starts))
        log.info("references_loaded", count=len(self._known))
        self._thread = threading.Thread(target=self._follow, args=(ends,), name="references", daemon=True)
        self._thread.start()

    def of(self, source: str) -> Callable[[str, str], str | None]:
        """Answers what an id (kind, id) of that source stands for; None where that is not known."""
        return lambda kind, foreign_id: self._known.get(f"{source}:{kind}:{foreign_id}")

    def told_to(self, sources: Sources) -> Sources:
        """The sources, each with its references."""
        known = {name: self._knowing(found) for name, found in sources.by_name.items()}
        keyed = {key: known[found.source.name] for key, found in sources.by_key.items()}
        return Sources(known, keyed)

    def close(self) -> None:
        """After this nothing is read any more."""
        self._is_over.set()
        if self._thread is not None:
            self._thread.join()

    def _knowing(self, found: Installed) -> Installed:
        return replace(found, source=replace(found.source, reference=self.of(found.source.name)))

    def _follow(self, starts: dict[tuple[str, int], int]) -> None:
        """While Kafka is away what is known stays known; then it goes on where it was."""
        while not self._is_over.is_set():
            try:
                with Reader(self._settings, self._addresses, GROUP) as reader:
                    for message in reader.follow(starts, self._is_over.is_set):
                        self._take([message])
                        starts[REFERENCES.name, message.partition() or 0] = (message.offset() or 0) + 1
            except VaartError as error:
                log.warning("references_away", error=str(error))
                self._is_over.wait(1.0)

    def _take(self, messages: Iterable[Any]) -> None:
        for message in messages:
            key, value = (message.key() or b"").decode(errors="replace"), message.value()
            if value is None:
                self._known.pop(key, None)
            elif key in self._known or len(self._known) < KNOWN_MAX:
                self._learn(key, value)

    def _learn(self, key: str, value: bytes) -> None:
        try:
            self._known[key] = self._decode(value).ours
        except Undecodable as error:
            log.warning("reference_unreadable", error=str(error))
