"""From columns of values to events: structs, lists and maps, as a plan lays them down."""

from collections.abc import Callable, Iterable
from functools import partial
from itertools import repeat
from typing import Any

import numpy as np

from connectors.files.evaluation import Places, Values
from connectors.files.forms import Constant
from connectors.files.plan import Entries, EventId, Items, Leaf, Node, Plan, Rows, Scope, Struct
from schemas.ids import event_id
from schemas.meta import Event


def build(plan: Plan, values: Values, starts: Places, rows: int) -> list[Event]:
    """One event a group, in order."""
    return list(_Builder(values, starts, rows).column(plan.event, "group"))


class _Builder:
    def __init__(self, values: Values, starts: Places, rows: int) -> None:
        self._values = values
        self._rows = rows
        self._groups = len(starts)
        ends = np.append(starts[1:], rows)[: len(starts)]
        self._spans = [slice(start, end) for start, end in zip(starts.tolist(), ends.tolist(), strict=True)]

    def column(self, node: Node, scope: Scope) -> Iterable[Any]:
        """The node's values, one for each row or each group."""
        match node:
            case Leaf():
                if isinstance(node.word, Constant):
                    return repeat(node.word.constant, self._count(scope))
                return self._values[node]
            case EventId():
                derive = partial(event_id, node.source, node.event_type)
                return [derive(business_id) for business_id in self.column(node.business_id, scope)]
            case Struct():
                return self._structs(node, scope)
            case Entries():
                return self._maps(node, scope)
            case Rows():
                return self._lists_of_rows(node)
            case Items():
                return self._lists(node, scope)

    def _structs(self, node: Struct, scope: Scope) -> list[Any]:
        fixed = {
            name: part.word.constant
            for name, part in node.parts.items()
            if isinstance(part, Leaf) and isinstance(part.word, Constant)
        }
        moving = {name: part for name, part in node.parts.items() if name not in fixed}
        make: Callable[..., Any] = partial(node.type, **fixed)
        names = tuple(moving)
        if not names:
            return [make()] * self._count(scope)
        rows = zip(*(self.column(part, scope) for part in moving.values()), strict=True)
        if not node.unless_empty or node.unless_empty in fixed:
            return [make(**dict(zip(names, row, strict=True))) for row in rows]
        gate = names.index(node.unless_empty)
        return [None if row[gate] is None else make(**dict(zip(names, row, strict=True))) for row in rows]

    def _maps(self, node: Entries, scope: Scope) -> list[dict[str, Any]]:
        names = tuple(node.parts)
        if not names:
            return [{} for _ in range(self._count(scope))]
        rows = zip(*(self.column(part, scope) for part in node.parts.values()), strict=True)
        return [
            {name: value for name, value in zip(names, row, strict=True) if value is not None} for row in rows
        ]

    def _lists_of_rows(self, node: Rows) -> list[list[Any]]:
        items = list(self.column(node.item, "row"))
        if isinstance(node.item, Struct) and not node.item.unless_empty:
            return [items[span] for span in self._spans]
        return [[item for item in items[span] if item is not None] for span in self._spans]

    def _lists(self, node: Items, scope: Scope) -> list[list[Any]]:
        if not node.items:
            return [[] for _ in range(self._count(scope))]
        rows = zip(*(self.column(item, scope) for item in node.items), strict=True)
        return [[item for item in row if item is not None] for row in rows]

    def _count(self, scope: Scope) -> int:
        return self._groups if scope == "group" else self._rows
