"""Tables and a mapping to events: the pure part, without Kafka.

    mapping = load(Path("shop.yaml"))
    tables = {"sales": FrameTable("sales", frame), "shops": open_table(Path("shops.csv"), mapping.table("shops"))}
    for event in events(mapping, tables, received_at=wall()): ...

A row that does not fit is told to `rejected`, and so are the other rows of its group: an event is whole or not at all.
"""

from collections.abc import Iterator
from collections.abc import Mapping as AnyMapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from connectors.files.building import build
from connectors.files.evaluation import GROUP_ROWS_MAX, Evaluation, Places
from connectors.files.forms import Constant, First, Mapping, Max
from connectors.files.mapping import check_columns, settled
from connectors.files.ordering import AT, arranged
from connectors.files.plan import Plan
from connectors.files.rejects import Reject, Rejected, Rejects
from connectors.files.rows import beside, taken, untaken
from connectors.files.tables import FAULT, ROW, Table
from schemas.meta import Event
from vaart.errors import UsageFault

_OWN = (ROW, FAULT, AT)


@dataclass(eq=False)
class Stream:
    """The events of one kind. Iterate it once; `rows` and `made` count as it goes."""

    plan: Plan
    mapping: Mapping
    tables: AnyMapping[str, Table]
    received_at: int
    rejected: Rejected
    is_by_time: bool
    watches: list[Plan] = field(default_factory=list)
    """Every plan of the table, for the one stream that tells which rows none of them takes."""
    rows: int = 0
    made: int = 0

    @property
    def name(self) -> str:
        """The event's type."""
        return self.plan.name

    @property
    def is_opening(self) -> bool:
        """Whether its events come before all others."""
        return self.plan.form.opening

    def __iter__(self) -> Iterator[Event]:
        for made in self._batches():
            for event in made:
                self.made += 1
                yield event

    def _batches(self) -> Iterator[list[Event]]:
        key = self.plan.form.group
        batches = self._taken()
        order = self._order()
        if order is not None:
            batches = arranged(batches, key, order)
        for rows, starts in _whole_groups(batches, key):
            yield self._made(rows, starts)

    def _taken(self) -> Iterator[pa.RecordBatch]:
        form = self.plan.form
        others = beside(self.mapping.table(form.table), self.tables)
        for batch in self.tables[form.table].batches():
            self._tell_untaken(batch)
            chosen = taken(batch, form)
            self.rows += len(chosen)
            for other in others:
                chosen = other.added_to(chosen)
            yield self._timed(chosen) if self._is_sorted_by_time() else chosen

    def _timed(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        evaluation = Evaluation(self.plan, self.mapping, batch, np.arange(len(batch)), self.received_at)
        return batch.append_column(AT, evaluation.array(self.plan.at))

    def _is_sorted_by_time(self) -> bool:
        return self.is_by_time and not isinstance(self.plan.at.word, Constant)

    def _order(self) -> str | None:
        """None: as the rows come. Where all happen at one moment, any order is one of time."""
        word = self.plan.at.word
        if self._is_sorted_by_time():
            return "first" if isinstance(word, First) else "max" if isinstance(word, Max) else "min"
        if not self.plan.form.group:
            return None
        return "key" if self.is_by_time else "row"

    def _made(self, rows: pa.RecordBatch, starts: Places) -> list[Event]:
        evaluation = Evaluation(self.plan, self.mapping, rows, starts, self.received_at)
        evaluation.evaluate()
        if evaluation.misfits:
            self._tell_misfits(evaluation)
        return build(self.plan, evaluation.values(), evaluation.starts, len(evaluation.rows))

    def _tell_misfits(self, evaluation: Evaluation) -> None:
        guilty = {evaluation.group_of(row): row for row in sorted(evaluation.misfits, reverse=True)}
        ends = np.append(evaluation.starts[1:], len(evaluation.rows))
        unit = self.tables[self.plan.form.table].unit
        for group, culprit in sorted(guilty.items()):
            number = evaluation.rows.column(ROW)[culprit].as_py()
            for row in range(int(evaluation.starts[group]), int(ends[group])):
                faults = evaluation.misfits.get(row) or [
                    ("", f"{unit} {number} of the same {self.name} does not fit")
                ]
                columns = ", ".join(dict.fromkeys(column for column, _ in faults if column))
                self._tell(
                    evaluation.rows, row, columns, "; ".join(dict.fromkeys(reason for _, reason in faults))
                )
        evaluation.without(set(guilty))

    def _tell_untaken(self, batch: pa.RecordBatch) -> None:
        if not self.watches:
            return
        for row in untaken(batch, [plan.form for plan in self.watches]):
            fault = batch.column(FAULT)[row].as_py()
            self._tell(batch, row, "", fault or "no event of the mapping takes this row", event="none")

    def _tell(self, rows: pa.RecordBatch, row: int, column: str, reason: str, event: str = "") -> None:
        table = self.tables[self.plan.form.table]
        own = set(table.columns)
        values = {name: rows.column(name)[row].as_py() for name in rows.schema.names if name in own}
        number = rows.column(ROW)[row].as_py()
        self.rejected(
            Reject(
                self.plan.form.table,
                table.name,
                number,
                table.unit,
                event or self.name,
                column,
                reason,
                values,
            )
        )


def streams(
    mapping: Mapping,
    tables: AnyMapping[str, Table],
    *,
    received_at: int,
    given: AnyMapping[str, Any] | None = None,
    rejected: Rejected | None = None,
    by_time: bool = False,
) -> list[Stream]:
    """A stream for each kind of event, in the mapping's order; each `by_time` or in the table's own order.

    `given` holds what the mapping asks to be handed in. Raises UsageFault at once for a table, a column or a given
    value that is missing. Without `rejected` the first row that does not fit raises TooManyRejects.
    """
    check_columns(mapping, {name: table.columns for name, table in tables.items()})
    plans = settled(mapping, given or {}, received_at)
    tell = rejected or Rejects(0)
    found: list[Stream] = []
    for plan in plans:
        same = [each for each in plans if each.form.table == plan.form.table]
        watches = same if same[0] is plan and all(each.form.where for each in same) else []
        found.append(Stream(plan, mapping, tables, received_at, tell, by_time, watches))
    return found


def events(
    mapping: Mapping,
    tables: AnyMapping[str, Table],
    *,
    received_at: int,
    given: AnyMapping[str, Any] | None = None,
    rejected: Rejected | None = None,
) -> Iterator[Event]:
    """Every event, kind after kind, the opening ones first."""
    found = streams(mapping, tables, received_at=received_at, given=given, rejected=rejected)
    for stream in sorted(found, key=lambda each: not each.is_opening):
        yield from stream


def _whole_groups(
    batches: Iterator[pa.RecordBatch], key: tuple[str, ...]
) -> Iterator[tuple[pa.RecordBatch, Places]]:
    """The rows again, in batches that end where a group ends, with the places where groups begin."""
    if not key:
        for batch in batches:
            yield batch, np.arange(len(batch))
        return
    carried = None
    for arrived in batches:
        batch = arrived if carried is None else _together(carried, arrived)
        starts = _starts(batch, key)
        if not len(starts):
            continue
        last = int(starts[-1])
        if len(batch) - last > GROUP_ROWS_MAX:
            raise UsageFault(
                f"more than {GROUP_ROWS_MAX} rows have the same {', '.join(key)}: is `group` right?"
            )
        if last:
            yield batch.slice(0, last), starts[:-1]
        carried = batch.slice(last)
    if carried is not None and len(carried):
        yield carried, _starts(carried, key)


def _together(first: pa.RecordBatch, second: pa.RecordBatch) -> pa.RecordBatch:
    return pa.Table.from_batches([first, second]).combine_chunks().to_batches()[0]


def _starts(batch: pa.RecordBatch, key: tuple[str, ...]) -> Places:
    differs = np.zeros(len(batch), dtype=bool)
    differs[:1] = True
    for name in key:
        codes = pc.dictionary_encode(batch.column(name), null_encoding="encode").indices
        differs[1:] |= np.diff(codes.to_numpy(zero_copy_only=False)) != 0
    return np.flatnonzero(differs)
