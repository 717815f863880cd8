"""Lightspeed eCom's webhooks, as its API writes orders, variants and customers."""

import hashlib
import json
from typing import Any

from connectors.channels.lightspeed_ecom import CHANNEL
from connectors.protocol.channel import Request, Source
from tests.connectors.channels.sampling import Sample, Samples, post, with_headers

SECRET = "app secret"
LINE = {
    "id": 901,
    "productTitle": "Dress",
    "articleCode": "dress-36",
    "ean": "8712345678906",
    "quantityOrdered": 2,
    "priceIncl": 49.95,
    "discountIncl": 10,
    "product": {"resource": {"id": 93, "url": "products/93", "link": "https://api.example/products/93.json"}},
}
ORDER: dict[str, Any] = {
    "id": 4521,
    "number": "ORD00012",
    "status": "processing_awaiting_shipment",
    "createdAt": "2025-11-24T09:00:00+01:00",
    "updatedAt": "2025-11-24T09:05:00+01:00",
    "priceIncl": 89.9,
    "priceExcl": 74.3,
    "shipmentPriceIncl": 0,
    "email": "Sam@Example.com",
    "firstname": "Sam",
    "lastname": "Smit",
    "mobile": "06 12345678",
    "customer": {"resource": {"id": 7, "url": "customers/7", "link": "https://api.example/customers/7.json"}},
    "products": {"resource": {"id": False, "url": "orders/4521/products", "embedded": [LINE]}},
}
VARIANT = {
    "id": 777,
    "articleCode": "dress-36",
    "ean": "8712345678906",
    "title": "Size 36",
    "stockLevel": 3,
    "updatedAt": "2025-11-24T09:00:00+01:00",
}
PERSON = {"id": 7, "email": "sam@example.com", "updatedAt": "2025-11-24T09:00:00+01:00", "firstname": "Sam"}


def sign(request: Request, secret: str) -> Request:
    if not secret:
        return request
    return with_headers(request, x_signature=hashlib.md5(request.body + secret.encode()).hexdigest())


def sent(event: str, document: Any) -> Request:
    return post(json.dumps(document).encode(), x_event=event, x_shop_id="1", x_language="nl")


PLACED = ("OrderPlaced", "OrderReported")
THIN = {**ORDER, "products": {"resource": {"id": False, "url": "orders/4521/products", "embedded": None}}}

SAMPLES = Samples(
    CHANNEL,
    Source("shop-nl", (SECRET,), {"location": "haarlem"}, "Europe/Amsterdam", "EUR", "NL"),
    SECRET,
    sign,
    (
        Sample("an order", sent("orders/created", {"order": ORDER}), PLACED),
        Sample("paid", sent("orders/paid", {"order": {**ORDER, "status": "processing_paid"}}), PLACED),
        Sample("an order without its lines", sent("orders/updated", {"order": THIN}), fetches=("order",)),
        Sample(
            "a variant",
            sent("variants/updated", {"variant": VARIANT}),
            ("ProductReported", "StockLevelReported"),
        ),
        Sample(
            "a variant that is not counted",
            sent("variants/created", {"variant": {**VARIANT, "stockLevel": None}}),
            ("ProductReported",),
        ),
        Sample("a customer", sent("customers/updated", {"customer": PERSON}), ("CustomerReported",)),
        Sample("deleted", sent("variants/deleted", {"variant": {"id": 777}})),
        Sample("another", sent("quotes/created", {"quote": {"id": 1}})),
        Sample("an order that is none", sent("orders/created", {"order": {"id": 1}}), rejected=1),
        Sample("one that is no JSON", post(b"order", x_event="orders/created"), rejected=1),
    ),
)
