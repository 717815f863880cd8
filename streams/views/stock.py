"""Stock: what lies on every shelf of a product, and a ledger of each unit that moved.

One writer per product. A fact (a sale, a receipt, a count) has happened and is never refused: what the books
cannot cover is shortage. A count says what lay there at its `as_of`: facts up to then are logged and change
nothing any more, facts after it stay. So what is on hand less the shortage is the newest count and what moved
since, in whatever order they came.

Limits: a shelf remembers its newest movements (stock_shelf.py). A repeat that comes later than that is folded
again, and a count about an earlier moment is logged as `unsettled`. Requests, transfers, inbound documents,
sellers' declarations and corrections are not folded yet: `unfolded`. A report without `as_of` is `undated`.
"""

from collections.abc import Callable
from typing import Any

import msgspec

from schemas.events.states import StockLedgerEntry, StockLevel
from schemas.events.stock import (
    StockAdjusted,
    StockCounted,
    StockInspected,
    StockLevelReported,
    StockMoved,
    StockReceived,
    StockSaleVoided,
    StockShipped,
    StockSold,
)
from schemas.meta import Meta
from schemas.topics import LEDGER, LEVELS, STOCK
from streams.view import Output, Part, Record, State, Step, View
from streams.views.stock_shelf import BUCKETS, OUTSIDE, Change, Shelf, digest, move, recount, remember

AVAILABLE = "available"

ABSORBED = "absorbed"
"""Logged, not applied: a newer count had seen it already."""

UNSETTLED = "unsettled"
"""Logged, not applied: a count about a moment whose later movements are forgotten."""

_LOGGED = frozenset({ABSORBED, UNSETTLED})

DUPLICATE = "duplicate"
EMPTY = "empty"
UNDATED = "undated"
UNFOLDED = "unfolded"

_GONE = "gone"
"""The disposition of units that inspection threw away."""

Movement = tuple[str, str, str]
"""What a fact does: the kind of its ledger rows, and from where to where (a bucket or outside) units go."""

_MOVEMENTS: dict[type, Callable[[Any], Movement]] = {
    StockSold: lambda _: ("sold", AVAILABLE, OUTSIDE),
    StockSaleVoided: lambda _: ("sale_voided", OUTSIDE, AVAILABLE),
    StockReceived: lambda event: ("received", OUTSIDE, _bucket(event.disposition)),
    StockShipped: lambda _: ("shipped", "picked", OUTSIDE),
    StockMoved: lambda event: ("moved", _bucket(event.from_bucket), _bucket(event.to_bucket)),
    StockAdjusted: lambda event: ("adjusted", OUTSIDE, _bucket(event.bucket)),
    StockInspected: lambda event: ("inspected", "quality_control", _inspected(event.disposition)),
}


class Implausible(ValueError):
    """A fact that cannot be: no such bucket, a count below zero, another unit than the product has."""


class Product(Record):
    """What is known of a product besides its shelves. It is never forgotten: its ledger has no gaps."""

    unit: str
    ledger_seq: int = 0


def fold(state: State[Product], event: Any) -> Step:
    """After this the shelves reflect the fact, and the ledger holds each unit that it moved."""
    movement = _MOVEMENTS.get(type(event))
    if movement is not None:
        return _fold_movement(state, event, *movement(event))
    if type(event) is StockCounted:
        return _fold_count(state, event, event.as_of)
    if type(event) is StockLevelReported:
        return _fold_report(state, event)
    return Step(state.head, skipped=UNFOLDED)


def level_key(sku: str, location_id: str, owner: str) -> str:
    """The record key of a level: the three ids as a JSON array, since an id may hold any character."""
    return msgspec.json.encode((sku, location_id, owner)).decode()


def _bucket(name: str) -> str:
    if name not in BUCKETS:
        raise Implausible("a fact names a bucket that no shelf has")
    return name


def _inspected(disposition: str) -> str:
    return OUTSIDE if disposition == _GONE else _bucket(disposition)


def _shelf(state: State[Product], event: Any) -> Shelf:
    if state.head is not None and state.head.unit != event.unit:
        raise Implausible("a fact is in another unit than its product is stocked in")
    return state["shelves"].get((event.location_id, event.owner)) or Shelf()


