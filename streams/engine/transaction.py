"""A lane's Kafka transactions: one producer under a fixed transactional id, which fences every older owner."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Lock
from typing import Any

from confluent_kafka import KafkaException, Producer

from streams.engine import records
from streams.engine.surroundings import LaneLost, Surroundings

COMMIT_TIMEOUT_S = 30.0
QUEUE_FULL_S = 0.1
ANY_PARTITION = -1
SETTINGS = {"transaction.timeout.ms": 30_000, "message.timeout.ms": 25_000, "linger.ms": 1}
"""A dead owner delays readers until the next one comes, or until the broker ends its transaction."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A record for a topic, named without the prefix. `value` None is a tombstone; the key decides on ANY_PARTITION."""

    topic: str
    key: bytes
    value: bytes | None
    partition: int = ANY_PARTITION


class Transactions:
    """After it is made, older owners of this lane can commit nothing more. Raises LaneLost."""

    def __init__(self, around: Surroundings, lane: int) -> None:
        self._around = around
        self._lane = lane
        name = f"{around.prefix}{around.view.group}-{lane}"
        self._producer = Producer({**around.producer_config, **SETTINGS, "transactional.id": name})
        try:
            self._producer.init_transactions(COMMIT_TIMEOUT_S)
        except KafkaException as error:
            raise LaneLost(error.args[0].name()) from error

    def commit(
        self, outgoing: Iterable[Outgoing], kept: Mapping[bytes, bytes | None], position: bytes
    ) -> int:
        """After this all of it is committed: what goes out, the changelog, the lane's position. Or none of it is.

        Returns the changelog's offset behind the position. Raises LaneLost; then the lane must be opened again.
        """
        ends: list[int] = []

        def note_end(error: Any, message: Any) -> None:
            ends.append(message.offset() if error is None else -1)

        try:
            self._producer.begin_transaction()
            for record in outgoing:
                self._send(record.topic, record.key, record.value, record.partition)
            changelog = self._around.view.changelog
            for key, value in kept.items():
                self._send(changelog, key, value, self._lane)
            self._send(changelog, records.POSITION, position, self._lane, note_end)
            with _out_of(self._around.turn):
                self._producer.commit_transaction(COMMIT_TIMEOUT_S)
        except KafkaException as error:
            raise LaneLost(error.args[0].name()) from error
        return ends[-1] + 1

    def _send(self, topic: str, key: bytes, value: bytes | None, partition: int, note: Any = None) -> None:
        """Hands a record to the client; while its queue is full, waits for the broker."""
        name = self._around.prefix + topic
        while not _is_taken(self._producer, name, key, value, partition, note):
            self._producer.poll(QUEUE_FULL_S)


def _is_taken(
    producer: Producer, topic: str, key: bytes, value: bytes | None, partition: int, note: Any
) -> bool:
    try:
        if note is None:
            producer.produce(topic, value, key, partition)
        else:
            producer.produce(topic, value, key, partition, on_delivery=note)
    except BufferError:
        return False
    return True


@contextmanager
def _out_of(turn: Lock) -> Iterator[None]:
    """Another lane computes while this one waits."""
    turn.release()
    try:
        yield
    finally:
        turn.acquire()
