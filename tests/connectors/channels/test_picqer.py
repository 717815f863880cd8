"""Picqer's amounts, times and stock."""

from typing import cast

from connectors.channels.picqer import receive
from connectors.protocol import values
from connectors.protocol.channel import Verdict
from schemas.events.orders import OrderReported
from schemas.events.stock import StockLevelReported
from tests.connectors.channels.samples.picqer import ORDER, SAMPLES, SECRET, STOCK, sent, sign


def test_an_order_s_amounts_and_its_time() -> None:
    found = cast(Verdict, receive(sign(sent("orders.created", ORDER), SECRET), SAMPLES.source))
    event = cast(OrderReported, found.events[0])
    assert [line.total for line in event.lines] == [1_289_200, 1_644_600]
    assert event.totals.total == 2_933_800
    assert event.updated_at == values.moment("2025-11-24T08:46:30Z")


def test_stock_is_told_per_warehouse() -> None:
    found = cast(Verdict, receive(sign(sent("products.free_stock_changed", STOCK), SECRET), SAMPLES.source))
    events = cast(list[StockLevelReported], found.events)
    assert [(event.location_id, event.quantities) for event in events] == [
        ("utrecht", {"on_hand": 9, "available": 7, "reserved": 2}),
        ("19", {"available": 0}),
    ]
