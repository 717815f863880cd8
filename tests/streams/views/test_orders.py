"""Orders and till receipts: what state follows from what happened, and what a receipt moves in stock."""

from itertools import permutations
from typing import Any

import msgspec
import pytest

from schemas.events.lines import Line, LineQuantity, Totals
from schemas.events.orders import (
    OrderAccepted,
    OrderCancelled,
    OrderPlaced,
    OrderShipped,
    ReturnedInStore,
    SoldInStore,
    StoreSaleVoided,
)
from schemas.events.states import OrderState
from schemas.events.stock import StockAdjusted, StockReceived, StockSaleVoided, StockSold
from schemas.meta import Event, Identifier, Meta
from schemas.topics import ORDER_STATES, ORDERS, STOCK, route
from streams.view import Output, State, Step
from streams.views import orders
from streams.views.orders_record import Order

KEY = "till-7:R1"


def test_a_receipt_is_an_order_that_is_fulfilled() -> None:
    state, _ = folded(sold(line("1", quantity=2), line("2", sku="B")))
    assert (state.order_id, state.number, state.status, state.location_id) == (KEY, "R1", "fulfilled", "S1")
    assert (state.total, state.discount, state.business_date) == (90_000, 10_000, 17_167)
    assert [(each.line_id, each.quantity, each.status) for each in state.lines] == [
        ("1", 2, "sold"),
        ("2", 1, "sold"),
    ]


def test_a_void_and_a_return_come_under_the_key_of_their_receipt() -> None:
    assert {route(event) for event in (sold(), voided(), returned())} == {(ORDERS, KEY)}


def test_each_line_of_a_receipt_leaves_its_owner_s_shelf_at_the_store() -> None:
    _, moved = folded(sold(line("1", quantity=453, unit="g"), line("2", sku="B", stock_owner="partner")))
    assert [told(each) for each in moved] == [
        (StockSold, "A", "S1", "own", 453, "g"),
        (StockSold, "B", "S1", "partner", 1, "piece"),
    ]
    assert {(each.document_id, each.meta.occurred_at) for each in moved} == {(KEY, 5)}
    assert len({each.meta.event_id for each in moved}) == 2


def test_stock_is_told_nothing_about_the_customer() -> None:
    _, moved = folded(sold(line("1")))
    assert (moved[0].meta.identifiers, moved[0].meta.context) == ([], {})


def test_lines_with_one_id_move_apart() -> None:
    _, moved = folded(sold(line("1"), line("1")))
    assert len({each.meta.event_id for each in moved}) == 2


def test_a_receipt_with_another_event_id_moves_the_same_facts() -> None:
    again = msgspec.structs.replace(sold(line("1")), meta=meta(event_id="another", occurred_at=5))
    first, second = folded(sold(line("1")))[1], folded(again)[1]
    assert [each.meta.event_id for each in first] == [each.meta.event_id for each in second]


def test_a_line_of_no_units_stays_in_the_order_and_moves_nothing() -> None:
    state, moved = folded(sold(line("1", quantity=0), line("2", sku="")))
    assert [each.line_id for each in state.lines] == ["1", "2"]
    assert moved == []


def test_a_loyalty_card_says_who_bought() -> None:
    state, _ = folded(msgspec.structs.replace(sold(line("1")), loyalty_card="77"))
    assert state.identifiers == [Identifier("loyalty_card", "77")]


def test_a_receipt_that_comes_again_changes_nothing() -> None:
    head = fold(State(KEY), sold(line("1"))).head
    kept = msgspec.msgpack.encode(head)
    step = fold(
        State(KEY, as_stored(head)),
        msgspec.structs.replace(sold(line("1")), meta=meta(event_id="again", occurred_at=9)),
    )
    assert (step.outputs, step.skipped, msgspec.msgpack.encode(step.head)) == ((), "duplicate", kept)


def test_a_line_that_was_taken_back_at_the_sale_goes_to_quality_control() -> None:
    state, moved = folded(sold(line("1"), line("2", sku="B", quantity=-2)))
    assert [each.status for each in state.lines] == ["sold", "taken_back"]
    assert told(moved[1]) == (StockReceived, "B", "S1", "own", 2, "piece")
    assert moved[1].disposition == "quality_control"


def test_a_void_undoes_the_receipt_whichever_comes_first() -> None:
    facts = [sold(line("1", quantity=3), line("2", quantity=-1)), voided()]
    for order in permutations(facts):
        state, moved = folded(*order)
        assert (state.status, {each.status for each in state.lines}) == ("cancelled", {"cancelled"})
        assert [(type(each), each.quantity, each.meta.occurred_at) for each in moved] == [
            (StockSold, 3, 5),
            (StockReceived, 1, 5),
            (StockSaleVoided, 3, 6),
            (StockAdjusted, -1, 6),
        ]


def test_two_voids_of_one_receipt_put_its_units_back_once() -> None:
    _, moved = folded(sold(line("1")), voided(), voided(), voided(receipt_id="V2"))
    assert [type(each) for each in moved] == [StockSold, StockSaleVoided]


def test_a_return_goes_to_quality_control_where_it_is_brought() -> None:
    state, moved = folded(sold(line("1", quantity=2)), returned(line("9", quantity=1)))
    assert (state.status, state.lines[0].status) == ("partially_returned", "partially_returned")
    assert state.lines[0].returned_quantity == 1
    assert told(moved[1]) == (StockReceived, "A", "S2", "own", 1, "piece")


