"""bol's answers, after its OpenAPI document and the bodies that picqer/bol-retailer-php-client keeps of version 5."""

import json
from typing import Any

import pytest

from connectors.pollers import bol_orders, bol_returns, bol_shipments
from connectors.protocol import values
from connectors.protocol.channel import Source
from connectors.protocol.documents import Unfit
from connectors.protocol.poller import Answered, Page, Poller
from connectors.vendors.bol import api
from schemas.events.orders import OrderPlaced, OrderReported, ReturnReceived

SOURCE = Source("bol-nl", options={"returns_to": "haarlem"}, region="NL")
SINCE = values.moment("2025-11-23T12:00:00+01:00")
NOW = values.moment("2025-11-24T12:00:00+01:00")
ORDER: dict[str, Any] = {
    "orderId": "1042823870",
    "pickupPoint": False,
    "orderPlacedDateTime": "2025-11-24T09:00:00+01:00",
    "shipmentDetails": {
        "firstName": "Hans",
        "surname": "de Grote",
        "streetName": "Skywalkerstraat",
        "houseNumber": "199",
        "zipCode": "1234AB",
        "city": "PLATOONDORP",
        "countryCode": "NL",
        "email": "27zoytzc3crf2r6bctxfa3m2mrjbci@verkopen.test2.bol.com",
        "deliveryPhoneNumber": "0612345678",
    },
    "orderItems": [
        {
            "orderItemId": "6107771545",
            "cancellationRequest": False,
            "fulfilment": {"method": "FBR", "latestDeliveryDate": "2025-11-26"},
            "offer": {"offerId": "8f1183e3", "reference": "dress-36"},
            "product": {"ean": "8785056370398", "title": "Dress"},
            "quantity": 3,
            "quantityShipped": 0,
            "quantityCancelled": 1,
            "unitPrice": 19.99,
            "totalPrice": 56.97,
            "commission": 2.21,
            "latestChangedDateTime": "2025-11-24T10:00:00+01:00",
        },
        {
            "orderItemId": "6107771546",
            "cancellationRequest": True,
            "product": {"ean": "8717418510749"},
            "quantity": 1,
            "quantityCancelled": 1,
            "unitPrice": 32.98,
            "latestChangedDateTime": "2025-11-24T11:00:00+01:00",
        },
    ],
}
SHIPMENT: dict[str, Any] = {
    "shipmentId": "541757635",
    "shipmentDateTime": "2025-11-24T11:30:00+01:00",
    "order": {"orderId": "1042823870", "orderPlacedDateTime": "2025-11-24T09:00:00+01:00"},
    "shipmentItems": [{"orderItemId": "6107771545", "quantity": 3, "quantityShipped": 2, "unitPrice": 19.99}],
    "transport": {
        "transportId": "312778947",
        "transporterCode": "TNT",
        "trackAndTrace": "3SBOL0987654321",
        "transportEvents": [
            {"eventCode": "AT_TRANSPORTER", "eventDateTime": "2025-11-24T11:40:00+01:00"},
            {"eventCode": "BEAMED_UP", "eventDateTime": "2025-11-24T11:50:00+01:00"},
        ],
    },
}
RETURN: dict[str, Any] = {
    "returnId": "1",
    "registrationDateTime": "2025-11-24T11:06:48.423+01:00",
    "fulfilmentMethod": "FBR",
    "returnItems": [
        {
            "rmaId": "31234567",
            "orderId": "1042823870",
            "ean": "8785056370398",
            "expectedQuantity": 2,
            "returnReason": {"mainReason": "Niet naar verwachting", "customerComments": "bel Sam"},
            "handled": True,
            "processingResults": [
                {
                    "quantity": 1,
                    "processingResult": "ACCEPTED",
                    "handlingResult": "RETURN_RECEIVED",
                    "processingDateTime": "2025-11-24T11:30:00+01:00",
                }
            ],
        }
    ],
}


def told(poller: Poller, document: Any, page: str = "", status: int = 200) -> Page:
    return poller.read(Answered(json.dumps(document).encode(), {}, NOW, status, SINCE, page), SOURCE)


def listed(order_id: str, changed: str) -> dict[str, Any]:
    item = {"orderItemId": order_id, "ean": "1", "latestChangedDateTime": changed}
    return {"orderId": order_id, "orderPlacedDateTime": changed, "orderItems": [item]}


def kinds(page: Page) -> list[str]:
    return [type(event).__name__ for event in page.events]


def test_each_day_since_is_listed_and_what_changed_is_asked_for() -> None:
    asked = bol_orders.ask(SINCE, "", SOURCE)
    assert asked.query["latest-change-date"] == "2025-11-23"
    old, new = listed("1", "2025-11-23T11:00:00+01:00"), listed("2", "2025-11-23T13:00:00+01:00")
    page = told(bol_orders.POLLER, {"orders": [old, new]})
    assert bol_orders.ask(SINCE, page.next_page, SOURCE).path == "retailer/orders/2"
    after = told(bol_orders.POLLER, ORDER, page.next_page)
    asked = bol_orders.ask(SINCE, after.next_page, SOURCE)
    assert (asked.path, asked.query["latest-change-date"]) == ("retailer/orders", "2025-11-24")
    assert told(bol_orders.POLLER, {}, after.next_page).next_page == ""


