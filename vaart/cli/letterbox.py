"""The dead letters of a deployment, and what was decided on each, as they stand in Kafka."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from schemas.codec import Codec, Undecodable
from schemas.events.dead_letters import DeadLettered, LetterReplayed, LetterSkipped
from schemas.topic import DAY_MS, Topic
from schemas.topics import DEAD_LETTERS, SETTLED_LETTERS
from vaart.errors import UsageFault
from vaart.reading import Reader

LIFE_MS = (DEAD_LETTERS.retention_days - 1) * DAY_MS
"""An older letter may go at any moment, and then what was decided on it: it is not settled any more."""

LetterId = tuple[int, int]
"""Partition and offset among the dead letters."""


@dataclass(frozen=True, slots=True)
class Filed:
    """A letter where it lies: its id, when it was written, what it says, and its bytes."""

    id: LetterId
    at_ms: int
    letter: DeadLettered
    raw: bytes


def text_of(letter_id: LetterId) -> str:
    """The id as commands show and take it, such as `3-1204`."""
    return "{}-{}".format(*letter_id)


def id_of(text: str) -> LetterId:
    """The id that `text_of` wrote. Raises UsageFault."""
    partition, dash, offset = text.partition("-")
    if not (dash and partition.isdecimal() and offset.isdecimal()):
        raise UsageFault(f"{text!r} is no letter's id: `vaart dlq list` shows them, such as 3-1204")
    return int(partition), int(offset)


class Letterbox:
    """Reads letters and decisions. Each method raises DependencyAway or ConfigFault where Kafka does not give them."""

    def __init__(self, reader: Reader, codec: Codec, partitions: int) -> None:
        self._reader = reader
        self._partitions = range(partitions)
        self._decoders = {topic: codec.decoder(topic) for topic in (DEAD_LETTERS, SETTLED_LETTERS)}
        self.unreadable = 0
        """How many records were passed over because they are no letters or decisions."""

    def letters(self, since_ms: int = 0) -> Iterator[Filed]:
        """Every letter that was written since then, in the order of each partition."""
        starts = self._reader.at(DEAD_LETTERS.name, self._partitions, since_ms)
        yield from self._filed(starts)

    def letter(self, letter_id: LetterId) -> Filed:
        """The letter of this id. Raises UsageFault where there is none, or none any more."""
        partition, offset = letter_id
        if partition in self._partitions:
            low, high = self._reader.bounds(DEAD_LETTERS.name, partition)
            found = next(self._filed({partition: offset}), None) if low <= offset < high else None
            if found is not None and found.id == letter_id:
                return found
        raise UsageFault(
            f"there is no dead letter {text_of(letter_id)}: `vaart dlq list` shows those there are"
        )

    def decisions(self) -> dict[LetterId, str]:
        """`replayed` or `skipped`, by letter. What is not in it is open."""
        found = {}
        starts = self._reader.at(SETTLED_LETTERS.name, self._partitions, 0)
        for settled, _ in self._decoded(SETTLED_LETTERS, starts):
            if isinstance(settled, LetterReplayed | LetterSkipped):
                word = "replayed" if isinstance(settled, LetterReplayed) else "skipped"
                found[settled.letter_partition, settled.letter_offset] = word
        return found

    def older(self, before_ms: int) -> dict[int, tuple[int, int]]:
        """Per partition, the first offset that is there and the first that was written at that time or later."""
        stops = self._reader.at(DEAD_LETTERS.name, self._partitions, before_ms)
        return {
            partition: (self._reader.bounds(DEAD_LETTERS.name, partition)[0], stop)
            for partition, stop in stops.items()
        }

    def _filed(self, starts: dict[int, int]) -> Iterator[Filed]:
        for letter, message in self._decoded(DEAD_LETTERS, starts):
            if isinstance(letter, DeadLettered):
                where = (message.partition(), message.offset())
                yield Filed(where, message.timestamp()[1], letter, message.value())

    def _decoded(self, topic: Topic, starts: dict[int, int]) -> Iterator[tuple[Any, Any]]:
        for message in self._reader.records(topic.name, starts):
            try:
                yield self._decoders[topic](message.value()), message
            except Undecodable:
                self.unreadable += 1
