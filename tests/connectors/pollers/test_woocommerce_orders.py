"""Which orders a shop is asked for, and that none falls between two lists."""

import json
from typing import Any

import pytest

from connectors.pollers.woocommerce_orders import ORDERS_A_LIST, POLLER
from connectors.protocol import values
from connectors.protocol.documents import Unfit
from connectors.protocol.poller import Answered, Page
from tests.connectors.channels.samples.woocommerce import ORDER, SAMPLES

SINCE = values.moment("2025-11-24T10:00:00.5Z")
SOURCE = SAMPLES.source


def told(orders: Any, page: str = "") -> Page:
    return POLLER.read(Answered(json.dumps(orders).encode(), {}, SINCE, 200, SINCE, page), SOURCE)


def order(number: int, second: int) -> dict[str, Any]:
    return {**ORDER, "id": number, "date_modified_gmt": f"2025-11-24T10:05:{second:02}"}


def test_the_first_list_begins_at_the_second_since_when() -> None:
    asked = POLLER.ask(SINCE, "", SOURCE)
    assert asked.path == "wp-json/wc/v3/orders"
    assert (asked.query["modified_after"], asked.query["page"]) == ("2025-11-24T09:59:59", "1")


def test_a_full_list_goes_on_at_the_second_of_its_last_order() -> None:
    page = told([order(n, n % 60) for n in range(ORDERS_A_LIST)])
    asked = POLLER.ask(SINCE, page.next_page, SOURCE)
    assert (asked.query["modified_after"], asked.query["page"]) == ("2025-11-24T10:05:58", "1")


def test_orders_of_one_second_are_paged() -> None:
    many = [order(n, 9) for n in range(ORDERS_A_LIST)]
    first = told(many)
    second = told(many, first.next_page)
    asked = POLLER.ask(SINCE, second.next_page, SOURCE)
    assert (asked.query["modified_after"], asked.query["page"]) == ("2025-11-24T10:05:08", "2")
    assert told(many[:5], second.next_page).next_page == ""


def test_the_facts_are_those_of_the_webhooks() -> None:
    page = told([ORDER, {"id": 9}])
    by_webhook = {
        event.meta.event_id
        for sample in SAMPLES.samples[:2]
        for event in SAMPLES.channel.receive(SAMPLES.sign(sample.request, SAMPLES.secret), SOURCE).events  # type: ignore[union-attr]
    }
    assert {event.meta.event_id for event in page.events} == by_webhook
    assert (len(page.rejects), values.iso(page.newest)) == (1, "2025-11-24T10:05:00Z")


def test_what_is_no_list_is_unfit() -> None:
    with pytest.raises(Unfit):
        told({"code": "woocommerce_rest_cannot_view"})


def test_the_key_and_its_secret_are_one_token() -> None:
    assert POLLER.api.authorized is not None
    assert POLLER.api.authorized("ck_1:cs_2") == {"Authorization": "Basic Y2tfMTpjc18y"}
