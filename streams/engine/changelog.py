"""The changelog: reading a lane's state back, and refusing a state that no longer fits its topics.

Read after the lane's older owner is fenced, to the end that the log reports then: by position, since the tail may be
transaction markers. A store that is still there needs the tail only.
"""

from collections.abc import Callable
from dataclasses import dataclass

import msgspec
import structlog

from streams.engine import position, records
from streams.engine.log import LaneLost
from streams.engine.muting import require_current
from streams.engine.position import Position, SourcePosition
from streams.engine.stores import LaneStore
from streams.engine.surroundings import Surroundings
from vaart.errors import ConfigFault
from vaart.failpoint import failpoint

END_KEY = records.POSITION + b"e"
STALE_AFTER_US = int(3.5 * 24 * 3600 * 1e6)
"""Half of the state topics' delete.retention.ms: an older store has missed tombstones that are gone by now."""

log = structlog.get_logger()


class End(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """Up to where in the changelog the store is level, and when it was."""

    topic_id: str
    offset: int
    at: int


@dataclass(frozen=True, slots=True)
class Restored:
    """A lane that can go on: its position, its changelog's end, how many records were read."""

    position: Position
    end: End
    records: int


encode_end = msgspec.msgpack.Encoder().encode


def restore(around: Surroundings, lane: int, store: LaneStore, is_current: Callable[[], bool]) -> Restored:
    """After this `store` equals the lane's committed changelog. Raises ConfigFault, LaneLost, DependencyAway."""
    ids = around.log.topic_ids([topic.name for topic in around.view.sources] + [around.view.changelog])
    changelog_id = ids[around.view.changelog]
    start = _start(around, lane, store, changelog_id)
    count, end = _read(around, lane, store, start, is_current)
    stored = _stored_position(around, store)
    require_current(around.view, stored)
    found = _fitting(around, lane, stored, ids)
    return Restored(found, End(changelog_id, end, around.clock()), count)


def _start(around: Surroundings, lane: int, store: LaneStore, changelog_id: str) -> int:
    """Where to read from: the store's own end if it can be trusted, else the beginning, with an empty store."""
    low, high = around.log.bounds(around.view.changelog, lane)
    encoded = store.get(END_KEY)
    if encoded is not None:
        end = msgspec.msgpack.decode(encoded, type=End)
        is_fresh = around.clock() - end.at < STALE_AFTER_US
        if end.topic_id == changelog_id and low <= end.offset <= high and is_fresh:
            return end.offset
        log.warning("warm_store_discarded", lane=lane)
        store.clear()
    return low


def _read(
    around: Surroundings, lane: int, store: LaneStore, start: int, is_current: Callable[[], bool]
) -> tuple[int, int]:
    topic = around.view.changelog
    _, high = around.log.bounds(topic, lane)
    count, reached = 0, start
    for page in around.log.read(topic, lane, start, high):
        if not is_current():
            raise LaneLost("the lane was taken away while it was restored")
        store.write(_with_index(store, dict(page.records)))
        count, reached = count + len(page.records), page.reached
        failpoint("during_restore")
    return count, reached


def _with_index(store: LaneStore, writes: dict[bytes, bytes | None]) -> dict[bytes, bytes | None]:
    """`writes` and what follows from them for the due index."""
    found = dict(writes)
    heads = [key for key in writes if key.startswith(records.HEAD)]
    for key, before in zip(heads, store.get_many(heads), strict=True):
        text = records.key_of_head(key)
        after = writes[key]
        old = None if before is None else records.wake_of(before)
        new = None if after is None else records.wake_of(after)
        if old is not None and old != new:
            found[records.due_key(old, text)] = None
        if new is not None:
            found[records.due_key(new, text)] = b""
    return found


def _stored_position(around: Surroundings, store: LaneStore) -> Position:
    encoded = store.get(records.POSITION)
    return Position(around.partitions) if encoded is None else position.decode(encoded)


def _fitting(around: Surroundings, lane: int, found: Position, ids: dict[str, str]) -> Position:
    """`found`, with a position for every source. Raises ConfigFault where the sources are not what they were."""
    if found.partitions != around.partitions:
        raise ConfigFault(
            f"the state of {around.view.group} was built with {found.partitions} partitions, {around.partitions} are "
            "configured: set VAART_KAFKA__PARTITIONS back, or rebuild the view as a new version"
        )
    for source in around.view.sources:
        low, high = around.log.bounds(source.name, lane)
        known = found.sources.get(source.name)
        if known is None:
            found.sources[source.name] = SourcePosition(ids[source.name], low, {})
            continue
        if known.topic_id != ids[source.name]:
            raise ConfigFault(
                f"topic {around.prefix + source.name} is not the one that {around.view.group} has read: it was deleted "
                "and made again. Rebuild the view as a new version, or restore the topic"
            )
        if not low <= known.next_offset <= high:
            raise ConfigFault(
                f"{around.view.group} stands at offset {known.next_offset} of {around.prefix + source.name}[{lane}], "
                f"which now holds {low} to {high}: records are missing. Rebuild the view as a new version"
            )
    return found
