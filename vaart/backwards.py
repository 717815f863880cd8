"""A topic read from its end: round by round, what is newest first, until somebody has seen enough."""

import time
from collections.abc import Iterator, Mapping

from confluent_kafka import Message

from vaart.reading import Reader

CHUNK, CHUNK_MAX = 250, 4_000
"""Offsets of a partition that the first round reads; each round reads twice as many."""


class Backwards:
    """`floors` are the first offsets to read, by partition; what came in after it was made is not read.

    `horizon_ms` is a time before which all that is still to be read was written; None once nothing is.
    """

    def __init__(self, reader: Reader, topic: str, floors: Mapping[int, int]) -> None:
        self._reader = reader
        self._topic = topic
        self._floors = floors
        self._heads = {partition: reader.bounds(topic, partition)[1] for partition in floors}
        self._oldest = dict.fromkeys(floors, time.time_ns() // 1_000_000)
        self._chunk = CHUNK

    @property
    def _open(self) -> list[int]:
        return [partition for partition, floor in self._floors.items() if floor < self._heads[partition]]

    @property
    def horizon_ms(self) -> int | None:
        """Milliseconds since 1970."""
        return max((self._oldest[partition] for partition in self._open), default=None)

    def round(self) -> Iterator[Message]:
        """The next older records of every partition, in no order between them. Take all of them."""
        ends = {partition: self._heads[partition] for partition in self._open}
        starts = {
            partition: max(self._floors[partition], end - self._chunk) for partition, end in ends.items()
        }
        for message in self._reader.records(self._topic, starts, ends):
            self._note(message)
            yield message
        self._heads.update(starts)
        self._chunk = min(CHUNK_MAX, 2 * self._chunk)

    def _note(self, message: Message) -> None:
        partition = message.partition() or 0
        self._oldest[partition] = min(message.timestamp()[1], self._oldest[partition])
