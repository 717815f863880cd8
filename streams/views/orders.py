"""Orders: the state of every order and till receipt, and what each receipt moved in stock.

Facts come in any order: a void or a return that precedes its receipt waits for it. A receipt or order that comes
again, whatever its event id, changes nothing, for as long as the order is kept, which is for ever. An order's size
is bounded by the record that placed it (1 MB), and what follows it by SEQUELS_MAX.

Of web orders placing, accepting and cancelling are folded. Paying, changing, picking, sending, collecting,
returning by post and refunding are not yet, nor are whole-order reports: `unfolded`.
"""

from collections.abc import Callable
from typing import Any

from schemas.events.lines import Line as EventLine
from schemas.events.orders import (
    OrderAccepted,
    OrderCancelled,
    OrderPlaced,
    ReturnedInStore,
    SoldInStore,
    StoreSaleVoided,
)
from schemas.identifiers import LOYALTY_CARD
from schemas.meta import Identifier
from schemas.topics import ORDER_STATES, ORDERS, STOCK
from streams.view import Output, State, Step, View
from streams.views import orders_stock
from streams.views.orders_record import CANCELLED, RETURNED, VOIDED, Line, Order, Sequel, follow, snapshot

SEQUELS_MAX = 500
"""Voids, cancellations and returns that one order remembers."""

DUPLICATE = "duplicate"
UNFOLDED = "unfolded"


class SequelsTooMany(ValueError):
    """More has happened to an order than an order remembers."""


def fold(state: State[Order], event: Any) -> Step:
    """After this the order reflects the fact, and stock was told what its receipt moved."""
    known = _FOLDS.get(type(event))
    if known is None:
        return Step(state.head, skipped=UNFOLDED)
    return known(state.key, state.head or Order(), event)


def _fold_sale(order_id: str, order: Order, event: SoldInStore) -> Step:
    if order.placed_at is not None:
        return Step(order, skipped=DUPLICATE)
    order.is_sold = True
    order.business_date = event.business_date
    _place(order, event, event.receipt_id, event.store_id)
    if event.loyalty_card:
        order.identifiers = _with_card(order.identifiers, event.loyalty_card)
    moved = orders_stock.sold(order_id, order, event.meta)
    return _publish(order_id, order, event, moved + _catch_up(order_id, order, event))


def _fold_placed(order_id: str, order: Order, event: OrderPlaced) -> Step:
    if order.placed_at is not None:
        return Step(order, skipped=DUPLICATE)
    _place(order, event, event.number or event.order_id, event.location_id)
    return _publish(order_id, order, event, _catch_up(order_id, order, event))


def _place(order: Order, event: SoldInStore | OrderPlaced, number: str, location_id: str | None) -> None:
    meta = event.meta
    order.number = number
    order.channel = meta.channel
    order.source = meta.source
    order.identifiers = meta.identifiers
    order.location_id = location_id
    order.placed_at = meta.occurred_at
    order.total = event.totals.total
    order.discount = event.totals.discount
    order.currency = event.currency
    order.lines = [_line(line) for line in event.lines]


def _line(line: EventLine) -> Line:
    return Line(
        line.line_id,
        line.sku,
        line.quantity,
        line.unit,
        line.unit_price,
        line.discount,
        line.total,
        line.sold_by,
        line.stock_owner,
    )


def _with_card(identifiers: list[Identifier], card: str) -> list[Identifier]:
    if any(each.kind == LOYALTY_CARD for each in identifiers):
        return identifiers
    return [*identifiers, Identifier(LOYALTY_CARD, card)]


def _catch_up(order_id: str, order: Order, event: Any) -> list[Output]:
    """What happened to the order before it was known happens to it now."""
    return [output for sequel in order.sequels for output in _happens(order_id, order, sequel, event)]


def _happens(order_id: str, order: Order, sequel: Sequel, event: Any) -> list[Output]:
    cancelled = follow(order, sequel)
    if sequel.kind != VOIDED or not order.is_sold:
        return []
    return orders_stock.voided(order_id, order, cancelled, event.meta, sequel.at)


def _fold_accepted(order_id: str, order: Order, event: OrderAccepted) -> Step:
    if order.is_accepted:
        return Step(order, skipped=DUPLICATE)
    order.is_accepted = True
    return _publish(order_id, order, event, [])


def _fold_cancelled(order_id: str, order: Order, event: OrderCancelled) -> Step:
    quantities = [(line.line_id, line.quantity) for line in event.lines]
    return _fold_sequel(
        order_id, order, event, Sequel(CANCELLED, event.meta.event_id, _at(event), quantities)
    )


def _fold_void(order_id: str, order: Order, event: StoreSaleVoided) -> Step:
    return _fold_sequel(order_id, order, event, Sequel(VOIDED, event.receipt_id, _at(event)))


def _fold_return(order_id: str, order: Order, event: ReturnedInStore) -> Step:
    """Without its order a return has no state to show; its units lie in the store nevertheless."""
    quantities = [(line.sku, line.quantity) for line in event.lines]
    sequel = Sequel(RETURNED, f"{event.meta.source}:{event.receipt_id}", _at(event), quantities)
    step = _fold_sequel(order_id, order, event, sequel)
    if step.skipped is None:
        step.outputs = [*step.outputs, *orders_stock.returned(event)]
    return step


def _at(event: Any) -> int:
    at: int = event.meta.occurred_at
    return at


def _fold_sequel(order_id: str, order: Order, event: Any, sequel: Sequel) -> Step:
    if any((each.kind, each.document_id) == (sequel.kind, sequel.document_id) for each in order.sequels):
        return Step(order, skipped=DUPLICATE)
    if len(order.sequels) >= SEQUELS_MAX:
        raise SequelsTooMany
    order.sequels.append(sequel)
    outputs = [] if order.placed_at is None else _happens(order_id, order, sequel, event)
    return _publish(order_id, order, event, outputs)


def _publish(order_id: str, order: Order, event: Any, outputs: list[Output]) -> Step:
    """An order that nobody placed yet is not shown."""
    order.updated_at = max(order.updated_at, _at(event))
    if order.placed_at is None:
        return Step(order, outputs)
    state = snapshot(order_id, order, order.placed_at)
    return Step(order, [Output(ORDER_STATES, order_id, state), *outputs])


_FOLDS: dict[type, Callable[[str, Order, Any], Step]] = {
    SoldInStore: _fold_sale,
    StoreSaleVoided: _fold_void,
    ReturnedInStore: _fold_return,
    OrderPlaced: _fold_placed,
    OrderAccepted: _fold_accepted,
    OrderCancelled: _fold_cancelled,
}

VIEW = View(
    name="orders",
    sources=(ORDERS,),
    outputs=(ORDER_STATES, STOCK),
    head=Order,
    fold=fold,
)
