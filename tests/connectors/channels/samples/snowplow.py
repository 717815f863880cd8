"""Requests of Snowplow's trackers, after captures of them: all values are texts."""

import base64
import json
from dataclasses import replace
from typing import Any

from connectors.channels.snowplow import CHANNEL
from connectors.protocol.channel import Request, Source
from tests.connectors.channels.samples.segment import sign
from tests.connectors.channels.sampling import Sample, Samples, post

POSTED = "/com.snowplowanalytics.snowplow/tp2"
ECOMMERCE = "com.snowplowanalytics.snowplow.ecommerce"
PRODUCT = {
    "id": "dress-36",
    "name": "Dress",
    "category": "dresses",
    "price": 199.95,
    "currency": "EUR",
    "quantity": 2,
}
SCARF = {"id": "scarf", "category": "scarfs", "price": 10, "currency": "EUR"}
CART = {"cart_id": "cart-1", "total_value": 199.95, "currency": "EUR"}


def iglu(vendor: str, name: str, data: Any) -> dict[str, Any]:
    return {"schema": f"iglu:{vendor}/{name}/jsonschema/1-0-0", "data": data}


def packed(document: Any) -> str:
    """base64url without padding, as the browser's tracker writes it."""
    return base64.urlsafe_b64encode(json.dumps(document).encode()).decode().rstrip("=")


def payload(kind: str, **more: str) -> dict[str, str]:
    return {
        "e": kind,
        "eid": "b5e6e3a4-0f6b-4a1c-9d7e-2f1a5c3b7d90",
        "dtm": "1764061199000",
        "stm": "1764061200000",
        "aid": "shop",
        "p": "web",
        "tna": "sp1",
        "tv": "js-4.10.1",
        "duid": "4b0dfa75-9a8c-46a1-9691-01add9db4200",
        "sid": "7d2b8a0c-1a3c-4e5e-8f0a-6f5d4c3b2a19",
        "vid": "1",
        "url": "https://shop.example/dresses?utm_source=instagram&fbclid=IwAR0&email=sam%40example.com",
        "refr": "https://l.instagram.com/",
        "page": "Dresses",
        **more,
    }


def described(
    name: str, data: Any, *entities: Any, vendor: str = "com.snowplowanalytics.snowplow"
) -> dict[str, str]:
    event = iglu("com.snowplowanalytics.snowplow", "unstruct_event", iglu(vendor, name, data))
    around = iglu("com.snowplowanalytics.snowplow", "contexts", list(entities))
    return payload("ue", ue_px=packed(event), cx=packed(around))


def action(kind: str, *entities: tuple[str, Any]) -> dict[str, str]:
    around = [iglu(ECOMMERCE, name, data) for name, data in entities]
    return described("snowplow_ecommerce_action", {"type": kind, "name": "hot"}, *around, vendor=ECOMMERCE)


def sent(*payloads: Any) -> Request:
    schema = "iglu:com.snowplowanalytics.snowplow/payload_data/jsonschema/1-0-4"
    body = json.dumps({"schema": schema, "data": list(payloads)}).encode()
    return post(body, POSTED, content_type="application/json; charset=UTF-8")


def pictured(**query: str) -> Request:
    return replace(post(b"", "/i"), method="GET", query=tuple(query.items()))


PRODUCTS = (("product", PRODUCT), ("product", SCARF), ("cart", CART))
TRANSACTION = {
    "transaction_id": "t-1",
    "revenue": 409.9,
    "currency": "EUR",
    "payment_method": "ideal",
    "tax": 71.14,
}

