"""A view version that follows an older one in silence: how far it may fold, what it keeps, what it says all the same.

It keeps the last snapshot (or tombstone) of each topic and key, and publishes them when it is switched on. Events it
never says: the older version has said them, or says them until it is stopped. A dead letter of a record that no
version can read is the older one's to write; one that this version's fold refused is news, and is written.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime

import msgspec

from schemas.events.dead_letters import DeadLettered
from streams.engine import records
from streams.engine.log import Outgoing
from streams.engine.position import Muted, Position
from streams.engine.queues import Queue
from streams.view import View
from vaart.errors import ConfigFault

UNREADABLE = "decode"
"""The stage of a dead letter that is the same whichever version reads the record."""


class Place(msgspec.Struct, frozen=True, gc=False):
    """Where a version of the lane stood at some commit: next offsets per source, and what it had woken."""

    offsets: Mapping[str, int]
    woken: int = 0

    def is_reached(self, offsets: Mapping[str, int]) -> bool:
        """Whether a lane with these next offsets has folded all that was folded here; other sources do not count."""
        return all(offsets[topic] >= offset for topic, offset in self.offsets.items() if topic in offsets)


class _Kept(msgspec.Struct, gc=False, array_like=True):
    partition: int
    value: bytes | None


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(_Kept).decode


def require_current(view: View, position: Position) -> None:
    """Raises ConfigFault where another version of the view has taken the lane's place."""
    if position.retired is not None:
        by = position.retired.by
        day = datetime.fromtimestamp(position.retired.at / 1e6, UTC).date()
        raise ConfigFault(
            f"version {view.version} of {view.name} was retired on {day} by version {by}, which goes on in its place: "
            f"stop this worker, and run version {by}"
        )
    if position.epoch > view.epoch:
        raise ConfigFault(
            f"{view.group} has stamped snapshots with epoch {position.epoch}, this program has {view.epoch}: they "
            "would be taken for older ones. Run the newer program, or give the view a greater epoch"
        )


def place_of(position: Position) -> Place:
    """Where a lane stands."""
    return Place(position.next_offsets, position.woken)


def switched(muted: Muted) -> Place | None:
    """Where the lane is to speak; None as long as nobody has switched."""
    return None if muted.until is None else Place(muted.until, muted.woken)


def kept(snapshots: Iterable[Outgoing]) -> dict[bytes, bytes]:
    """Snapshots as they are kept in the state; a newer one of a topic and key takes the place of the older."""
    return {
        records.kept_key(each.topic, each.key): _encode(_Kept(each.partition, each.value))
        for each in snapshots
    }


def kept_of(key: bytes, value: bytes) -> Outgoing:
    """The snapshot that `kept` put there."""
    found = _decode(value)
    return Outgoing(*records.topic_and_key_of_kept(key), found.value, found.partition)


def said_all_the_same(letters: Iterable[DeadLettered], place: Place) -> list[DeadLettered]:
    """The letters that a muted lane writes: the followed version cannot have written them."""
    return [
        letter for letter in letters if letter.stage != UNREADABLE or letter.source_topic not in place.offsets
    ]


def open_queues(
    queues: Mapping[str, Queue], next_offsets: Mapping[str, int], place: Place | None
) -> dict[str, Queue]:
    """The queues that may still give something. One that has come to the place holds up none of the others."""
    if place is None:
        return dict(queues)
    return {
        source: queue
        for source, queue in queues.items()
        if source not in place.offsets
        or max(next_offsets[source], queue.first_offset or 0) < place.offsets[source]
    }


def steps(
    queues: Mapping[str, Queue], next_offsets: Mapping[str, int], reached: Mapping[str, int], place: Place
) -> Iterator[tuple[str, tuple[int, int]]]:
    """Sources that stand short of the place with nothing but transaction markers between, and the step to take."""
    for source, here in next_offsets.items():
        there = place.offsets.get(source, here)
        known = queues[source].first_offset
        if here < there <= (reached.get(source, here) if known is None else known):
            yield source, (here, there)
