"""What one commit writes: the outputs in order, the records that changed, the due index; and the keys it refuses."""

from collections.abc import Iterator
from itertools import islice

import msgspec

from streams.engine import records
from streams.engine.log import Outgoing
from streams.engine.stores import LaneStore
from streams.engine.work import VALUE_BYTES_MAX, Decode, Kinds, TooLarge, Touched, Work

FORGET_AT_ONCE_MAX = 1_000
"""A key with more collection records than this is deleted in pages, by later commits."""

_UNFIT = (ValueError, TypeError, OverflowError)


class Unsealed(msgspec.Struct, frozen=True, gc=False):
    """A key whose state or snapshot cannot be written, why, and what was folded for it: events and their decoders."""

    key: bytes
    reason: str
    events: list[tuple[Decode, bytes]]


class Sealed(msgspec.Struct, gc=False):
    """A commit, ready. `changed` goes to the changelog and the store, `index` to the store only.

    `outgoing` are the events, per key in the order of its folds; `snapshots` one a topic and key, tombstones too.
    `hottest` is the share of the busiest key in what was folded, `largest` the bytes of the largest head.
    """

    outgoing: list[Outgoing] = []
    snapshots: list[Outgoing] = []
    changed: dict[bytes, bytes | None] = {}
    index: dict[bytes, bytes | None] = {}
    refused: list[Unsealed] = []
    hottest: float = 0.0
    largest: int = 0


def seal(work: Work, kinds: Kinds, store: LaneStore) -> Sealed:
    """`work`, ready to be committed. A key that cannot be written is as it was stored, and named in `refused`."""
    found = Sealed()
    busiest = events = 0
    for touched in work.touched.values():
        folded = len(touched.history)
        events += folded
        busiest = max(busiest, folded)
        try:
            _seal_key(work, touched, kinds, store, found)
        except _UNFIT as error:
            found.refused.append(Unsealed(touched.key, type(error).__name__, touched.history))
    for refused in found.refused:
        work.reload(refused.key)
    if events:
        found.hottest = busiest / events
    return found


def _seal_key(work: Work, touched: Touched, kinds: Kinds, store: LaneStore, found: Sealed) -> None:
    """All of the key, or nothing of it where it raises."""
    snapshots = [work.snapshot(output) for output in touched.snapshots.values()]
    value = _head_value(touched)
    parts = None if touched.collections is None else dict(_part_writes(touched, kinds, store))
    found.outgoing += touched.outgoing
    found.snapshots += snapshots
    if parts:
        found.changed.update(parts)
    if value != touched.stored:
        found.changed[touched.head_key] = value
        found.largest = max(found.largest, len(value or b""))
        _seal_alarm(touched, found.index)


def _head_value(touched: Touched) -> bytes | None:
    head = touched.state.head
    if head is None:
        return None
    value = records.head_value(head, touched.wake_at, touched.incarnation)
    if len(value) > VALUE_BYTES_MAX:
        raise TooLarge(f"a head has more than {VALUE_BYTES_MAX} bytes")
    return value


def _part_writes(touched: Touched, kinds: Kinds, store: LaneStore) -> Iterator[tuple[bytes, bytes | None]]:
    if touched.forgotten is not None:
        yield from _forgotten(touched, touched.forgotten, kinds, store)
    if touched.state.head is None or touched.collections is None:
        return
    for collection in touched.collections.values():
        for key, value in collection.writes():
            if value is not None and len(value) > VALUE_BYTES_MAX:
                raise TooLarge(f"a collection's record has more than {VALUE_BYTES_MAX} bytes")
            yield key, value


def _forgotten(
    touched: Touched, incarnation: int, kinds: Kinds, store: LaneStore
) -> Iterator[tuple[bytes, bytes | None]]:
    """The tombstones, if they are few; else the note that makes later commits delete them."""
    keys = list(islice(forgotten_records(touched.key, incarnation, kinds, store), FORGET_AT_ONCE_MAX + 1))
    if len(keys) > FORGET_AT_ONCE_MAX:
        yield records.forgotten_key(touched.key), records.forgotten_value(incarnation)
    else:
        yield from dict.fromkeys(keys).items()


def forgotten_records(key: bytes, incarnation: int, kinds: Kinds, store: LaneStore) -> Iterator[bytes]:
    """The collection records of `key` up to this incarnation."""
    for number, _ in kinds.collections.values():
        start = records.collection_prefix(number, key, 0)
        stop = records.collection_prefix(number, key, incarnation + 1)
        for found, _ in store.scan(start, stop):
            yield found


def _seal_alarm(touched: Touched, index: dict[bytes, bytes | None]) -> None:
    if touched.stored_wake_at == touched.wake_at:
        return
    if touched.stored_wake_at is not None:
        index[records.due_key(touched.stored_wake_at, touched.key)] = None
    if touched.wake_at is not None:
        index[records.due_key(touched.wake_at, touched.key)] = b""