SAMPLES = Samples(
    CHANNEL,
    Source("web-nl", currency="EUR", region="NL"),
    "",
    sign,
    (
        Sample("a page view", sent(payload("pv")), ("PageViewed", "CampaignTouched")),
        Sample("a page ping", sent(payload("pp"))),
        Sample(
            "structured",
            sent(payload("se", se_ca="video", se_ac="play", se_va="1.5")),
            ("CustomActivityRecorded",),
        ),
        Sample(
            "a transaction and its items",
            sent(
                payload("tr", tr_id="t-1", tr_tt="219.90", tr_sh="9.95", tr_cu="EUR"),
                payload("ti", eid="2", ti_id="t-1", ti_sk="dress-36", ti_pr="199.95", ti_qu="1"),
                payload("ti", eid="3", ti_id="t-1", ti_sk="scarf", ti_pr="10", ti_qu="1"),
            ),
            ("OrderPlaced",),
        ),
        Sample(
            "an item alone",
            sent(payload("ti", ti_id="t-1", ti_sk="scarf", ti_pr="10", ti_qu="1")),
            ("OrderChanged",),
        ),
        Sample("a product view", sent(action("product_view", ("product", PRODUCT))), ("ProductViewed",)),
        Sample("a click in a list", sent(action("list_click", ("product", PRODUCT))), ("ProductClicked",)),
        Sample("a list", sent(action("list_view", *PRODUCTS)), ("ProductListViewed",)),
        Sample(
            "an add to the cart", sent(action("add_to_cart", *PRODUCTS)), ("CartLineAdded", "CartLineAdded")
        ),
        Sample(
            "a removal",
            sent(action("remove_from_cart", ("product", SCARF), ("cart", CART))),
            ("CartLineRemoved",),
        ),
        Sample(
            "a checkout step",
            sent(action("checkout_step", ("checkout_step", {"step": 2}))),
            ("CheckoutStepCompleted",),
        ),
        Sample(
            "an order", sent(action("transaction", ("transaction", TRANSACTION), *PRODUCTS)), ("OrderPlaced",)
        ),
        Sample(
            "a refund",
            sent(
                action(
                    "refund",
                    ("refund", {"transaction_id": "t-1", "currency": "EUR", "refund_amount": 10}),
                    ("product", SCARF),
                )
            ),
            ("RefundIssued",),
        ),
        Sample(
            "a promotion", sent(action("promo_view", ("promotion", {"id": "p"}))), ("CustomActivityRecorded",)
        ),
        Sample(
            "the older add to the cart",
            sent(
                described("add_to_cart", {"sku": "scarf", "unitPrice": 10, "quantity": 1, "currency": "EUR"})
            ),
            ("CartLineAdded",),
        ),
        Sample(
            "the older removal",
            sent(
                described(
                    "remove_from_cart", {"sku": "scarf", "unitPrice": 10, "quantity": 1, "currency": "EUR"}
                )
            ),
            ("CartLineRemoved",),
        ),
        Sample(
            "a search",
            sent(described("site_search", {"terms": ["red", "dress"], "totalResults": 3})),
            ("SearchPerformed",),
        ),
        Sample(
            "a form",
            sent(
                described(
                    "submit_form",
                    {
                        "formId": "size",
                        "formClasses": [],
                        "elements": [{"name": "size", "value": "36", "nodeName": "INPUT"}],
                    },
                )
            ),
            ("FormSubmitted",),
        ),
        Sample("a screen", sent(described("screen_view", {"name": "Home", "id": "s-1"})), ("ScreenViewed",)),
        Sample("an app is installed", sent(described("application_install", {})), ("AppStateChanged",)),
        Sample(
            "a link",
            sent(described("link_click", {"targetUrl": "https://other.example/?token=1"})),
            ("CustomActivityRecorded",),
        ),
        Sample(
            "a picture",
            pictured(**payload("pv"), co=json.dumps(iglu("com.snowplowanalytics.snowplow", "contexts", []))),
            ("PageViewed", "CampaignTouched"),
        ),
        Sample(
            "bad payloads beside a good one",
            sent(
                payload("ue", ue_px="AAAA"),
                payload("ue"),
                {"e": "pv"},
                {},
                None,
                payload("pv", url="", refr=""),
            ),
            ("PageViewed",),
            rejected=5,
        ),
        Sample("an event of a type that nobody knows", sent(payload("ad"))),
        Sample("no payloads", sent(), is_answered=True),
    ),
    covers_body=False,
)
