"""The rows that a kind of event takes: those that `where` names, with the tables that stand beside them."""

from collections.abc import Iterator, Mapping
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from connectors.files.columns import texts
from connectors.files.forms import EventForm, TableForm
from connectors.files.tables import FAULT, ROW, Table
from vaart.errors import UsageFault

JOINED_ROWS_MAX = 2_000_000
"""A table that stands beside another is held in memory."""


class Beside:
    """A table that has at most one row for each value of a column; its columns are added to other rows by it."""

    def __init__(self, name: str, table: Table, on: str | Mapping[str, str]) -> None:
        self._name = name
        self._theirs, self._ours = (on, on) if isinstance(on, str) else next(iter(on.items()))
        batches = []
        for batch in table.batches():
            batches.append(batch)
            if sum(len(each) for each in batches) > JOINED_ROWS_MAX:
                raise UsageFault(
                    f"{table.name} has more than {JOINED_ROWS_MAX} rows: too many to stand beside others"
                )
        self._rows = pa.Table.from_batches(batches)
        self._keys = texts(self._rows.column(self._theirs).combine_chunks())
        if pc.count_distinct(self._keys).as_py() < len(self._keys) - self._keys.null_count:
            raise UsageFault(
                f"{table.name} has several rows with the same {self._theirs}: which should be taken?"
            )

    def added_to(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """The rows with this table's columns as `table.column`, empty where it has no row for them."""
        places = pc.index_in(texts(batch.column(self._ours)), self._keys)
        for name in self._rows.column_names:
            if name not in (ROW, FAULT):
                column = self._rows.column(name).take(places)
                batch = batch.append_column(f"{self._name}.{name}", column.combine_chunks())
        return batch


def beside(form: TableForm, tables: Mapping[str, Table]) -> list[Beside]:
    """The tables that stand beside this one, read."""
    return [Beside(name, tables[name], on) for name, on in form.join.items()]


def taken(batch: pa.RecordBatch, form: EventForm) -> pa.RecordBatch:
    """The rows that have the values that `where` names."""
    mask = taken_mask(batch, form)
    return batch if mask is None else batch.filter(mask)


def taken_mask(batch: pa.RecordBatch, form: EventForm) -> Any:
    """Which rows these are; None for all."""
    mask = None
    for name, values in form.where.items():
        fits = pc.is_in(texts(batch.column(name)), pa.array(values, pa.string()))
        mask = fits if mask is None else pc.and_(mask, fits)
    return mask


def untaken(batch: pa.RecordBatch, forms: list[EventForm]) -> Iterator[int]:
    """The places of rows that none of these kinds of event takes."""
    masks = [taken_mask(batch, form) for form in forms]
    if any(mask is None for mask in masks):
        return
    left = pc.invert(pc.cast(pa.array([False] * len(batch)), pa.bool_()))
    for mask in masks:
        left = pc.and_not(left, mask)
    yield from pc.indices_nonzero(left).to_pylist()
