"""What a batch of records changes: rows by table and key, keys to forget, clocks. No connection in sight."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import msgspec

from schemas.events.clock import ClockAdvanced
from schemas.meta import Event
from sinks.postgres.faults import RowsFailed
from sinks.projections.projection import PLACE, Projection, Row


@dataclass(frozen=True, slots=True, eq=False)
class Source:
    """A topic as this sink reads it: its name on the broker, how values are decoded, which tables it feeds."""

    name: str
    decode: Callable[[bytes | None], Any]
    projections: tuple[Projection, ...]
    has_tombstones: bool


class Record(msgspec.Struct, gc=False):
    """One Kafka record, decoded. `event` None is a tombstone. The bytes stay at hand for a dead letter."""

    source: Source
    partition: int
    offset: int
    key: str
    event: Any
    raw_key: bytes | None
    raw_value: bytes | None


Floors = dict[tuple[str, str, int], int]
"""By table, topic and partition: records below this offset are in the table already."""
Clocks = dict[tuple[str, int, str, int], int]
"""By topic, partition, writer and lane: how far that writer's clock has come."""


@dataclass(slots=True)
class Table:
    """What changes in one table. `forgotten` is deleted before `rows` are put."""

    projection: Projection
    keyed: slice
    """Where the key stands in a row."""
    version: int | None
    rows: dict[Row, Row] = field(default_factory=dict)
    forgotten: dict[Row, None] = field(default_factory=dict)
    superseded: int = 0

    def put(self, row: Row) -> None:
        """Keeps the newest row of each key; of rows that are never replaced, the first."""
        key = row[self.keyed]
        known = self.rows.get(key)
        if known is None:
            self.rows[key] = row
            return
        self.superseded += 1
        if self.version is not None and row[self.version] >= known[self.version]:
            self.rows[key] = row

    def forget(self, key: Row) -> None:
        """Every row whose key begins with `key` goes, those of this batch too."""
        length = len(key)
        self.forgotten[key] = None
        for gone in [known for known in self.rows if known[:length] == key] if self.rows else ():
            del self.rows[gone]


@dataclass(slots=True)
class Changes:
    """What to write in one transaction, the offsets apart."""

    tables: list[Table]
    clocks: Clocks


def changes(records: Iterable[Record], floors: Floors) -> Changes:
    """What these records, in this order, change. Records that a table has already are left out of it.

    Raises RowsFailed when a projection cannot make rows of a record.
    """
    tables: dict[Projection, Table] = {}
    clocks: Clocks = {}
    feeds: dict[tuple[Source, int], list[tuple[Table, int]]] = {}
    for record in records:
        if type(record.event) is ClockAdvanced:
            _advance(clocks, record)
            continue
        lane = (record.source, record.partition)
        feed = feeds.get(lane)
        if feed is None:
            feed = feeds[lane] = _feed(tables, record, floors)
        for table, floor in feed:
            if record.offset >= floor:
                _apply(table, record)
    return Changes(list(tables.values()), clocks)


def _advance(clocks: Clocks, record: Record) -> None:
    clock: ClockAdvanced = record.event
    key = (record.source.name, record.partition, clock.writer, clock.lane)
    clocks[key] = max(clock.until, clocks.get(key, clock.until))


def _feed(tables: dict[Projection, Table], record: Record, floors: Floors) -> list[tuple[Table, int]]:
    """The tables that a partition feeds, each with the offset below which it has everything."""
    feed = []
    for projection in record.source.projections:
        if projection not in tables:
            tables[projection] = _table(projection)
        floor = floors.get((projection.name, record.source.name, record.partition), 0)
        feed.append((tables[projection], floor))
    return feed


def _table(projection: Projection) -> Table:
    version = None if projection.is_append_only else projection.columns.index("seq")
    keyed = slice(-len(PLACE), None) if projection.is_keyed_by_place else slice(len(projection.key))
    return Table(projection, keyed, version)


def _apply(table: Table, record: Record) -> None:
    try:
        _take(table, record)
    except Exception as error:
        raise RowsFailed(f"{table.projection.name} raised {type(error).__name__}") from error


def _take(table: Table, record: Record) -> None:
    projection, event = table.projection, record.event
    if event is None:
        if projection.forget is not None:
            table.forget(projection.forget(record.key))
    elif isinstance(event, projection.event):
        lineage = (record.source.name, record.partition, record.offset)
        for row in projection.rows(record.key, event):
            table.put(row + lineage)


def outcome_of(record: Record) -> str:
    """For the metrics: clocks and events that no table takes are skipped."""
    kinds = tuple(projection.event for projection in record.source.projections)
    return "applied" if record.event is None or isinstance(record.event, kinds) else "skipped"


def happened(record: Record) -> int | None:
    """When the newest event happened that the record tells of; None for one that tells of none."""
    event = record.event
    if isinstance(event, Event):
        return event.meta.occurred_at
    return getattr(event, "updated_at", None) or getattr(event, "at", None)


def halves(records: list[Record]) -> Iterator[list[Record]]:
    """The older half, then the newer one."""
    middle = len(records) // 2
    yield records[:middle]
    yield records[middle:]
