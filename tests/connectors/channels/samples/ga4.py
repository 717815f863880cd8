"""Requests of the Measurement Protocol, after Google's documentation."""

import json
from dataclasses import replace
from typing import Any

from connectors.channels.ga4 import CHANNEL
from connectors.protocol.channel import Request, Source
from tests.connectors.channels.sampling import Sample, Samples, post

SECRET = "ga4 api secret"
ITEMS = [
    {"item_id": "dress-36", "item_name": "Dress", "price": 16.487603305785125, "quantity": 2, "index": 0},
    {"item_id": "scarf", "item_name": "Scarf", "price": 10.01},
]
BUYING = {"currency": "EUR", "value": 42.99, "items": ITEMS}
URL = "https://shop.example/dresses?utm_source=newsletter&utm_medium=email&email=sam@example.com"


def sign(request: Request, secret: str) -> Request:
    return replace(request, query=(*request.query, ("api_secret", secret))) if secret else request


def sent(
    *events: Any, route: str = "/mp/collect", query: tuple[tuple[str, str], ...] = (), **more: Any
) -> Request:
    body = {
        "client_id": "1092437.1732",
        "timestamp_micros": "1764064790123456",
        "events": list(events),
        **more,
    }
    return replace(post(json.dumps(body).encode(), route), query=query or (("measurement_id", "G-1234"),))


def sample(name: str, params: dict[str, Any], *gives: str, **more: Any) -> Sample:
    return Sample(name, sent({"name": name, "params": params}, **more), gives)


SAMPLES = Samples(
    CHANNEL,
    Source("ga4-nl", (SECRET,), currency="EUR"),
    SECRET,
    sign,
    (
        sample(
            "page_view",
            {"page_location": URL, "page_title": "Dresses", "session_id": "123"},
            "PageViewed",
            "CampaignTouched",
        ),
        Sample(
            "screen_view",
            sent(
                {"name": "screen_view", "params": {"firebase_screen": "Home"}},
                query=(("firebase_app_id", "1:2:android:3"),),
                app_instance_id="c0ffee",
                client_id=None,
            ),
            ("ScreenViewed",),
        ),
        sample(
            "campaign_details", {"source": "google", "medium": "cpc", "campaign": "winter"}, "CampaignTouched"
        ),
        sample("login", {"method": "Google"}, "CustomerIdentified", user_id="97980"),
        sample("search", {"search_term": "dress"}, "SearchPerformed"),
        sample("view_item_list", {"item_list_id": "hot", "items": ITEMS}, "ProductListViewed"),
        sample("view_item", BUYING, "ProductViewed", "ProductViewed"),
        sample("select_item", {"item_list_id": "hot", "items": ITEMS[:1]}, "ProductClicked"),
        sample("add_to_cart", BUYING, "CartLineAdded", "CartLineAdded"),
        sample("remove_from_cart", BUYING, "CartLineRemoved", "CartLineRemoved"),
        sample("add_to_wishlist", BUYING, "WishlistLineAdded", "WishlistLineAdded"),
        sample("view_cart", BUYING, "CartReported"),
        sample("begin_checkout", BUYING, "CheckoutStarted"),
        sample("add_shipping_info", {**BUYING, "shipping_tier": "Ground"}, "CheckoutStepCompleted"),
        sample("add_payment_info", {**BUYING, "payment_type": "iDEAL"}, "CheckoutStepCompleted"),
        sample(
            "purchase", {**BUYING, "transaction_id": "T_1", "tax": 9.03, "shipping": "4.95"}, "OrderPlaced"
        ),
        sample(
            "refund",
            {"transaction_id": "T_1", "value": 10.01, "currency": "EUR", "items": ITEMS[1:]},
            "RefundIssued",
        ),
        sample("game_over", {"score": 9.5}, "CustomActivityRecorded"),
        sample(
            "login ",
            {},
            "TraitsChanged",
            "CustomActivityRecorded",
            user_properties={"tier": {"value": "gold"}, "old": {"value": None}},
        ),
        Sample(
            "a bad event beside good ones",
            sent(
                {"name": "view_item", "params": {}},
                {"name": "tap"},
                {"params": {}},
                {"name": "tap"},
                "no event",
            ),
            ("CustomActivityRecorded", "CustomActivityRecorded"),
            rejected=3,
        ),
        Sample("nobody", sent({"name": "tap"}, client_id=None), rejected=1),
        Sample("no JSON", replace(post(b"<a/>", "/mp/collect"), query=()), rejected=1),
        Sample("a check", sent({"name": "_bad"}, route="/debug/mp/collect"), is_answered=True),
    ),
    covers_body=False,
)
