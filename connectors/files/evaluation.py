"""What a plan's words come to for a batch of rows, column by column; and the rows that do not fit, with why."""

from collections import defaultdict
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from connectors.files import forms
from connectors.files.columns import KIND_WORDS, TEXT, Manner, convert
from connectors.files.forms import Column, Constant, First, Mapping, Max, Min, Sum, Text
from connectors.files.plan import Leaf, Plan
from connectors.files.tables import FAULT, ROW

GROUP_ROWS_MAX = 200_000
"""More rows than this are no group: they are held in memory together."""
SUMMED_MAX = 4 * 10**12
"""A larger number is not summed: nine columns of a whole group of them would still fit into 64 bits."""
_FUTURE = "lies in the future: is the zone right?"
_DIFFERS = "differs within its group: take `first`, `min`, `max` or `sum`"

Places = npt.NDArray[np.int64]
Values = dict[Leaf, list[Any]]
"""The values of each leaf: one a row or one a group, as its scope says."""


class Evaluation:
    """One batch of whole groups. `starts` are the places of the groups' first rows."""

    def __init__(
        self, plan: Plan, mapping: Mapping, rows: pa.RecordBatch, starts: Places, received_at: int
    ) -> None:
        self._plan = plan
        self._mapping = mapping
        self._received_at = received_at
        self.rows = rows
        self.starts = starts
        self.misfits: dict[int, list[tuple[str, str]]] = defaultdict(list)
        """By row: columns and what is wrong with them."""
        self._arrays: dict[Leaf, pa.Array] = {}

    def evaluate(self) -> None:
        """After this `misfits` is complete."""
        for row in pc.indices_nonzero(self.rows.column(FAULT).is_valid()).to_pylist():
            self.misfits[row].append(("", self.rows.column(FAULT)[row].as_py()))
        for leaf in dict.fromkeys(self._plan.leaves):
            if isinstance(leaf.word, Constant):
                continue
            self._arrays[leaf] = array = self.array(leaf)
            if leaf.required:
                self._note(array.is_null(), leaf, "is empty")
            if leaf.scope == "group" and isinstance(leaf.word, Column | Text):
                self._note_differences(array, leaf)
        at = self._arrays.get(self._plan.at)
        if at is not None:
            self._note(pc.greater(at, self._received_at), self._plan.at, _FUTURE)

    def group_of(self, row: int) -> int:
        """The place of the group that the row is in."""
        return int(np.searchsorted(self.starts, row, side="right")) - 1

    def without(self, groups: set[int]) -> None:
        """After this the groups at these places are gone."""
        sizes = np.diff(self.starts, append=len(self.rows))
        kept = np.ones(len(self.starts), dtype=bool)
        kept[list(groups)] = False
        mask = pa.array(np.repeat(kept, sizes))
        self.rows = self.rows.filter(mask)
        self._arrays = {leaf: array.filter(mask) for leaf, array in self._arrays.items()}
        self.starts = (
            np.concatenate(([0], np.cumsum(sizes[kept])[:-1])) if kept.any() else np.empty(0, np.int64)
        )

    def values(self) -> Values:
        """What to build events from, once every row fits."""
        return {leaf: self._settled(leaf, array) for leaf, array in self._arrays.items()}

    def array(self, leaf: Leaf) -> pa.Array:
        """One value for each row."""
        word = leaf.word
        if isinstance(word, Text):
            return self._joined(leaf, word)
        if isinstance(word, Sum):
            columns = [pc.fill_null(self._column(name, leaf), 0) for name in word.sum]
            for column in columns:
                self._note(pc.greater(pc.abs(column), SUMMED_MAX), leaf, "is too large to be summed")
            total = columns[0]
            for column in columns[1:]:
                total = pc.add(total, column)
            return total
        return self._column(word.names[0], leaf)

    def _column(self, name: str, leaf: Leaf, kind: str = "") -> pa.Array:
        kind, word = kind or leaf.kind, leaf.word
        if name == forms.ORDINAL:
            column = self._ordinals()
        elif name == forms.NUMBER:
            column = self.rows.column(ROW)
        else:
            column = self.rows.column(name)
        if isinstance(word, Column) and word.map:
            column = self._mapped(column, word, leaf)
        form = self._mapping.column(self._plan.form.table, name)
        zone = form.zone or self._mapping.zone
        converted, bad = convert(column, kind, Manner(form, zone, self._mapping.zone))
        for row in bad:
            self.misfits[row].append((name, f"is not {KIND_WORDS[kind]}"))
        return converted

    def _ordinals(self) -> pa.Array:
        sizes = np.diff(self.starts, append=len(self.rows))
        return pa.array(np.arange(len(self.rows)) - np.repeat(self.starts, sizes) + 1)

    def _mapped(self, column: pa.Array, word: Column, leaf: Leaf) -> pa.Array:
        known, _ = convert(column, TEXT, Manner(forms.ColumnForm(), "UTC", "UTC"))
        places = pc.index_in(known, pa.array(word.map), skip_nulls=True)
        if word.otherwise is None:
            self._note(pc.and_(places.is_null(), known.is_valid()), leaf, "is none of the values under map")
        found = pa.array(word.map.values(), pa.string()).take(places)
        return (
            pc.if_else(known.is_valid(), pc.fill_null(found, word.otherwise), None)
            if word.otherwise
            else found
        )

    def _joined(self, leaf: Leaf, word: Text) -> pa.Array:
        parts: list[Any] = []
        for literal, name in word.pieces:
            parts.append(literal)
            if name is not None:
                parts.append(self._column(name, leaf, TEXT))
        if all(isinstance(part, str) for part in parts):
            return pa.array(["".join(parts)] * len(self.rows), pa.string())
        return pc.binary_join_element_wise(*parts, "")

    def _note(self, mask: pa.Array, leaf: Leaf, reason: str) -> None:
        for row in pc.indices_nonzero(pc.fill_null(mask, False)).to_pylist():
            if not any(column in leaf.word.names for column, _ in self.misfits.get(row, ())):
                self.misfits[row].append((leaf.column, reason))

    def _note_differences(self, array: pa.Array, leaf: Leaf) -> None:
        if len(self.starts) == len(self.rows):
            return
        codes = array.dictionary_encode(null_encoding="encode").indices.to_numpy(zero_copy_only=False)
        differs = np.diff(codes, prepend=codes[:1]) != 0
        differs[self.starts] = False
        if differs.any():
            self._note(pa.array(differs), leaf, _DIFFERS)

    def _settled(self, leaf: Leaf, array: pa.Array) -> list[Any]:
        if leaf.scope == "group" and len(self.starts) < len(self.rows):
            array = self._reduced(leaf, array)
        if leaf.fallback is not None:
            array = pc.fill_null(array, leaf.fallback)
        values: list[Any] = array.to_pylist()
        return values

    def _reduced(self, leaf: Leaf, array: pa.Array) -> pa.Array:
        match leaf.word:
            case Sum():
                return pa.array(np.add.reduceat(array.to_numpy(zero_copy_only=False), self.starts))
            case Min():
                return self._edges(array, np.minimum.reduceat, np.iinfo(np.int64).max)
            case Max():
                return self._edges(array, np.maximum.reduceat, np.iinfo(np.int64).min)
            case First() | _:
                return array.take(pa.array(self.starts))

    def _edges(self, array: pa.Array, edge: Callable[[Any, Places], Any], empty: int) -> pa.Array:
        edges = edge(pc.fill_null(array.cast(pa.int64()), empty).to_numpy(zero_copy_only=False), self.starts)
        return pa.array(edges, mask=edges == empty)
