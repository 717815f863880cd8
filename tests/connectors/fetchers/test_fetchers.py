"""What each fetcher asks for, and what it makes of an answer."""

import json
from dataclasses import replace
from typing import Any

import pytest

from connectors.channels import CHANNELS
from connectors.fetchers import FETCHERS
from connectors.protocol import values
from connectors.protocol.channel import Source, Verdict
from connectors.protocol.documents import Unfit
from connectors.protocol.fetcher import Fetcher
from connectors.protocol.poller import Answered, Page
from schemas.events.ingest import ReferenceLearned
from schemas.events.orders import SoldInStore
from schemas.events.stock import StockLevelReported
from tests.connectors.channels.samples import adobe_commerce, shopify
from tests.connectors.channels.test_conformance import samples_of
from tests.connectors.vendors import test_bol

NOW = values.moment("2025-11-25T10:00:00Z")
SOURCE = Source(
    "shop-nl", options={"stores": {"L1": "haarlem"}}, zone="Europe/Amsterdam", currency="EUR", region="NL"
)


def fetcher(channel: str, what: str) -> Fetcher:
    [found] = [each for each in FETCHERS if (each.channel, each.what) == (channel, what)]
    return found


def told(
    channel: str, what: str, document: Any, named: str = "1", page: str = "", source: Source = SOURCE
) -> Page:
    answer = Answered(json.dumps(document).encode(), {}, NOW, page=page)
    return fetcher(channel, what).read(answer, named, source)


def kinds(page: Page) -> list[str]:
    return [type(event).__name__ for event in page.events]


def test_each_is_of_a_channel_and_known_once() -> None:
    named = [(each.channel, each.what) for each in FETCHERS]
    assert len(set(named)) == len(named)
    assert {channel for channel, _ in named} <= {channel.name for channel in CHANNELS}


@pytest.mark.parametrize("channel", sorted({each.channel for each in FETCHERS}))
def test_what_its_channel_points_at_is_asked_for(channel: str) -> None:
    of = samples_of(channel)
    pointed = {
        fetch.what
        for sample in of.samples
        if isinstance(found := of.channel.receive(of.sign(sample.request, of.secret), of.source), Verdict)
        for fetch in found.fetches
    }
    assert pointed <= {each.what for each in FETCHERS if each.channel == channel}


def test_what_is_gone_tells_nothing() -> None:
    for each in FETCHERS:
        if 404 in each.api.reads:
            assert each.read(Answered(b"not found", {}, NOW, 404), "1", SOURCE) == Page()


def test_an_order_of_shopify_tells_what_its_webhook_tells() -> None:
    of = shopify.SAMPLES
    page = told("shopify", "order", {"order": shopify.ORDER}, source=of.source)
    sent = of.sign(shopify.sent("orders/create", shopify.ORDER), of.secret)
    placed = of.channel.receive(sent, of.source)
    assert isinstance(placed, Verdict)
    assert placed.events[0].meta.event_id in {event.meta.event_id for event in page.events}


def test_an_item_of_shopify_is_a_sku_and_then_its_levels() -> None:
    ask = fetcher("shopify", "inventory_item").ask
    assert ask("808", "", SOURCE).path.endswith("/inventory_items/808.json")
    first = told("shopify", "inventory_item", {"inventory_item": {"id": 808, "sku": "dress-36"}}, "808")
    [learned] = first.events
    assert isinstance(learned, ReferenceLearned)
    assert (learned.foreign_id, learned.ours, first.next_page) == ("808", "dress-36", "dress-36")
    assert ask("808", "dress-36", SOURCE).query["inventory_item_ids"] == "808"
    levels = [
        {"inventory_item_id": 808, "location_id": "L1", "available": 3, "updated_at": "2025-11-24T10:00:00Z"},
        {"inventory_item_id": 808, "location_id": 2, "available": None, "updated_at": "2025-11-24T10:00:00Z"},
        {"inventory_item_id": 808},
    ]
    second = told("shopify", "inventory_item", {"inventory_levels": levels}, "808", "dress-36")
    [level] = second.events
    assert isinstance(level, StockLevelReported)
    assert (level.sku, level.location_id, level.quantities) == ("dress-36", "haarlem", {"available": 3})
    assert (len(second.rejects), second.next_page) == (1, "")


