"""Proof that an engine's run was exact: what a committed reader sees is a plain fold of what was sent, in some order.

A traced view says what it folds, in its order. The reference folds the same, in one thread and without Kafka; each
event must come once, each alarm in its place, and states, events out and last snapshots must be equal to the byte.
"""

import time
from collections import Counter
from collections.abc import Iterator
from typing import Any

from schemas.meta import Snapshot
from schemas.topic import Topic
from schemas.topics import DEAD_LETTERS
from streams.engine.kafka_log import KafkaLog
from streams.engine.stores import MemoryStore
from streams.engine.testing.coding import Plain
from streams.engine.testing.driver import seen
from streams.engine.testing.reference import Reference, same
from streams.engine.testing.sample import Sent
from streams.engine.testing.tracing import TRACE
from streams.view import View

PARTITIONS = 4
CODING = Plain()
ALARM_US_MAX = 3_000_000
"""An alarm is called silent when it is due for this long."""


class Reading:
    """What a committed reader sees of a topic, each record once."""

    def __init__(self, log: KafkaLog, topic: Topic) -> None:
        self._log = log
        self._topic = topic.name
        self._reached = [0] * PARTITIONS

    def fresh(self) -> Iterator[tuple[str, bytes | None]]:
        """Keys and values that came since the last time, partition after partition."""
        for partition, reached in enumerate(self._reached):
            _, high = self._log.bounds(self._topic, partition)
            for page in self._log.read(self._topic, partition, reached, high):
                self._reached[partition] = page.reached
                yield from ((key.decode(), value) for key, value in page.records)


def encoded(sent: Sent) -> bytes:
    """The record's value."""
    return (
        sent.event
        if isinstance(sent.event, bytes)
        else CODING.encoder(sent.topic, type(sent.event))(sent.event)
    )


class Proof:
    """Hears of every event that is sent, and follows what a committed reader sees of the traced `view`."""

    def __init__(self, view: View, log: KafkaLog) -> None:
        self._view, self._log = view, log
        self._sent: dict[str, Sent] = {}
        self._refused: Counter[bytes] = Counter()
        self._folded: set[str] = set()
        self._letters: Counter[bytes] = Counter()
        self._alarms = 0
        self._trace, self._letter_topic = Reading(log, TRACE), Reading(log, DEAD_LETTERS)
        self._reference = Reference(view, lambda topic, record: CODING.encoder(topic, type(record))(record))

    def expect(self, sent: Sent) -> bytes:
        """The bytes to send. From now on they are to be folded once, or to be put aside once."""
        if isinstance(sent.event, bytes):
            self._refused[sent.event] += 1
            return sent.event
        value = encoded(sent)
        if sent.event.units == 666:
            self._refused[value] += 1
        else:
            self._sent[sent.event.meta.event_id] = sent
        return value

    def unsettled(self) -> int:
        """How many are neither folded nor put aside. Raises AssertionError where one was folded twice."""
        self._follow()
        return len(self._sent) - len(self._folded) + self._refused.total() - self._letters.total()

    def silent_alarms(self) -> int:
        """How many alarms are due by the wall clock and did not go off."""
        self._follow()
        due = time.time_ns() // 1_000 - ALARM_US_MAX
        return sum(at <= due for at in self._reference.wake_at.values())

    def hold(self) -> str:
        """After the workers have stopped: all that was said and kept is what the reference has. Says how much."""
        assert self.unsettled() == 0
        assert self._letters == self._refused
        events, snapshots = self._outputs()
        assert events == self._reference.events
        assert snapshots == self._reference.snapshots
        self._hold_changelog()
        return (
            f"{len(self._sent) + self._refused.total():,} events of {len(self._reference.keys):,} keys, "
            f"{events.total():,} passed on, {self._alarms:,} alarms, {self._letters.total()} dead letters: "
            "0 lost, 0 doubled, states and last snapshots equal"
        )

    def _follow(self) -> None:
        decode, decode_letter = CODING.decoder(TRACE), CODING.decoder(DEAD_LETTERS)
        for key, value in self._trace.fresh():
            told = decode(value or b"")
            if told.event_id:
                self._fold(key, told.event_id)
            else:
                self._alarms += 1
                self._reference.ring(key, told.at)
        self._letters.update(decode_letter(value or b"").value for _, value in self._letter_topic.fresh())

    def _fold(self, key: str, event_id: str) -> None:
        assert event_id not in self._folded, f"{event_id} was folded twice"
        self._folded.add(event_id)
        assert event_id in self._sent, f"{event_id} was folded, and nobody had sent it for good"
        sent = self._sent[event_id]
        assert sent.key == key
        self._reference.fold(key, sent.event)

    def _outputs(self) -> tuple[Counter[tuple[str, str, bytes | None]], dict[tuple[str, str], bytes]]:
        events: Counter[tuple[str, str, bytes | None]] = Counter()
        snapshots: dict[tuple[str, str], bytes] = {}
        seqs: dict[tuple[str, str], int] = {}
        for topic in self._view.outputs:
            decode = CODING.decoder(topic)
            for key, value in Reading(self._log, topic).fresh():
                record: Any = decode(value) if value else None
                place = (topic.name, key)
                if isinstance(record, Snapshot):
                    assert record.seq > seqs.get(place, -1), "a sequence number did not grow"
                    seqs[place], record.seq = record.seq, 0
                    snapshots[place] = CODING.encoder(topic, type(record))(record)
                else:
                    events[(*place, value)] += 1
        return events, snapshots

    def _hold_changelog(self) -> None:
        store = MemoryStore()
        for partition in range(PARTITIONS):
            low, high = self._log.bounds(self._view.changelog, partition)
            for page in self._log.read(self._view.changelog, partition, low, high):
                store.lane(partition).write(dict(page.records))
        for key in self._reference.keys:
            found = [seen(self._view, store.lane(number), key.encode()) for number in range(PARTITIONS)]
            kept = [each for each in found if each.head is not None]
            assert len(kept) <= 1, f"{key} is in two lanes"
            assert same(kept[0] if kept else found[0], self._reference.seen(key)), key
