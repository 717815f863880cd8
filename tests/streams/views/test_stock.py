"""Stock, fact by fact: what a shelf holds, what the ledger says, what is not applied."""

from itertools import count
from typing import Any

import pytest

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
from schemas.events.stock_requests import ReserveStock
from schemas.meta import Event, Meta
from schemas.topics import LEDGER, LEVELS
from streams.view import Output, State
from streams.views import stock
from streams.views.stock_shelf import REMEMBERED_MAX, Shelf

SHELF: dict[str, Any] = {"sku": "A", "location_id": "S1"}


def test_a_sale_leaves_the_shelf_and_stands_in_the_ledger() -> None:
    level, ledger, _ = folded(counted(5), sold(2, at=2))
    assert (level.sku, level.location_id, level.owner, level.available, level.on_hand) == (
        "A",
        "S1",
        "own",
        3,
        3,
    )
    assert [(row.seq, row.kind, row.bucket, row.delta, row.at) for row in ledger] == [
        (1, "counted", "available", 5, 1),
        (2, "sold", "available", -2, 2),
    ]
    assert (level.counted_at, level.updated_at) == (1, 2)


def test_what_a_sale_cannot_take_is_shortage_until_the_next_receipt() -> None:
    level, ledger, _ = folded(sold(3), received(2), received(2))
    assert (level.available, level.shortage) == (1, 0)
    assert [(row.line_no, row.bucket, row.delta) for row in ledger] == [
        (0, "shortage", 3),
        (0, "shortage", -2),
        (0, "shortage", -1),
        (1, "available", 1),
    ]


def test_a_voided_sale_lies_on_the_shelf_again() -> None:
    void = StockSaleVoided(meta=meta(3), **SHELF, quantity=2, document_id="d", line_id="1")
    assert folded(counted(5), sold(2, at=2), void)[0].available == 5


def test_each_fact_moves_its_own_bucket() -> None:
    level, _, _ = folded(
        counted(20),
        StockMoved(meta=meta(2), **SHELF, from_bucket="available", to_bucket="damaged", quantity=1),
        StockReceived(meta=meta(3), **SHELF, quantity=9, disposition="quality_control"),
        StockInspected(meta=meta(4), **SHELF, quantity=2, disposition="blocked"),
        StockInspected(meta=meta(5), **SHELF, quantity=3, disposition="gone"),
        StockAdjusted(meta=meta(6), **SHELF, quantity=-4, reason="theft"),
        StockAdjusted(meta=meta(7), **SHELF, quantity=5, bucket="safety", reason="found"),
        StockShipped(meta=meta(8), **SHELF, quantity=6),
    )
    assert (level.available, level.damaged, level.quality_control, level.blocked) == (9, 1, 4, 2)
    assert (level.safety, level.on_hand) == (5, 21)


def test_a_fact_that_comes_again_changes_nothing() -> None:
    assert folded(counted(5), sold(2, at=2), sold(2, at=2))[2] == [None, None, "duplicate"]


def test_a_fact_that_a_count_has_seen_is_logged_and_not_applied() -> None:
    level, ledger, skipped = folded(counted(5, as_of=10), sold(2, at=10), sold(2, at=10))
    assert (level.available, skipped) == (5, [None, "absorbed", "duplicate"])
    assert (ledger[-1].kind, ledger[-1].delta, ledger[-1].seq) == ("absorbed", 0, 2)


def test_a_late_count_keeps_what_moved_since() -> None:
    level, _, _ = folded(sold(1, at=9), sold(2, at=11), counted(20, as_of=10))
    assert (level.available, level.shortage, level.counted_at) == (18, 0, 10)


def test_an_older_count_is_logged_and_not_applied() -> None:
    level, ledger, skipped = folded(counted(5, as_of=10), counted(50, as_of=9))
    assert (level.available, skipped[-1], ledger[-1].kind) == (5, "absorbed", "absorbed")


def test_a_count_that_comes_again_changes_nothing() -> None:
    assert folded(counted(5), sold(1, at=2), counted(5, event_id="other"))[2][-1] == "duplicate"


def test_of_two_counts_of_one_moment_the_same_wins_whichever_comes_first() -> None:
    one, other = counted(5, count_id="a"), counted(6, count_id="b")
    assert folded(one, other)[0].available == folded(other, one)[0].available == 6


def test_a_count_of_tomorrow_does_not_absorb_the_sales_of_today() -> None:
    level, _, _ = folded(counted(5, as_of=10**9), sold(1, at=RECEIVED_AT + 1))
    assert (level.available, level.counted_at) == (4, RECEIVED_AT)