def test_an_order_of_square_is_a_receipt_once_it_is_completed() -> None:
    eur = {"amount": 9_995, "currency": "EUR"}
    order = {
        "id": "CAISENgv",
        "location_id": "L1",
        "state": "COMPLETED",
        "closed_at": "2025-11-24T23:30:00.123Z",
        "total_money": eur,
        "line_items": [{"uid": "u1", "catalog_object_id": "VAR", "quantity": "1", "total_money": eur}],
        "tenders": [{"type": "CARD", "amount_money": eur}],
    }
    page = told("square", "order", {"order": order})
    [sold] = page.events
    assert isinstance(sold, SoldInStore)
    assert (sold.store_id, sold.lines[0].total, sold.tenders[0].kind) == ("haarlem", 999_500, "card")
    assert values.date_text(sold.business_date) == "2025-11-25"
    assert told("square", "order", {"order": {**order, "state": "OPEN"}}) == Page()
    with pytest.raises(Unfit):
        told("square", "order", {"order": order}, source=replace(SOURCE, zone=None))


def test_an_object_of_square_is_a_sku_and_then_its_counts() -> None:
    found = {"object": {"id": "VAR", "type": "ITEM_VARIATION", "item_variation_data": {"sku": "dress-36"}}}
    first = told("square", "catalog_object", found, "VAR")
    assert (kinds(first), first.next_page) == (["ReferenceLearned"], "dress-36")
    count = {
        "catalog_object_id": "VAR",
        "location_id": "L1",
        "state": "IN_STOCK",
        "quantity": "4",
        "calculated_at": "2025-11-24T10:00:00Z",
    }
    second = told(
        "square", "catalog_object", {"counts": [count, {**count, "state": "SOLD"}]}, "VAR", "dress-36"
    )
    assert kinds(second) == ["StockLevelReported"]


def test_bol_is_asked_for_what_it_pushed_a_word_about() -> None:
    assert fetcher("bol", "order").ask("A2K", "", SOURCE).path == "retailer/orders/A2K"
    assert kinds(told("bol", "order", test_bol.ORDER))[0] == "OrderPlaced"
    assert kinds(told("bol", "shipment", test_bol.SHIPMENT))[0] == "OrderShipped"
    assert len(told("bol", "order", {"orderId": "1"}).rejects) == 1


def test_a_shipment_of_myparcel_is_believed_once_it_was_asked_for() -> None:
    shipment = {
        "id": 7,
        "status": 8,
        "barcode": "3SMYPA",
        "carrier_id": 1,
        "modified": "2025-11-24 10:00:00",
        "reference_identifier": "1001",
    }
    page = told("myparcel", "shipment", {"data": {"shipments": [shipment, {**shipment, "barcode": None}]}})
    [status] = page.events
    assert (getattr(status, "status", ""), getattr(status, "carrier", "")) == ("at_pickup_point", "postnl")
    assert values.iso(status.meta.occurred_at) == "2025-11-24T09:00:00Z"


def test_adobe_is_asked_for_orders_and_skus() -> None:
    assert kinds(told("adobe_commerce", "order", adobe_commerce.ORDER)) == ["OrderPlaced", "OrderReported"]
    page = told("adobe_commerce", "product", {"items": [{"sku": "dress-36"}]}, "93")
    assert kinds(page) == ["ReferenceLearned"]
    assert told("adobe_commerce", "product", {"items": []}, "93") == Page()


def test_a_subscription_of_sns_is_confirmed_by_its_token() -> None:
    asked = fetcher("ses", "sns_subscription").ask(
        "2336412f37fb", "", Source("mail", options={"topic_arn": "arn:x"})
    )
    assert (asked.query["Token"], asked.query["TopicArn"]) == ("2336412f37fb", "arn:x")
    read = fetcher("ses", "sns_subscription").read
    assert read(Answered(b"<ConfirmSubscriptionResponse/>", {}, NOW), "t", SOURCE) == Page()
    with pytest.raises(Unfit):
        read(Answered(b"<html/>", {}, NOW), "t", SOURCE)
