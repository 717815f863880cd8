"""The log that lanes stand on: what the engine asks of Kafka, and nothing more.

`KafkaLog` is the real one; `streams.engine.testing` has one in memory. One conformance suite holds for both. Topics are
named without the deployment's prefix.
"""

from collections.abc import Iterable, Iterator
from enum import StrEnum
from typing import NamedTuple, Protocol

import msgspec

ANY_PARTITION = -1


class LaneLost(Exception):
    """A transaction failed or another owner took over: the lane must be opened again, or dropped."""


class Fate(StrEnum):
    """How a writer's last transaction was to end. OPEN: nobody had decided that, or there was none."""

    COMMITTED = "committed"
    ABORTED = "aborted"
    OPEN = "open"


class Outgoing(msgspec.Struct, frozen=True, gc=False):
    """A record to be written. `value` None is a tombstone; the key decides (murmur2) on ANY_PARTITION."""

    topic: str
    key: bytes
    value: bytes | None
    partition: int = ANY_PARTITION


class Page(NamedTuple):
    """Some committed records of one partition in order, and the position behind them; markers have a position too."""

    records: list[tuple[bytes, bytes | None]]
    reached: int


class Writer(Protocol):
    """A transactional producer. It is made fenced: no older writer of its name can commit any more.

    Each method raises LaneLost when a newer writer of the name was made, or when the log refuses; then what was begun
    is never seen by a committed reader, and the writer is of no more use.
    """

    left: Fate
    """How the last transaction of the writer before this one was to end."""

    def begin(self) -> None:
        """A transaction is open."""

    def send(self, record: Outgoing) -> None:
        """`record` belongs to the open transaction. Blocks while the client's queue is full."""

    def commit(self, last: Outgoing) -> int:
        """`last` and everything sent since `begin` is committed. Returns the offset behind `last`."""

    def abort(self) -> None:
        """Nothing that was sent since `begin` is ever seen by a committed reader."""


class Log(Protocol):
    """Topics of so many `partitions`, transactions, and readers that see what is committed."""

    partitions: int

    def topic_ids(self, names: Iterable[str]) -> dict[str, str]:
        """An id per topic, which a topic that is made again does not share.

        Raises ConfigFault where a topic is missing or has another partition count than the deployment.
        """

    def bounds(self, topic: str, partition: int) -> tuple[int, int]:
        """The first offset that is still there, and the position behind the last record, markers included."""

    def end(self, topic: str, partition: int) -> int:
        """The position behind all that was written. What lies between the end in `bounds` and this is not decided."""

    def read(self, topic: str, partition: int, start: int, stop: int) -> Iterator[Page]:
        """Committed records from `start` until the position `stop` is reached; empty pages while nothing comes.

        Raises DependencyAway when the log stays silent.
        """

    def writer(self, name: str) -> Writer:
        """A new writer under the transactional id `name`; the older ones are fenced.

        Raises LaneLost, or DependencyAway while the log does not answer.
        """
