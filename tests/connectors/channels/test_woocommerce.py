"""What WooCommerce does in ways of its own."""

from typing import Any

from connectors.channels.woocommerce import CHANNEL
from connectors.protocol.channel import Challenge
from schemas.events.orders import OrderPlaced, RefundIssued
from schemas.events.stock import StockLevelReported
from tests.connectors.channels.samples.woocommerce import ORDER, PRODUCT, SAMPLES, sent, sign
from tests.connectors.channels.sampling import post


def taken(topic: str, document: Any) -> Any:
    return CHANNEL.receive(sign(sent(topic, document), SAMPLES.secret), SAMPLES.source)


def test_the_ping_of_a_new_webhook_hears_success() -> None:
    found = CHANNEL.receive(post(b"webhook_id=17"), SAMPLES.source)
    assert isinstance(found, Challenge)
    assert found.answer.status == 200


def test_times_are_gmt_and_amounts_exact() -> None:
    (placed,) = taken("order.created", ORDER).events
    assert isinstance(placed, OrderPlaced)
    assert placed.meta.occurred_at == 1_763_978_400_000_000
    (line,) = placed.lines
    assert (line.unit_price, line.discount, line.total, placed.totals.total) == (
        1_999_500,
        100_000,
        1_899_500,
        1_899_500,
    )
    assert placed.meta.context == {"utm_source": "instagram"}


def test_a_refund_is_the_same_fact_in_each_update() -> None:
    refunded = {**ORDER, "refunds": [{"id": 726, "total": "-10.00"}]}
    first = taken("order.updated", refunded).events[1]
    again = taken("order.updated", {**refunded, "date_modified_gmt": "2025-11-24T10:06:00"}).events[1]
    assert isinstance(first, RefundIssued)
    assert (first.amount, first.meta.event_id) == (100_000, again.meta.event_id)


def test_stock_lies_where_the_source_says() -> None:
    level = taken("product.updated", PRODUCT).events[1]
    assert isinstance(level, StockLevelReported)
    assert (level.location_id, level.quantities) == ("haarlem", {"available": 3})
