"""The writer: one batch, one transaction: offsets compared and moved, rows put, clocks kept; or nothing at all."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from sinks.postgres import faults, offsets
from sinks.postgres.changes import Changes, Clocks, Floors, Record, Table, changes, halves
from sinks.postgres.letters import Letter
from sinks.postgres.offsets import Cursor, Lane, Move
from sinks.postgres.session import Session
from sinks.postgres.statements import Statements, forgetting, statements
from sinks.projections.projection import Projection
from vaart.failpoint import failpoint

_KEEP_CLOCKS = """
INSERT INTO ops.clocks AS kept (topic, partition, writer, lane, until)
SELECT * FROM unnest(%s::text[], %s::int[], %s::text[], %s::int[], %s::bigint[])
ON CONFLICT (topic, partition, writer, lane) DO UPDATE SET until = greatest(kept.until, excluded.until)
"""

Send = Callable[[Sequence[Letter]], None]
"""Returns once Kafka has the letters."""


@dataclass(slots=True, eq=False)
class Batch:
    """What was read since the batch before: records in order, what could not be read, where each partition is now."""

    records: list[Record]
    unreadable: list[Letter]
    ends: dict[tuple[str, int], int]
    floors: Floors
    changes: Changes | None = None
    """None when a projection raised: the writer then finds out on which record."""
    sent: set[Letter] = field(default_factory=set)
    """Letters that Kafka has: another attempt does not send them again."""


@dataclass(slots=True)
class Written:
    """What a batch came to."""

    batch: Batch
    unwritable: list[Letter] = field(default_factory=list)
    rows: int = 0
    refused: int = 0
    """Rows that the table had already, or had newer."""
    seconds: float = 0.0


class Writer:
    """Writes batches in the order they were read. One thread at a time uses it."""

    def __init__(self, session: Session, send: Send) -> None:
        self._session = session
        self._send = send
        self._statements: dict[str, Statements] = {}
        self._next: dict[Lane, int] = {}

    def place(self, lanes: Sequence[Lane]) -> Floors:
        """From now on these lanes and no others are written. The answer is where each begins."""
        self._next = self._session.run(lambda cursor: offsets.read(cursor, lanes))
        return {(lane.table, lane.topic, lane.partition): offset for lane, offset in self._next.items()}

    def write(self, batch: Batch) -> Written:
        """The batch is in the database, once; waits as long as Postgres is away.

        Raises Moved when someone else wrote first and Abandoned when it was given up: nothing was written then.
        """
        began = time.monotonic()
        moves = self._moves(batch.ends)
        failpoint("before_begin")
        try:
            written = self._session.run(lambda cursor: self._whole(cursor, batch, moves))
        except Exception as error:
            if faults.refusal(error) is None:
                raise
            written = self._session.run(lambda cursor: self._apart(cursor, batch, moves))
        failpoint("after_db_commit")
        self._next.update({move.lane: move.next for move in moves})
        written.seconds = time.monotonic() - began
        return written

    def _moves(self, ends: dict[tuple[str, int], int]) -> list[Move]:
        """A table that is ahead of its topic's reader stays where it is until the reader has come level."""
        return [
            Move(lane, first, ends[lane.topic, lane.partition])
            for lane, first in self._next.items()
            if ends.get((lane.topic, lane.partition), 0) > first
        ]

    def _whole(self, cursor: Cursor, batch: Batch, moves: list[Move]) -> Written:
        """The usual path: every record is fine."""
        offsets.move(cursor, moves)
        written = Written(batch)
        self._put(cursor, batch.changes or changes(batch.records, batch.floors), written)
        self._set_aside(batch, batch.unreadable)
        failpoint("before_db_commit")
        return written

    def _apart(self, cursor: Cursor, batch: Batch, moves: list[Move]) -> Written:
        """Some record is not: halve until it is alone, set it aside, write the rest."""
        offsets.move(cursor, moves)
        written = Written(batch)
        for half in halves(batch.records):
            self._halve(cursor, half, written)
        self._set_aside(batch, [*batch.unreadable, *written.unwritable])
        return written

    def _halve(self, cursor: Cursor, records: list[Record], written: Written) -> None:
        if not records:
            return
        try:
            part = self._savepoint(cursor, records, written.batch)
        except Exception as error:
            reason = faults.refusal(error)
            if reason is None:
                raise
            # The rollback took the temporary tables that this part made with it.
            self._session.forget_staged()
            if len(records) == 1:
                written.unwritable.append(_refused(records[0], reason, faults.described(error)))
                return
            for half in halves(records):
                self._halve(cursor, half, written)
        else:
            written.rows += part.rows
            written.refused += part.refused

    def _savepoint(self, cursor: Cursor, records: list[Record], batch: Batch) -> Written:
        with cursor.connection.transaction():
            part = Written(batch)
            changed = changes(records, batch.floors)
            self._put(cursor, changed, part)
            for table in changed.tables:
                if table.rows:
                    cursor.execute(self._prepared(table.projection).clear)
            return part

    def _put(self, cursor: Cursor, changed: Changes, written: Written) -> None:
        for table in changed.tables:
            if table.forgotten:
                _forget(cursor, table)
            if table.rows:
                self._upsert(cursor, table, written)
        _keep_clocks(cursor, changed.clocks)
        failpoint("after_upsert")

    def _upsert(self, cursor: Cursor, table: Table, written: Written) -> None:
        prepared = self._prepared(table.projection)
        if self._session.is_first(table.projection.name):
            cursor.execute(prepared.stage)
        with cursor.copy(prepared.copy) as copy:
            write_row = copy.write_row
            for row in table.rows.values():
                write_row(row)
            failpoint("mid_copy")
        if prepared.months is not None:
            cursor.execute(prepared.months)
        cursor.execute(prepared.put)
        written.rows += cursor.rowcount
        written.refused += len(table.rows) - cursor.rowcount

    def _prepared(self, projection: Projection) -> Statements:
        if projection.name not in self._statements:
            self._statements[projection.name] = statements(projection)
        return self._statements[projection.name]

    def _set_aside(self, batch: Batch, letters: Sequence[Letter]) -> None:
        unsent = [letter for letter in letters if letter not in batch.sent]
        if unsent:
            self._send(unsent)
            batch.sent.update(unsent)


def _forget(cursor: Cursor, table: Table) -> None:
    """Deletes by key: few, so one by one in a pipeline."""
    length = len(next(iter(table.forgotten)))
    cursor.executemany(forgetting(table.projection, length), list(table.forgotten))


def _keep_clocks(cursor: Cursor, clocks: Clocks) -> None:
    if clocks:
        topics, partitions, writers, lanes = zip(*clocks, strict=True)
        values = list(clocks.values())
        cursor.execute(_KEEP_CLOCKS, (list(topics), list(partitions), list(writers), list(lanes), values))


def _refused(record: Record, reason: faults.Refusal, detail: str) -> Letter:
    return Letter(
        record.source.name,
        record.partition,
        record.offset,
        "write",
        reason,
        detail,
        record.raw_key,
        record.raw_value,
        int.from_bytes(record.raw_value[1:5], "big") if record.raw_value else None,
    )