def test_a_return_that_precedes_its_receipt_waits_for_it() -> None:
    late = [folded(*order)[0] for order in permutations([sold(line("1")), returned(line("9"))])]
    assert late[0] == late[1]
    assert (late[0].status, late[0].lines[0].returned_quantity) == ("returned", 1)


def test_a_return_spreads_over_the_lines_of_its_product() -> None:
    state, _ = folded(sold(line("1"), line("2"), line("3")), returned(line("9", quantity=2)))
    assert [each.returned_quantity for each in state.lines] == [1, 1, 0]


def test_a_return_without_a_receipt_moves_stock_and_shows_no_order() -> None:
    step = fold(State(KEY), returned(line("1"), original_order_id=None))
    assert [output.topic for output in step.outputs] == [STOCK]


def test_a_return_that_comes_again_changes_nothing() -> None:
    state, moved = folded(sold(line("1", quantity=2)), returned(line("9")), returned(line("9")))
    assert (state.lines[0].returned_quantity, len(moved)) == (1, 2)


def test_an_order_is_open_until_every_line_is_cancelled() -> None:
    facts = [placed(line("1", quantity=2), line("2")), OrderAccepted(meta=meta(), order_id="R1")]
    state, moved = folded(*facts, cancelled("x", ("1", 1)), cancelled("y", ("2", 1)))
    assert [each.status for each in state.lines] == ["accepted", "cancelled"]
    assert (state.status, moved) == ("open", [])
    assert folded(*facts, cancelled("x", ("1", 2), ("2", 1)))[0].status == "cancelled"


def test_an_order_is_the_same_in_whatever_order_its_facts_come() -> None:
    facts = [
        placed(line("1", quantity=2), line("2")),
        OrderAccepted(meta=meta(occurred_at=6), order_id="R1"),
        cancelled("x", ("1", 2)),
        cancelled("x", ("1", 2)),
        returned(line("9", quantity=1)),
    ]
    assert len({msgspec.json.encode(folded(*order)[0]) for order in permutations(facts)}) == 1


def test_what_is_not_folded_yet_is_counted() -> None:
    step = fold(State(KEY), OrderShipped(meta=meta(), order_id="R1", shipment_id="1"))
    assert (step.head, step.outputs, step.skipped) == (None, (), "unfolded")


def test_an_order_remembers_no_more_than_its_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(orders, "SEQUELS_MAX", 1)
    with pytest.raises(orders.SequelsTooMany):
        folded(sold(line("1")), cancelled("x"), cancelled("y"))


def fold(state: State[Order], event: Event) -> Step:
    return orders.VIEW.fold(state, event)


def folded(*events: Event) -> tuple[OrderState, list[Any]]:
    """The order's last state, and all that stock was told."""
    state = State[Order](KEY)
    outputs: list[Output] = []
    for event in events:
        step = fold(state, event)
        state.head = as_stored(step.head)
        outputs += step.outputs
    shown = [output.event for output in outputs if output.topic is ORDER_STATES]
    moved: list[Any] = [output.event for output in outputs if output.topic is STOCK]
    assert [output.key for output in outputs if output.topic is STOCK] == [fact.sku for fact in moved]
    assert isinstance(shown[-1], OrderState)
    return shown[-1], moved


def as_stored(head: Any) -> Order:
    return msgspec.msgpack.decode(msgspec.msgpack.encode(head), type=Order)


def told(fact: Any) -> tuple[type, str, str, str, int, str]:
    return type(fact), fact.sku, fact.location_id, fact.owner, fact.quantity, fact.unit


def meta(*, event_id: str = "e", occurred_at: int = 6) -> Meta:
    return Meta(
        event_id=event_id,
        occurred_at=occurred_at,
        received_at=9,
        channel="store",
        source="till-7",
        identifiers=[Identifier("loyalty_card", "77")],
        context={"page": "x"},
    )


def line(
    line_id: str, *, sku: str = "A", quantity: int = 1, unit: str = "piece", stock_owner: Any = None
) -> Line:
    return Line(line_id=line_id, sku=sku, quantity=quantity, unit=unit, total=1, stock_owner=stock_owner)


def sold(*lines: Line) -> SoldInStore:
    return SoldInStore(
        meta=meta(occurred_at=5),
        receipt_id="R1",
        store_id="S1",
        business_date=17_167,
        currency="EUR",
        lines=list(lines),
        totals=Totals(total=90_000, discount=10_000),
    )


def voided(receipt_id: str = "V1") -> StoreSaleVoided:
    return StoreSaleVoided(
        meta=meta(),
        receipt_id=receipt_id,
        voided_receipt_id="R1",
        store_id="S1",
        business_date=17_167,
        currency="EUR",
        lines=[],
    )


def returned(*lines: Line, original_order_id: str | None = "R1") -> ReturnedInStore:
    return ReturnedInStore(
        meta=meta(),
        receipt_id="B1",
        original_order_id=original_order_id,
        store_id="S2",
        business_date=17_168,
        currency="EUR",
        lines=list(lines),
        totals=Totals(total=1),
    )


def placed(*lines: Line) -> OrderPlaced:
    totals = Totals(total=1)
    return OrderPlaced(
        meta=meta(occurred_at=5), order_id="R1", currency="EUR", lines=list(lines), totals=totals
    )


def cancelled(event_id: str, *lines: tuple[str, int]) -> OrderCancelled:
    quantities = [LineQuantity(line_id=line_id, quantity=quantity) for line_id, quantity in lines]
    return OrderCancelled(meta=meta(event_id=event_id), order_id="R1", lines=quantities)
