"""What a till receipt moves in stock: one fact a line, with an id that follows from the receipt and the line.

A line of no units, or of no product (a deposit, a service), moves nothing. Units leave and return to the shelf of
the line's stock owner at the receipt's store; what a customer brings back goes to quality control.
"""

from typing import Any

import msgspec

from schemas.events.lines import Line as EventLine
from schemas.events.orders import ReturnedInStore
from schemas.events.stock import StockAdjusted, StockReceived, StockSaleVoided, StockSold
from schemas.ids import event_id
from schemas.meta import Meta
from schemas.topics import STOCK
from streams.view import Output
from streams.views.orders_record import Line, Order

OWN = "own"
"""The stock owner of a line that names none."""

_TO_INSPECT = "quality_control"


class _Document(msgspec.Struct, frozen=True, gc=False):
    kind: str
    document_id: str
    location_id: str
    meta: Meta
    at: int


def sold(order_id: str, order: Order, meta: Meta) -> list[Output]:
    """The units of a receipt left the shelves; what it took back has come."""
    sale = _Document("sold", order_id, order.location_id or "", meta, meta.occurred_at)
    return [_sold(sale, place, line) for place, line in enumerate(order.lines) if _moves(line)]


def voided(order_id: str, order: Order, places: list[int], meta: Meta, at: int) -> list[Output]:
    """The units of the lines at `places` lie on the shelves again; what they took back has gone again."""
    void = _Document("voided", order_id, order.location_id or "", meta, at)
    return [_voided(void, place, order.lines[place]) for place in places if _moves(order.lines[place])]


def returned(event: ReturnedInStore) -> list[Output]:
    """The units of a return lie in quality control at the store that took them back."""
    meta = event.meta
    document = _Document(
        "returned", f"{meta.source}:{event.receipt_id}", event.store_id, meta, meta.occurred_at
    )
    lines = enumerate(event.lines)
    return [_came_back(document, place, line, line.quantity) for place, line in lines if _moves(line)]


def _moves(line: Line | EventLine) -> bool:
    return bool(line.sku and line.quantity)


def _sold(document: _Document, place: int, line: Line) -> Output:
    if line.quantity < 0:
        return _came_back(document, place, line, -line.quantity)
    return _fact(StockSold, document, place, line, line.quantity, line_id=line.line_id)


def _voided(document: _Document, place: int, line: Line) -> Output:
    if line.quantity > 0:
        return _fact(StockSaleVoided, document, place, line, line.quantity, line_id=line.line_id)
    return _fact(
        StockAdjusted, document, place, line, line.quantity, bucket=_TO_INSPECT, reason="return voided"
    )


def _came_back(document: _Document, place: int, line: Line | EventLine, quantity: int) -> Output:
    return _fact(
        StockReceived,
        document,
        place,
        line,
        quantity,
        line_id=line.line_id,
        reason="return",
        disposition=_TO_INSPECT,
    )


def _fact(
    kind: type, document: _Document, place: int, line: Line | EventLine, quantity: int, **more: Any
) -> Output:
    """Stock has no need to know who bought: the meta carries no identifiers and no context."""
    told = document.meta
    business_id = f"{document.document_id}#{document.kind}#{place}"
    meta = Meta(
        event_id=event_id(told.source, kind.__name__, business_id),
        occurred_at=document.at,
        received_at=told.received_at,
        channel=told.channel,
        source=told.source,
        source_event_id=told.event_id,
    )
    fact = kind(
        meta=meta,
        sku=line.sku,
        location_id=document.location_id,
        owner=line.stock_owner or OWN,
        quantity=quantity,
        unit=line.unit,
        document_id=document.document_id,
        **more,
    )
    return Output(STOCK, line.sku, fact)
