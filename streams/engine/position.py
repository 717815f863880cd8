"""Where a lane stands: next offsets, commit number, how far its clock has been moved, whether it may go on.

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


class Muted(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """The lane follows an older version of its view and says nothing, until it has come where that one was stopped.

    `until` is where: next offsets per source topic; None as long as nobody has switched. `woken` is the older version's
    at that place.
    """

    version: int
    until: dict[str, int] | None = None
    woken: int = 0


class Retired(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """The lane folds nothing more: version `by` of its view goes on from here, since `at`."""

    by: int
    at: int


class Stopped(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """The lane folds nothing more until an operator says so: too many dead letters, by a word of engine.limit."""

    at: int
    word: str


class Position(msgspec.Struct, gc=False, array_like=True):
    """A lane's whole position.

    `clock` is the moment that a replay has reached. Live, every alarm up to `woken` has gone off. The owner's last
    commit was `at` that time, by a view of that `epoch`; both are 0 where they are not known. The topic of settled
    letters was read up to `settled`. A lane that followed another version `is_heir`: it takes that one's letters too.
    """

    partitions: int
    commits: int = 0
    clock: int = 0
    sources: dict[str, SourcePosition] = {}
    at: int = 0
    epoch: int = 0
    woken: int = 0
    muted: Muted | None = None
    retired: Retired | None = None
    stopped: Stopped | None = None
    settled: SourcePosition | None = None
    is_heir: bool = False

    @property
    def next_offsets(self) -> dict[str, int]:
        """Per source topic, the offset to go on from."""
        return {topic: source.next_offset for topic, source in self.sources.items()}

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