def test_a_count_about_a_moment_that_is_forgotten_is_logged_and_not_applied() -> None:
    sales = [sold(1, at=at) for at in range(10, 11 + REMEMBERED_MAX)]
    level, ledger, skipped = folded(*sales, counted(1_000, as_of=9))
    assert (level.shortage, skipped[-1], ledger[-1].kind) == (REMEMBERED_MAX + 1, "unsettled", "unsettled")
    assert folded(*sales, counted(1_000, as_of=10))[0].available == 1_000 - REMEMBERED_MAX


def test_a_shelf_that_was_counted_as_empty_is_shown() -> None:
    level, ledger, _ = folded(counted(0))
    assert (level.on_hand, level.counted_at, ledger) == (0, 1, [])


def test_a_report_with_a_moment_is_a_count_and_one_without_changes_nothing() -> None:
    report = StockLevelReported(meta=meta(2), **SHELF, quantities={"available": 7}, as_of=2)
    assert folded(report)[0].available == 7
    undated = StockLevelReported(meta=meta(3), **SHELF, quantities={"available": 8})
    assert folded(report, undated)[2] == [None, "undated"]


def test_a_fact_of_no_units_and_a_request_change_nothing() -> None:
    hold = ReserveStock(
        meta=meta(1), hold_id="h", basket_id="b", sku="A", quantity=1, channel="web", expires_at=2
    )
    state = State[stock.Product]("A", None, {"shelves": {}})
    assert [stock.fold(state, event).skipped for event in (sold(0), hold)] == ["empty", "unfolded"]
    assert stock.fold(state, hold).head is None


def test_shelves_of_one_product_are_apart_and_share_one_ledger() -> None:
    partner = StockReceived(meta=meta(2), sku="A", location_id="S1", owner="partner", quantity=3)
    level, ledger, _ = folded(counted(5), partner)
    assert (level.owner, level.available) == ("partner", 3)
    assert [(row.owner, row.seq) for row in ledger] == [("own", 1), ("partner", 2)]


def test_keys_of_levels_are_apart_whatever_characters_ids_hold() -> None:
    keys = {
        stock.level_key("a/b", "c", "d"),
        stock.level_key("a", "b/c", "d"),
        stock.level_key('a","b', "c", "d"),
    }
    assert len(keys) == 3


def test_what_cannot_be_is_refused() -> None:
    impossible = [
        counted(-1),
        StockCounted(meta=meta(1), **SHELF, quantities={"shortage": 1}, as_of=1, count_id="c"),
        StockReceived(meta=meta(1), **SHELF, quantity=1, disposition="outside"),
        StockSold(meta=meta(2), **SHELF, quantity=453, unit="g", document_id="d", line_id="1"),
    ]
    for event in impossible:
        with pytest.raises(stock.Implausible):
            folded(sold(1, at=1), event)


def folded(*events: Event) -> tuple[StockLevel, list[StockLedgerEntry], list[str | None]]:
    """The last level that was published, the ledger, and why each event was skipped."""
    state = State[stock.Product]("A", None, {"shelves": dict[Any, Shelf]()})
    outputs: list[Output] = []
    skipped = []
    for event in events:
        step = stock.fold(state, event)
        state.head = step.head  # type: ignore[assignment]
        outputs += step.outputs
        skipped.append(step.skipped)
    levels = [output.event for output in outputs if output.topic is LEVELS and output.is_local]
    ledger = [output.event for output in outputs if output.topic is LEDGER and output.key == "A"]
    return levels[-1], ledger, skipped  # type: ignore[return-value]


RECEIVED_AT = 10**6


def meta(at: int, event_id: str | None = None) -> Meta:
    return Meta(
        event_id=event_id or f"e{at}", occurred_at=at, received_at=RECEIVED_AT, channel="store", source="till"
    )


def sold(quantity: int, *, at: int = 1) -> StockSold:
    return StockSold(meta=meta(at, f"sold-{at}"), **SHELF, quantity=quantity, document_id="d", line_id="1")


_receipts = count()


def received(quantity: int) -> StockReceived:
    return StockReceived(meta=meta(2, f"received-{next(_receipts)}"), **SHELF, quantity=quantity)


def counted(
    quantity: int, *, as_of: int = 1, count_id: str | None = None, event_id: str | None = None
) -> StockCounted:
    name = count_id or f"count-{as_of}"
    return StockCounted(
        meta=meta(as_of, event_id or name),
        **SHELF,
        quantities={"available": quantity},
        as_of=as_of,
        count_id=name,
    )
