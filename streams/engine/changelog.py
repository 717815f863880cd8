"""The changelog: reading a lane's state back, and refusing a state that no longer fits its topics.

Read after the lane's older owner is fenced, to the end that the log reports then: by position, since the tail may be
transaction markers. A store that is still there needs the tail only.
"""

from collections.abc import Callable, Iterator
from contextlib import closing, nullcontext
from dataclasses import dataclass

import msgspec
import structlog

from streams.engine import position, records
from streams.engine.log import LaneLost, Page
from streams.engine.muting import require_current
from streams.engine.position import Position, SourcePosition
from streams.engine.restoring import Progress, alarms, gathered
from streams.engine.stores import LaneStore
from streams.engine.surroundings import Surroundings
from vaart.errors import ConfigFault
from vaart.failpoint import failpoint

END_KEY = records.POSITION + b"e"
STALE_AFTER_US = int(3.5 * 24 * 3600 * 1e6)
"""Half of the state topics' delete.retention.ms: an older store has missed tombstones that are gone by now."""

MARKER_OFFSETS = 1
"""A commit ends in a marker, which has an offset of its own; what is one offset can only be that: nothing to miss."""
LARGE_OFFSETS = 100_000
"""As many offsets or more are gathered and ingested in sorted files; fewer are written page by page."""
GATHERED_BYTES = 16 << 20
INGESTED_RECORDS_MIN = 10_000

log = structlog.get_logger()


class End(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """From where in the changelog the store needs what is there, and when it was level last.

    `is_own`: the store's position is the record right before it, which this process has written and not read.
    """

    topic_id: str
    offset: int
    at: int
    is_own: bool = False


@dataclass(frozen=True, slots=True)
class Restored:
    """A lane that can go on: its position, its changelog's end, how many records were read."""

    position: Position
    end: End
    records: int


encode_end = msgspec.msgpack.Encoder().encode


def restore(around: Surroundings, lane: int, store: LaneStore, is_current: Callable[[], bool]) -> Restored:
    """After this `store` equals the lane's committed changelog. Raises ConfigFault, LaneLost, DependencyAway.

    It may be interrupted anywhere and tried again: whatever is written says how far it goes, in the same write.
    """
    topic = around.view.changelog
    ids = around.log.topic_ids([source.name for source in around.view.sources] + [topic])
    low, high = around.log.bounds(topic, lane)
    begin = _begin(around, lane, store, ids[topic], low, high)
    count, reached = _read(around, lane, store, begin, high, is_current)
    level = End(ids[topic], reached, around.clock())
    store.write({END_KEY: encode_end(level)})
    stored = _stored_position(around, store)
    require_current(around.view, stored)
    return Restored(_fitting(around, lane, stored, ids), level, count)


def _begin(around: Surroundings, lane: int, store: LaneStore, topic_id: str, low: int, high: int) -> End:
    """Where to read from: the store's own end if it can be trusted, else the beginning, with an empty store."""
    encoded = store.get(END_KEY)
    if encoded is not None:
        end = msgspec.msgpack.decode(encoded, type=End)
        is_fresh = around.clock() - end.at < STALE_AFTER_US
        is_whole = low <= end.offset or high - end.offset <= MARKER_OFFSETS
        is_ours = end.topic_id == topic_id and end.offset <= high
        if is_ours and is_fresh and is_whole and _stands(around, lane, store, end, low):
            return End(topic_id, max(low, end.offset), end.at)
    if low > 0:
        raise ConfigFault(
            f"{around.prefix + around.view.changelog}[{lane}] has lost its records before offset {low}, and this "
            "worker has no state that goes as far: a state topic is compacted, never deleted from (`vaart topics "
            "apply`). Rebuild the view as a new version"
        )
    if next(store.scan(b"", b"\xff"), None) is not None:
        log.warning("warm_store_discarded", lane=lane)
        store.clear()
    return End(topic_id, low, around.clock())


def _stands(around: Surroundings, lane: int, store: LaneStore, end: End, low: int) -> bool:
    """Whether what the store took for committed is.

    Brokers that die and start again have been seen to take back what they had acknowledged (deploy/decisions/0024).
    """
    if not end.is_own or end.offset <= low:
        return True
    pages = around.log.read(around.view.changelog, lane, end.offset - 1, end.offset)
    first = next((record for page in pages for record in page.records), None)
    return first == (records.POSITION, store.get(records.POSITION))


def _read(
    around: Surroundings, lane: int, store: LaneStore, begin: End, stop: int, is_current: Callable[[], bool]
) -> tuple[int, int]:
    """How many records were read, and the position behind them.

    On the way the store is as old as it was at the beginning: it is level, with all tombstones, at the end only.
    """
    progress = Progress(around.view, lane, begin.offset, stop)
    is_large = stop - begin.offset >= LARGE_OFFSETS
    pages = _pages(around.log.read(around.view.changelog, lane, begin.offset, stop), progress, is_current)
    reached = begin.offset
    with closing(progress), around.large_restore if is_large else nullcontext():
        for newest, reached in gathered(pages, GATHERED_BYTES if is_large else 0):
            write = store.ingest if is_large and len(newest) >= INGESTED_RECORDS_MIN else store.write
            newest.update(alarms(newest))
            newest[END_KEY] = encode_end(End(begin.topic_id, reached, begin.at))
            write(newest)
    return progress.records, reached


def _pages(pages: Iterator[Page], progress: Progress, is_current: Callable[[], bool]) -> Iterator[Page]:
    for page in pages:
        if not is_current():
            raise LaneLost("the lane was taken away while it was restored")
        progress.note(page)
        yield page
        failpoint("during_restore")


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
