"""The live state of one key, read from the changelog: exact whether or not a worker runs."""

from collections.abc import Callable
from typing import Any

import msgspec
from aiokafka.partitioner import murmur2

from streams.engine import position, records
from streams.engine.log import Log
from streams.engine.position import Position
from streams.view import Part, View


class Found(msgspec.Struct):
    """A key's state as of the lane's last commit: `head` None where the key is unknown or was forgotten.

    `records` is how many were read to find it.
    """

    lane: int
    position: Position | None = None
    head: Any = None
    wake_at: int | None = None
    collections: dict[str, dict[Part, Any]] = {}
    records: int = 0


def lane_of(key: bytes, partitions: int) -> int:
    """The partition that every producer puts the key into."""
    return int(murmur2(key) & 0x7FFFFFFF) % partitions


def look_up(log: Log, view: View, lane: int, key: bytes, tell: Callable[[int, int], None]) -> Found:
    """What the lane knows of `key`. `tell` hears the offset that was reached and the end. Raises DependencyAway."""
    low, high = log.bounds(view.changelog, lane)
    tell(low, high)
    committed: dict[bytes, bytes | None] = {}
    fresh: dict[bytes, bytes | None] = {}
    wanted = (records.head_key(key), *_prefixes(view, key))
    count = 0
    for page in log.read(view.changelog, lane, low, high):
        count += len(page.records)
        for at, value in page.records:
            if at.startswith(wanted):
                fresh[at] = value
            elif at == records.POSITION:  # the last record of a commit, which the end may cut through
                committed |= {**fresh, at: value}
                fresh.clear()
        tell(page.reached, high)
    return _found(view, lane, key, committed, count)


def _prefixes(view: View, key: bytes) -> list[bytes]:
    """Where the records of the key's collections begin, whatever their incarnation."""
    whole = [records.collection_prefix(number, key, 0) for number in range(len(view.collections))]
    return [prefix[: -records.INCARNATION_BYTES] for prefix in whole]


def _found(view: View, lane: int, key: bytes, stored: dict[bytes, bytes | None], count: int) -> Found:
    found = Found(lane, records=count)
    standing, head = stored.get(records.POSITION), stored.get(records.head_key(key))
    if standing is not None:
        found.position = position.decode(standing)
    if head is None:
        return found
    found.head = records.head_decoder(view.head)(head)
    found.wake_at, incarnation = records.life_of(head)
    for number, (name, kind) in enumerate(view.collections.items()):
        prefix = records.collection_prefix(number, key, incarnation)
        decode = records.record_decoder(kind)
        found.collections[name] = {
            records.parts_of(at[len(prefix) :]): decode(value)
            for at, value in stored.items()
            if value is not None and at.startswith(prefix)
        }
    return found
