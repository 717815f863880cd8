"""What was paid back, and what of it lies on a shelf again."""

from collections.abc import Iterator

from connectors.protocol import documents, values
from connectors.protocol.channel import Verdict
from connectors.vendors.shopify.payload import RefundDocument, RefundedLine
from connectors.vendors.shopify.shop import Shop
from schemas.events.lines import LineQuantity, Refund
from schemas.events.orders import RefundIssued
from schemas.events.stock import StockReceived
from schemas.meta import Amount, Event, Instant


def refunded(shop: Shop, body: bytes) -> Verdict:
    return Verdict(list(refund_events(shop, documents.read(body, RefundDocument))))


def refund_events(shop: Shop, refund: RefundDocument) -> Iterator[Event]:
    """What was paid back, and each restocked line."""
    at = shop.at(refund.processed_at or refund.created_at)
    kinds = {line.restock_type for line in refund.refund_line_items if line.restock_type}
    yield RefundIssued(
        meta=shop.meta(RefundIssued, str(refund.id), at),
        order_id=str(refund.order_id),
        refund_id=str(refund.id),
        lines=[line_of(line) for line in refund.refund_line_items],
        currency=_currency_of(shop, refund),
        amount=paid_back(refund),
        restock=kinds.pop() if len(kinds) == 1 else None,
    )
    yield from _restocked(shop, refund, at)


def refund_of(shop: Shop, refund: RefundDocument) -> Refund:
    return Refund(
        refund_id=str(refund.id),
        lines=[line_of(line) for line in refund.refund_line_items],
        amount=paid_back(refund),
        updated_at=shop.at(refund.processed_at or refund.created_at),
    )


def _restocked(shop: Shop, refund: RefundDocument, at: Instant | None) -> Iterator[Event]:
    for line in refund.refund_line_items:
        sku = line.line_item.sku if line.line_item else None
        if line.restock_type in ("return", "cancel") and line.location_id and sku:
            yield StockReceived(
                meta=shop.meta(StockReceived, f"{refund.id}:{line.id}", at),
                sku=sku,
                location_id=shop.location(line.location_id),
                quantity=line.quantity,
                reason=line.restock_type,
                document_id=str(refund.id),
                line_id=str(line.id),
            )


def _currency_of(shop: Shop, refund: RefundDocument) -> str:
    return shop.currency(next((each.currency for each in refund.transactions if each.currency), None))


def line_of(line: RefundedLine) -> LineQuantity:
    sku = line.line_item.sku if line.line_item else None
    return LineQuantity(line_id=str(line.line_item_id), sku=sku, quantity=line.quantity)


def paid_back(refund: RefundDocument) -> Amount:
    good = (each for each in refund.transactions if each.kind == "refund" and each.status == "success")
    return sum(values.amount(each.amount) for each in good)
