"""Receipts as tills write them: weights, voids, days that end after midnight."""

from dataclasses import replace
from typing import Any

from connectors.channels.poslog import CHANNEL
from connectors.protocol import values
from schemas.events.orders import ReturnedInStore, SoldInStore, StoreSaleVoided
from tests.connectors.channels.samples.poslog import (
    LINK,
    RETURNED,
    SAMPLES,
    SECRET,
    SOLD,
    VOIDED_LINE,
    WEIGHED,
    document,
    sign,
    transaction,
)
from tests.connectors.channels.sampling import post


def taken(*transactions: str, zone: str | None = "Europe/Amsterdam") -> Any:
    return CHANNEL.receive(sign(post(document(*transactions)), SECRET), replace(SAMPLES.source, zone=zone))


def test_a_business_day_ends_after_midnight() -> None:
    sold = taken(SOLD).events[0]
    assert isinstance(sold, SoldInStore)
    assert sold.meta.occurred_at == values.moment("2025-11-25T01:01:00Z")
    assert sold.business_date == values.day("2025-11-24")
    assert (sold.receipt_id, sold.till_sequence, sold.loyalty_card) == ("7:3:2025-11-24:17", 17, "2611")
    assert [(each.kind, each.amount) for each in sold.tenders] == [("cash", 199_500)]


def test_what_is_weighed_is_grams() -> None:
    (line,) = taken(WEIGHED).events[0].lines
    assert (line.quantity, line.unit, line.total) == (453, "g", 13_600)


def test_a_line_that_was_taken_back_is_not_sold() -> None:
    sold = taken(VOIDED_LINE).events[0]
    assert [line.sku for line in sold.lines] == ["dress-36"]
    assert sold.totals.total == 199_500


def test_a_return_names_the_receipt_that_sold_it() -> None:
    returned = taken(RETURNED).events[0]
    assert isinstance(returned, ReturnedInStore)
    assert returned.original_order_id == "7:3:2025-11-24:12"
    assert returned.lines[0].total == 199_500
    assert [(each.kind, each.amount) for each in returned.tenders] == [("cash", 199_500)]


def test_what_is_made_undone_is_named() -> None:
    undone = taken(transaction(f"<PostVoidTransaction>{LINK}</PostVoidTransaction>", 22)).events[0]
    assert isinstance(undone, StoreSaleVoided)
    assert (undone.receipt_id, undone.voided_receipt_id) == ("7:3:2025-11-24:22", "7:3:2025-11-24:12")


def test_a_time_without_a_zone_says_what_to_set() -> None:
    (reject,) = taken(SOLD, zone=None).rejects
    assert "set `zone` for this source" in reject.detail
    assert b"<" in reject.item
