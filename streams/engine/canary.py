"""Canaries: a record that lies where its key does not belong shows that keys have moved.

A key whose records lie in two partitions would have two states, each of them wrong. Looked at are the first records of
a source after its lane was opened, then the first of each slice: keys that moved show at once; a single record that
somebody put astray may not.
"""

from collections.abc import Iterable
from itertools import islice
from typing import Any

from schemas.events.clock import ClockAdvanced
from schemas.events.dead_letters import DeadLettered
from streams.engine.letters import Arrived
from streams.engine.lookup import lane_of
from streams.engine.surroundings import Surroundings
from vaart.errors import ConfigFault

FIRST = 16
"""With four partitions every fourth key is right by chance."""


class Canary:
    """Looks at the records of lane `number`."""

    def __init__(self, around: Surroundings, number: int) -> None:
        self._around = around
        self._number = number
        self._left = {topic.name: FIRST for topic in around.view.sources}

    def look(self, topic: str, found: Iterable[tuple[Arrived, Any]]) -> None:
        """Raises ConfigFault where one that is looked at lies in a wrong partition.

        The clock stands in every partition; a record that cannot be read says nothing of the others.
        """
        told = (record for record, event in found if type(event) not in (ClockAdvanced, DeadLettered))
        count = 0
        for count, record in enumerate(islice(told, max(1, self._left[topic])), 1):  # noqa: B007
            home = lane_of(record.key or b"", self._around.partitions)
            if home != self._number:
                raise ConfigFault(self._words(topic, record.offset, home))
        self._left[topic] -= count

    def _words(self, topic: str, offset: int, home: int) -> str:
        view, number = self._around.view.name, self._number
        return (
            f"{self._around.prefix + topic}[{number}] holds at offset {offset} a record whose key belongs to partition "
            f"{home}: its state would be kept twice, and wrong. Every producer must place keys by murmur2 (librdkafka: "
            "partitioner=murmur2_random), and a topic keeps its partition count for life. Mend the producer, send its "
            f"records again, and pass these by: `vaart offsets reset {view} --lane {number} --to offset:N`"
        )
