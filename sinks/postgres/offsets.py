"""Offsets in the database: how far each table is in each partition, moved in the transaction that writes its rows."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg

from vaart.errors import DependencyAway

Cursor = psycopg.Cursor[Any]


@dataclass(frozen=True, slots=True)
class Lane:
    """One partition of one topic, as one table sees it. `topic_id` tells a topic from a later one of the same name."""

    table: str
    topic: str
    topic_id: str
    partition: int


@dataclass(frozen=True, slots=True)
class Move:
    """A table advances in a partition: it held everything below `first`, and then everything below `next`."""

    lane: Lane
    first: int
    next: int


@dataclass(frozen=True, slots=True)
class Kept:
    """Where a table stands in a partition, and since when."""

    lane: Lane
    next: int
    at: datetime


class Moved(Exception):
    """Someone else advanced a partition, or our own commit was not acknowledged. Read the offsets again."""


_CREATE = """
INSERT INTO ops.sink_offsets (projection, topic, topic_id, partition, next_offset)
SELECT * FROM unnest(%s::text[], %s::text[], %s::text[], %s::int[], %s::bigint[])
ON CONFLICT (projection, topic_id, partition) DO NOTHING
"""
_READ = """
SELECT projection, topic_id, partition, next_offset FROM ops.sink_offsets
JOIN unnest(%s::text[], %s::text[], %s::int[]) AS wanted (projection, topic_id, partition)
USING (projection, topic_id, partition)
"""
_EVERY = """
SELECT projection, topic, topic_id, partition, next_offset, updated_at FROM ops.sink_offsets
ORDER BY projection, topic, partition
"""
_MOVE = """
UPDATE ops.sink_offsets AS kept SET next_offset = move.next_offset, updated_at = now()
FROM unnest(%s::text[], %s::text[], %s::int[], %s::bigint[], %s::bigint[])
    AS move (projection, topic_id, partition, first_offset, next_offset)
WHERE kept.projection = move.projection AND kept.topic_id = move.topic_id AND kept.partition = move.partition
    AND kept.next_offset = move.first_offset
"""


def read(cursor: Cursor, lanes: Collection[Lane]) -> dict[Lane, int]:
    """The next offset of each lane. One that is new begins at 0."""
    tables, topics, ids, partitions = _columns(lanes)
    cursor.execute(_CREATE, (tables, topics, ids, partitions, [0] * len(lanes)))
    cursor.execute(_READ, (tables, ids, partitions))
    found = {(table, topic_id, partition): offset for table, topic_id, partition, offset in cursor.fetchall()}
    return {lane: found[lane.table, lane.topic_id, lane.partition] for lane in lanes}


def every(dsn: str) -> list[Kept]:
    """Where each table stands. Raises DependencyAway where the database does not answer or has no such table."""
    try:
        with psycopg.connect(dsn) as connection:
            rows = connection.execute(_EVERY).fetchall()
    except psycopg.Error as error:
        raise DependencyAway(
            f"the database does not tell the offsets ({type(error).__name__}): is it up, is `vaart db upgrade` done?"
        ) from None
    return [
        Kept(Lane(table, topic, topic_id, partition), offset, at)
        for table, topic, topic_id, partition, offset, at in rows
    ]


def move(cursor: Cursor, moves: Collection[Move]) -> None:
    """Every table advances. Raises Moved when one of them no longer stands where it was: roll back then.

    The rows stay locked until the transaction ends, so a second owner waits here and then finds them moved.
    """
    tables, _, ids, partitions = _columns(move.lane for move in moves)
    firsts, nexts = [move.first for move in moves], [move.next for move in moves]
    cursor.execute(_MOVE, (tables, ids, partitions, firsts, nexts))
    if cursor.rowcount != len(moves):
        raise Moved


def _columns(lanes: Iterable[Lane]) -> tuple[list[str], list[str], list[str], list[int]]:
    rows = list(lanes)
    return (
        [lane.table for lane in rows],
        [lane.topic for lane in rows],
        [lane.topic_id for lane in rows],
        [lane.partition for lane in rows],
    )
