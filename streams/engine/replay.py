"""What only a replay needs: events that wait for their turn, and the clock that is passed on from view to view."""

from collections.abc import Iterable, Iterator

import msgspec

from schemas.events.clock import ClockAdvanced
from schemas.topic import Topic
from streams.engine import position
from streams.engine.letters import Arrived
from streams.engine.log import Outgoing
from streams.engine.surroundings import Surroundings
from streams.view import View


class Held(msgspec.Struct, gc=False, array_like=True):
    """An event that waits in the state until the clock passes its time."""

    topic: str
    key: bytes
    value: bytes


def held_value(topic: str, record: Arrived) -> bytes:
    """The event as it is kept."""
    return msgspec.msgpack.encode(Held(topic, record.key or b"", record.value or b""))


held_of = msgspec.msgpack.Decoder(Held).decode


def passed_on(around: Surroundings, advanced: ClockAdvanced) -> Iterator[Outgoing]:
    """The clock, for every partition of every topic that the view writes."""
    key = f"clock:{advanced.writer}:{advanced.lane}".encode()
    for topic in around.view.outputs:
        value = around.encoders(topic, ClockAdvanced)(advanced)
        for partition in range(around.partitions):
            yield Outgoing(topic.name, key, value, partition)


def writers_of(sources: Iterable[Topic], views: Iterable[View], partitions: int) -> dict[str, dict[str, int]]:
    """Per source, who moves its clock: the views that publish to it, and the replay where channels do."""
    found: dict[str, dict[str, int]] = {}
    for topic in sources:
        found[topic.name] = {view.name: partitions for view in views if topic in view.outputs}
        if topic.is_input:
            found[topic.name][position.REPLAY] = 1
    return found