def _fold_movement(state: State[Product], event: Any, kind: str, source: str, target: str) -> Step:
    shelf, fact = _shelf(state, event), digest(event.meta.event_id)
    if fact in shelf.recent_ids:  # astride of two digests is as unlikely as two that are equal
        return Step(state.head, skipped=DUPLICATE)
    at, quantity = event.meta.occurred_at, event.quantity
    if not quantity:
        return Step(state.head, skipped=EMPTY)
    if quantity < 0:
        source, target, quantity = target, source, -quantity
    remember(shelf, fact, at, source, target, quantity)
    if shelf.counted_at is not None and at <= shelf.counted_at:
        return _publish(state, event, shelf, ABSORBED, [(target if source == OUTSIDE else source, 0)])
    return _publish(state, event, shelf, kind, move(shelf, source, target, quantity))


def _fold_count(state: State[Product], event: Any, as_of: int) -> Step:
    shelf, fact = _shelf(state, event), digest(event.meta.event_id)
    count_id = event.count_id or event.meta.event_id
    if fact in shelf.recent_ids or count_id == shelf.count_id:
        return Step(state.head, skipped=DUPLICATE)
    _check_counted(event.quantities)
    as_of = min(as_of, event.meta.received_at)  # a count of tomorrow would absorb today's sales
    kind, changes = _settle(shelf, event.quantities, as_of, count_id)
    remember(shelf, fact, as_of, OUTSIDE, OUTSIDE, 0)
    return _publish(state, event, shelf, kind, changes)


def _check_counted(quantities: dict[str, int]) -> None:
    for bucket, quantity in quantities.items():
        if quantity < 0 or bucket not in BUCKETS:
            raise Implausible("a count is below zero, or names a bucket that no shelf has")


def _settle(shelf: Shelf, counted: dict[str, int], as_of: int, count_id: str) -> tuple[str, list[Change]]:
    if shelf.counted_at is not None and (as_of, count_id) < (shelf.counted_at, shelf.count_id):
        return ABSORBED, [(AVAILABLE, 0)]
    if as_of < shelf.forgotten_until:
        return UNSETTLED, [(AVAILABLE, 0)]
    shelf.counted_at, shelf.count_id = as_of, count_id
    return "counted", recount(shelf, counted, as_of)


def _publish(state: State[Product], event: Any, shelf: Shelf, kind: str, changes: list[Change]) -> Step:
    """Keeps the shelf; the changes go to the ledger, and a level follows unless they were merely logged."""
    part = event.location_id, event.owner
    state["shelves"][part] = shelf
    head = state.head or Product(event.unit)
    outputs = []
    for line_no, change in enumerate(changes):
        head.ledger_seq += 1
        entry = _entry(state.key, head.ledger_seq, part, event.meta, line_no, kind, change)
        outputs.append(Output(LEDGER, state.key, entry))
    if kind in _LOGGED:
        return Step(head, outputs, skipped=kind)
    outputs.append(Output(LEVELS, level_key(state.key, *part), _level(state.key, part, shelf), is_local=True))
    return Step(head, outputs)


def _entry(
    sku: str, seq: int, part: Part, meta: Meta, line_no: int, kind: str, change: Change
) -> StockLedgerEntry:
    return StockLedgerEntry(
        sku=sku,
        seq=seq,
        location_id=part[0],
        owner=part[1],
        event_id=meta.event_id,
        line_no=line_no,
        kind=kind,
        bucket=change[0],
        delta=change[1],
        at=meta.occurred_at,
    )


def _level(sku: str, part: Part, shelf: Shelf) -> StockLevel:
    return StockLevel(
        sku=sku,
        location_id=part[0],
        owner=part[1],
        available=shelf.available,
        held=shelf.held,
        committed=shelf.committed,
        picked=shelf.picked,
        quality_control=shelf.quality_control,
        damaged=shelf.damaged,
        safety=shelf.safety,
        blocked=shelf.blocked,
        on_hand=shelf.on_hand,
        shortage=shelf.shortage,
        incoming=shelf.incoming,
        in_transit=shelf.in_transit,
        counted_at=shelf.counted_at,
        updated_at=shelf.updated_at,
    )


def _fold_report(state: State[Product], event: StockLevelReported) -> Step:
    if event.as_of is None:
        return Step(state.head, skipped=UNDATED)
    return _fold_count(state, event, event.as_of)


VIEW = View(
    name="stock",
    sources=(STOCK,),
    outputs=(LEVELS, LEDGER),
    head=Product,
    collections={"shelves": Shelf},
    fold=fold,
    commit_interval_ms=0,
)