def test_a_full_list_has_another_behind_it() -> None:
    page = told(
        bol_orders.POLLER, {"orders": [listed(str(n), "2025-11-23T11:00:00+01:00") for n in range(50)]}
    )
    assert bol_orders.ask(SINCE, page.next_page, SOURCE).query == {
        "status": "ALL",
        "fulfilment-method": "ALL",
        "page": "2",
        "latest-change-date": "2025-11-23",
    }


def test_a_sweep_without_news_ends_at_the_begin_of_the_day() -> None:
    page = told(bol_orders.POLLER, {}, "list|20416/1")
    assert values.date_text(20416) == "2025-11-24"
    assert (page.next_page, values.iso(page.newest)) == ("", "2025-11-23T23:00:00Z")


def test_an_order_that_is_gone_is_passed_over() -> None:
    assert told(bol_orders.POLLER, {}, "ids|20416/2|7,8", api.GONE).next_page == "ids|20416/2|8"


def test_an_id_that_leads_elsewhere_is_none() -> None:
    with pytest.raises(Unfit):
        told(bol_orders.POLLER, {"orders": [listed("../x", "2025-11-23T13:00:00+01:00")]})


def test_what_an_order_tells() -> None:
    page = told(bol_orders.POLLER, ORDER, "ids||1042823870")
    assert kinds(page) == ["OrderPlaced", "CancellationRequested", "OrderCancelled", "OrderReported"]
    placed, reported = page.events[0], page.events[-1]
    assert isinstance(placed, OrderPlaced)
    assert isinstance(reported, OrderReported)
    assert [(each.sku, each.quantity, each.total) for each in placed.lines] == [
        ("dress-36", 3, 569_700),
        ("8717418510749", 1, 329_800),
    ]
    assert [(each.sku, each.quantity, each.total, each.discount) for each in reported.lines] == [
        ("dress-36", 2, 379_800, 20_000)
    ]
    assert reported.status == "open"
    assert [each.value for each in placed.meta.identifiers] == ["+31612345678"]
    assert placed.delivery_promise is not None
    assert values.iso(placed.delivery_promise.latest_at or 0) == "2025-11-26T22:59:59Z"


def test_an_order_that_does_not_fit_is_put_aside() -> None:
    page = told(bol_orders.POLLER, {"orderId": "1"}, "ids||1")
    assert (page.events, len(page.rejects), page.next_page) == ([], 1, "")


def test_shipments_are_listed_as_long_as_they_are_new_then_those_of_bol() -> None:
    old = {"shipmentId": "1", "shipmentDateTime": "2025-11-23T11:00:00+01:00"}
    page = told(bol_shipments.POLLER, {"shipments": [SHIPMENT, old]})
    assert bol_shipments.ask(SINCE, page.next_page, SOURCE).path == "retailer/shipments/541757635"
    after = told(bol_shipments.POLLER, SHIPMENT, page.next_page)
    assert kinds(after) == ["OrderShipped", "ParcelLinked", "ParcelStatusReported", "ParcelStatusReported"]
    assert [getattr(each, "status", None) for each in after.events[2:]] == ["collected", "unknown"]
    assert bol_shipments.ask(SINCE, after.next_page, SOURCE).query["fulfilment-method"] == "FBB"
    assert told(bol_shipments.POLLER, {}, after.next_page).next_page == ""


def test_returns_are_listed_whole() -> None:
    page = told(bol_returns.POLLER, {"returns": [RETURN, {"returnId": "2"}]})
    assert (kinds(page), len(page.rejects)) == (["ReturnRequested", "ReturnReceived"], 1)
    received = page.events[1]
    assert isinstance(received, ReturnReceived)
    assert (received.location_id, received.lines[0].quantity) == ("haarlem", 1)
    assert "Sam" not in repr(page.events)
    seen, next_page = [""], page.next_page
    while next_page:
        seen.append(next_page)
        next_page = told(bol_returns.POLLER, {}, next_page).next_page
    assert seen == ["", "FBR/true/1", "FBB/false/1", "FBB/true/1"]


def test_the_token_is_asked_for_by_basic_authorization() -> None:
    assert api.API.login is not None
    ask = api.API.login.ask("id", "secret")
    assert (ask.method, ask.path, ask.query) == ("POST", "token", {"grant_type": "client_credentials"})
    assert ask.headers["Authorization"] == "Basic aWQ6c2VjcmV0"
    answer = Answered(b'{"access_token":"t","token_type":"Bearer","expires_in":299}', {}, NOW)
    assert api.API.login.read(answer).good_for_s == 299
