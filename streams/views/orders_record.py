"""One order or till receipt as it is kept: what was bought, what happened to it since, and what follows from that.

Nobody sets a status. A line's follows from what happened to it, the order's from its lines.
"""

import msgspec

from schemas.events.states import OrderState, OrderStateLine
from schemas.meta import Identifier
from streams.view import Record

VOIDED = "voided"
CANCELLED = "cancelled"
RETURNED = "returned"
TAKEN_BACK = "taken_back"
"""The status of a line that was a return from the start: a till may take back and sell on one receipt."""

_DONE = frozenset({"sold", TAKEN_BACK})
_IS_RETURNED = frozenset({RETURNED, "partially_returned"})


class Line(Record):
    """A line as it was bought, and how much of it was cancelled or came back since."""

    line_id: str
    sku: str
    quantity: int
    unit: str
    unit_price: int | None
    discount: int
    total: int
    sold_by: str | None
    stock_owner: str | None
    is_cancelled: bool = False
    cancelled_quantity: int = 0
    returned_quantity: int = 0


class Sequel(Record):
    """What happened to an order after it was bought: `kind` is voided, cancelled or returned.

    `quantities` are units by line id (cancelled) or by sku (returned); empty means everything.
    """

    kind: str
    document_id: str
    at: int
    quantities: list[tuple[str, int]] = msgspec.field(default_factory=list)


class Order(Record):
    """An order, or what came of it before itself (`placed_at` None): then only the sequels are known."""

    number: str | None = None
    channel: str = ""
    source: str = ""
    identifiers: list[Identifier] = msgspec.field(default_factory=list)
    location_id: str | None = None
    placed_at: int | None = None
    business_date: int | None = None
    total: int = 0
    discount: int = 0
    currency: str = ""
    lines: list[Line] = msgspec.field(default_factory=list)
    is_sold: bool = False
    is_accepted: bool = False
    sequels: list[Sequel] = msgspec.field(default_factory=list)
    updated_at: int = 0


def follow(order: Order, sequel: Sequel) -> list[int]:
    """The order's lines reflect the sequel; says which lines (by their place) it cancelled as a whole."""
    if sequel.kind == RETURNED:
        _take_back(order, sequel.quantities)
        return []
    before = [line.is_cancelled for line in order.lines]
    asked = dict(sequel.quantities)
    for line in order.lines:
        line.cancelled_quantity += asked.get(line.line_id, 0)
        line.is_cancelled |= not asked or 0 < line.quantity <= line.cancelled_quantity
    return [place for place, line in enumerate(order.lines) if line.is_cancelled > before[place]]


def _take_back(order: Order, quantities: list[tuple[str, int]]) -> None:
    """A return's lines are numbered by its own receipt, so that only the product says which line came back."""
    for sku, quantity in quantities:
        for line in order.lines:
            if line.sku == sku and line.quantity > line.returned_quantity:
                came_back = min(quantity, line.quantity - line.returned_quantity)
                line.returned_quantity += came_back
                quantity -= came_back


def snapshot(order_id: str, order: Order, placed_at: int) -> OrderState:
    """The order as others see it."""
    lines = [_line_state(order, line) for line in order.lines]
    return OrderState(
        updated_at=order.updated_at,
        order_id=order_id,
        number=order.number,
        channel=order.channel,
        source=order.source,
        identifiers=order.identifiers,
        location_id=order.location_id,
        status=_status(order, {line.status for line in lines}),
        placed_at=placed_at,
        business_date=order.business_date,
        total=order.total,
        discount=order.discount,
        currency=order.currency,
        lines=lines,
    )


def _line_state(order: Order, line: Line) -> OrderStateLine:
    return OrderStateLine(
        line_id=line.line_id,
        sku=line.sku,
        quantity=line.quantity,
        unit=line.unit,
        unit_price=line.unit_price,
        discount=line.discount,
        total=line.total,
        status=_line_status(order, line),
        sold_by=line.sold_by,
        stock_owner=line.stock_owner,
        returned_quantity=line.returned_quantity,
    )


def _line_status(order: Order, line: Line) -> str:
    if line.is_cancelled:
        return CANCELLED
    if line.quantity < 0:
        return TAKEN_BACK
    if line.returned_quantity:
        return RETURNED if line.returned_quantity == line.quantity else "partially_returned"
    if order.is_sold:
        return "sold"
    return "accepted" if order.is_accepted else "placed"


def _status(order: Order, lines: set[str]) -> str:
    if lines == {CANCELLED}:
        return CANCELLED
    left = lines - {CANCELLED}
    if left == {RETURNED}:
        return RETURNED
    if left & _IS_RETURNED:
        return "partially_returned"
    return "fulfilled" if left <= _DONE and order.is_sold else "open"
