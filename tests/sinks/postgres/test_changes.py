"""What a batch changes, before any database is asked."""

from typing import Any

import pytest

from schemas.events.clock import ClockAdvanced
from schemas.events.states import OrderState, OrderStateLine, StockLedgerEntry, StockLevel
from sinks.postgres.changes import Floors, Record, Source, changes
from sinks.postgres.faults import RowsFailed
from sinks.projections import order_lines, orders, stock_ledger, stock_levels

LEVELS = Source("stock.levels.v1", lambda _: None, (stock_levels.PROJECTION,), True)
LEDGER = Source("stock.ledger.v1", lambda _: None, (stock_ledger.PROJECTION,), False)
ORDERS = Source("commerce.order-states.v1", lambda _: None, (orders.PROJECTION, order_lines.PROJECTION), True)
SHELF = '["sku","haarlem","own"]'


def record(source: Source, offset: int, event: Any, key: str = SHELF) -> Record:
    return Record(source, 0, offset, key, event, key.encode(), b"")


def level(seq: int, available: int) -> StockLevel:
    return StockLevel(seq=seq, sku="sku", location_id="haarlem", available=available)


def entry(seq: int, delta: int) -> StockLedgerEntry:
    return StockLedgerEntry(
        sku="sku", seq=seq, location_id="haarlem", event_id="e", line_no=1, kind="sold", bucket="available",
        delta=delta, at=0,
    )  # fmt: skip


def order(*lines: str, order_id: str = "till:1") -> OrderState:
    sold = [OrderStateLine(line_id=line, sku="sku", quantity=1, total=1, status="sold") for line in lines]
    return OrderState(
        seq=1, order_id=order_id, channel="store", source="till", status="completed", placed_at=0, total=1,
        currency="EUR", lines=sold,
    )  # fmt: skip


def rows(records: list[Record], floors: Floors | None = None) -> dict[str, list[Any]]:
    return {
        table.projection.name: list(table.rows.values()) for table in changes(records, floors or {}).tables
    }


def test_of_one_key_the_newest_version_is_written_wherever_it_stands() -> None:
    found = rows(
        [record(LEVELS, 1, level(1, 10)), record(LEVELS, 2, level(3, 30)), record(LEVELS, 3, level(2, 20))]
    )
    assert [row[3] for row in found["stock_levels"]] == [30]


def test_of_one_entry_the_first_is_written() -> None:
    found = rows(
        [record(LEDGER, 1, entry(1, -1)), record(LEDGER, 2, entry(1, -9)), record(LEDGER, 3, entry(2, -2))]
    )
    assert [row[8] for row in found["stock_ledger"]] == [-1, -2]


def test_a_tombstone_takes_the_rows_before_it_and_not_those_after() -> None:
    before, gone, after = (
        record(ORDERS, n, event, "till:1") for n, event in enumerate((order("1", "2"), None, order("3")))
    )
    changed = changes([before, gone, after], {})
    lines = next(table for table in changed.tables if table.projection is order_lines.PROJECTION)
    assert list(lines.rows) == [("till:1", "3")]
    assert list(lines.forgotten) == [("till:1",)]


def test_a_table_that_is_ahead_leaves_out_what_it_has() -> None:
    floors = {("orders", ORDERS.name, 0): 2}
    found = rows([record(ORDERS, offset, order("1", order_id=f"till:{offset}")) for offset in (1, 2)], floors)
    assert [row[0] for row in found["orders"]] == ["till:2"]
    assert [row[0] for row in found["order_lines"]] == ["till:1", "till:2"]


def test_a_row_says_where_it_came_from() -> None:
    found = rows([record(LEVELS, 7, level(1, 10))])
    assert found["stock_levels"][0][-3:] == ("stock.levels.v1", 0, 7)


def test_clocks_go_forward_and_make_no_row() -> None:
    clocks = [
        record(LEVELS, n, ClockAdvanced(until=until, writer="replay", lane=1))
        for n, until in enumerate((5, 9, 7))
    ]
    changed = changes(clocks, {})
    assert changed.clocks == {("stock.levels.v1", 0, "replay", 1): 9}
    assert changed.tables == []


def test_a_projection_that_fails_is_named_and_the_event_is_not() -> None:
    with pytest.raises(RowsFailed, match="stock_levels raised DecodeError"):
        changes([record(LEVELS, 1, None, key="secret")], {})
