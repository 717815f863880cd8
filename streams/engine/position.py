"""Where a lane stands: next offsets, commit number, and how far its clock has been moved.

One record a lane, in the changelog and the store, rewritten by every commit.
"""

from collections.abc import Mapping

import msgspec

REPLAY = "replay"
"""The writer name of whoever replays history into the inputs."""

Writers = Mapping[str, Mapping[str, int]]
"""Per source topic, who writes ClockAdvanced into it, and in how many lanes."""


class SourcePosition(msgspec.Struct, gc=False, array_like=True):
    """The next offset to read from this lane's partition of one topic; `topic_id` tells a recreated topic."""

    topic_id: str
    next_offset: int
    advanced: dict[str, dict[int, int]] = {}
    """Per writer and its lane, the moment up to which it has written everything."""


class Position(msgspec.Struct, gc=False, array_like=True):
    """A lane's whole position. `clock` is the moment up to which silent keys have been woken."""

    partitions: int
    commits: int = 0
    clock: int = 0
    sources: dict[str, SourcePosition] = {}

    def advance(self, topic: str, writer: str, lane: int, until: int) -> None:
        """After this the writer's lane is known to have written `topic` up to `until`; never less than before."""
        lanes = self.sources[topic].advanced.setdefault(writer, {})
        lanes[lane] = max(until, lanes.get(lane, 0))

    def reached(self, writers: Writers) -> int:
        """The moment that every lane of every writer of every source has passed; 0 while one has not spoken."""
        moments = (
            self.sources[topic].advanced.get(writer, {}).get(lane, 0)
            for topic, expected in writers.items()
            for writer, lanes in expected.items()
            for lane in range(lanes)
        )
        return min(moments, default=0)


encode = msgspec.msgpack.Encoder().encode
decode = msgspec.msgpack.Decoder(Position).decode
