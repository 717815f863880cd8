"""From JSON items to events: fields as people write them, all faults at once, a repeat is the same event."""

from typing import Any

import msgspec
import pytest

from connectors.gateway.intake import RAW_OCCURRED_AT, TYPES, events_of
from connectors.gateway.problems import Problem
from schemas import topics
from schemas.events.orders import SoldInStore
from schemas.events.stock import StockSold
from schemas.meta import Event
from tests.connectors.gateway.events import NOW, sold


def event(item: Any) -> Event:
    (found,) = events_of([item], NOW)
    assert isinstance(found, Event), found.faults
    return found


def faults(item: Any) -> dict[str, str]:
    (found,) = events_of([item], NOW)
    assert isinstance(found, Problem)
    assert found.status == 422
    return {fault["pointer"]: fault["detail"] for fault in found.faults}


def receipt(**changes: Any) -> dict[str, Any]:
    line = {
        "line_id": "1",
        "sku": "dress-38",
        "quantity": 1,
        "unit_price": "19.95",
        "total": 19,
        "tax": "3.4623",
    }
    return {
        "type": "SoldInStore",
        "meta": {"channel": "store", "source": "tills", "source_event_id": "17"},
        "receipt_id": "17",
        "store_id": "haarlem",
        "business_date": "2026-11-25",
        "currency": "EUR",
        "lines": [line],
        "totals": {"total": "19.95"},
        **changes,
    }


def test_fields_are_read_by_their_schema() -> None:
    found = event(receipt())
    assert isinstance(found, SoldInStore)
    assert found.business_date == 20_782
    assert (found.lines[0].unit_price, found.lines[0].total, found.lines[0].tax) == (199_500, 190_000, 34_623)


def test_the_gateway_says_when_it_received() -> None:
    found = event(receipt())
    assert (found.meta.occurred_at, found.meta.received_at) == (NOW, NOW)


def test_what_happened_later_than_now_happened_now_and_the_senders_word_is_kept() -> None:
    meta = {"channel": "web", "source": "shop", "occurred_at": "2027-01-01T00:00:00Z"}
    found = event(sold(meta=meta)).meta
    assert found.occurred_at == NOW
    assert found.context[RAW_OCCURRED_AT] == "2027-01-01T00:00:00+00:00"


def test_a_repeat_is_the_same_event_whatever_the_order_of_its_names() -> None:
    first = sold()
    again = dict(reversed(first.items()))
    assert event(first).meta.event_id == event(again).meta.event_id
    assert event(first).meta.event_id != event(sold(quantity=3)).meta.event_id


def test_two_equal_items_of_one_list_are_two_events_and_so_again_in_a_repeat() -> None:
    first, second = (
        each.meta.event_id for each in events_of([sold(), sold()], NOW) if isinstance(each, Event)
    )
    assert first != second
    assert [first, second] == [
        each.meta.event_id for each in events_of([sold(), sold()], NOW + 1) if isinstance(each, Event)
    ]


def test_the_senders_own_id_makes_the_event() -> None:
    assert event(receipt()).meta.event_id == event(receipt(totals={"total": "20.00"})).meta.event_id


def test_an_event_that_could_not_be_recognised_again_is_refused() -> None:
    assert "source_event_id" in faults(sold(meta={"channel": "store", "source": "tills"}))["/meta"]


def test_every_fault_is_told_at_once_and_where() -> None:
    lines = [{"line_id": 1, "sku": "a", "quantity": 1.5, "unit_price": "1.23456", "total": 1}]
    assert faults(receipt(lines=lines, currency=None, store_id="\0", colour="red")) == {
        "/lines/0/line_id": "must be a text (in quotes, ids too)",
        "/lines/0/quantity": "must be a whole number",
        "/lines/0/unit_price": "has more than 4 digits behind the point",
        "/currency": "must be a text (in quotes, ids too)",
        "/store_id": "holds the character U+0000, which databases refuse",
        "": "has a member that SoldInStore does not have",
    }


@pytest.mark.parametrize(
    "amount", [True, "1e3", "", "NaN", "１", "1_000", "1" * 15, 10**14, [], "99999999999999.99999"]
)
def test_what_is_no_amount_is_refused(amount: object) -> None:
    assert "/totals/total" in faults(receipt(totals={"total": amount}))


@pytest.mark.parametrize(
    "moment", ["2026-11-25T10:00:00", "2026-11-25", "yesterday", 1, "0001-01-01T00:00:00+14:00"]
)
def test_a_time_needs_its_zone(moment: object) -> None:
    assert "/meta/occurred_at" in faults(sold(meta={"channel": "a", "source": "b", "occurred_at": moment}))


@pytest.mark.parametrize("number", [True, "2", 2.0, 2**63, None])
def test_what_is_no_whole_number_is_refused(number: object) -> None:
    assert "/quantity" in faults(sold(quantity=number))


@pytest.mark.parametrize("item", [None, [], "x", 1, {}, {"type": 1}, {"type": "StockSold"}, sold(meta=[])])
def test_what_is_no_event_is_refused(item: object) -> None:
    assert faults(item)


def test_an_unknown_type_is_answered_with_the_closest_name() -> None:
    assert faults(sold(type="stockSolt"))["/type"].endswith("did you mean StockSold?")


def test_states_and_internal_records_are_not_sent_by_channels() -> None:
    assert StockSold.__name__ in TYPES
    assert not {"Profile", "StockLevel", "ClockAdvanced", "RequestReceived", "DeadLettered"} & TYPES.keys()


def test_every_event_of_a_public_input_can_be_sent() -> None:
    wanted = {each for topic in topics.INPUTS if topic.is_public for each in topic.events}
    assert set(TYPES.values()) == wanted


def test_an_event_of_the_sender_that_has_a_bad_id_is_refused() -> None:
    meta = {**sold()["meta"], "event_id": "17"}
    assert faults(sold(meta=meta))["/meta/event_id"].startswith("must be a UUID")


def test_nothing_of_a_value_stands_in_a_fault() -> None:
    (found,) = events_of([sold(sku=["jan@example.org"], quantity="jan@example.org")], NOW)
    assert isinstance(found, Problem)
    assert "jan" not in msgspec.json.encode(found.body()).decode()
