"""Shopify's webhooks, after its documentation's samples: ids beyond 2^53, amounts as texts, refunds as floats."""

import base64
import hmac
import json
from typing import Any

from connectors.channels.shopify import CHANNEL
from connectors.protocol.channel import Request, Source
from tests.connectors.channels.sampling import Sample, Samples, post, with_headers

SECRET = "shpss_3c1e"

MONEY = {"shop_money": {"amount": "199.95", "currency_code": "EUR"}}
LINE = {
    "id": 866550311766439020,
    "variant_id": 808950810,
    "product_id": 632910392,
    "sku": "dress-36",
    "quantity": 1,
    "price": "199.95",
    "price_set": MONEY,
    "discount_allocations": [{"amount": "10.00", "amount_set": {"shop_money": {"amount": "10.00"}}}],
    "tax_lines": [{"price": "32.96", "price_set": {"shop_money": {"amount": "32.96"}}}],
}
ORDER: dict[str, Any] = {
    "id": 820982911946154508,
    "name": "#9999",
    "order_number": 1234,
    "created_at": "2025-11-24T11:00:00+01:00",
    "updated_at": "2025-11-24T11:05:00+01:00",
    "processed_at": "2025-11-24T11:00:00+01:00",
    "cancelled_at": None,
    "currency": "EUR",
    "financial_status": "paid",
    "fulfillment_status": None,
    "source_name": "web",
    "cart_token": "68778783ad298f1c80c3bafcddeea02f",
    "email": "Sam@Example.com",
    "phone": "06 12345678",
    "landing_site": "/collections/dresses?utm_source=instagram",
    "customer": {
        "id": 115310627314723954,
        "email": "sam@example.com",
        "first_name": "Sam",
        "last_name": "Smit",
    },
    "shipping_address": {"name": "Sam Smit", "address1": "Gracht 1", "zip": "2011 AA", "country_code": "NL"},
    "line_items": [LINE],
    "discount_codes": [{"code": "WELKOM", "amount": "10.00", "type": "fixed_amount"}],
    "payment_gateway_names": ["ideal"],
    "total_price": "189.95",
    "current_total_price_set": {"shop_money": {"amount": "189.95", "currency_code": "EUR"}},
    "total_tax": "32.96",
    "taxes_included": True,
    "note_attributes": [{"name": "unknown to us", "value": "kept raw"}],
}
REFUND = {
    "id": 509562969,
    "order_id": 820982911946154508,
    "created_at": "2025-11-24T12:00:00+01:00",
    "refund_line_items": [
        {
            "id": 104689539,
            "line_item_id": 866550311766439020,
            "quantity": 1,
            "location_id": 655441491,
            "restock_type": "return",
            "subtotal": 195.66999999999999,
            "line_item": {"id": 866550311766439020, "sku": "dress-36", "quantity": 1},
        }
    ],
    "transactions": [
        {"id": 1, "kind": "refund", "amount": 41.940000000000005, "currency": "EUR", "status": "success"},
        {"id": 2, "kind": "refund", "amount": "1.00", "currency": "EUR", "status": "failure"},
    ],
}
SHIPMENT = {
    "id": 255858046,
    "order_id": 820982911946154508,
    "status": "success",
    "created_at": "2025-11-24T13:00:00+01:00",
    "updated_at": "2025-11-24T13:00:00+01:00",
    "tracking_company": "PostNL",
    "tracking_number": "3STEST123456789",
    "tracking_numbers": ["3STEST123456789"],
    "line_items": [{"id": 866550311766439020, "quantity": 1, "sku": "dress-36"}],
}


def sign(request: Request, secret: str) -> Request:
    if not secret:
        return request
    digest = hmac.digest(secret.encode(), request.body, "sha256")
    return with_headers(request, x_shopify_hmac_sha256=base64.b64encode(digest).decode())


def sent(topic: str, document: Any) -> Request:
    return post(
        json.dumps(document).encode(),
        x_shopify_topic=topic,
        x_shopify_webhook_id="b54557e4-bdd9-4b37-8a5f-bf7d70bcd043",
    )


def sample(topic: str, document: Any, *gives: str, **more: Any) -> Sample:
    return Sample(more.pop("name", topic), sent(topic, document), gives, **more)


SAMPLES = Samples(
    CHANNEL,
    Source(
        "shop-nl",
        (SECRET,),
        {"stores": {"655441491": "haarlem"}},
        zone="Europe/Amsterdam",
        currency="EUR",
        region="NL",
        reference=lambda kind, found: {"271878346596884015": "dress-36"}.get(found),
    ),
    SECRET,
    sign,
    (
        sample("orders/create", ORDER, "OrderPlaced"),
        sample(
            "orders/create",
            {**ORDER, "source_name": "pos", "location_id": 655441491, "user_id": 799407056},
            "SoldInStore",
            name="a till",
        ),
        sample("orders/updated", {**ORDER, "refunds": [REFUND]}, "OrderReported"),
        sample("orders/edited", {"order_edit": {"id": 1, "order_id": 820982911946154508}}, fetches=["order"]),
        sample(
            "orders/cancelled",
            {**ORDER, "cancelled_at": "2025-11-24T12:00:00+01:00", "cancel_reason": "customer"},
            "OrderCancelled",
            "OrderReported",
        ),
        sample("refunds/create", REFUND, "RefundIssued", "StockReceived"),
        sample("fulfillments/create", SHIPMENT, "OrderShipped", "ParcelLinked"),
        sample(
            "fulfillments/update",
            {**SHIPMENT, "shipment_status": "delivered", "updated_at": "2025-11-24T20:00:00+01:00"},
            "OrderShipped",
            "ParcelLinked",
            "OrderDelivered",
        ),
        sample(
            "carts/update",
            {
                "token": "68778783ad298f1c80c3bafcddeea02f",
                "updated_at": "2025-11-24T10:50:00.123Z",
                "line_items": [{"id": 808950810, "key": "808950810:1", "quantity": 2, "price": "199.95"}],
            },
            "CartReported",
        ),
        sample(
            "checkouts/create",
            {
                "token": "bd5a8aa1ecd019dd3520ff791ee3a24c",
                "cart_token": "68778783ad298f1c80c3bafcddeea02f",
                "created_at": "2025-11-24T10:55:00+01:00",
                "updated_at": "2025-11-24T10:55:00+01:00",
                "currency": "EUR",
                "email": "sam@example.com",
                "line_items": [{"variant_id": 808950810, "quantity": 1, "price": "199.95"}],
            },
            "CheckoutStarted",
            "CartReported",
        ),
        sample(
            "customers/update",
            {
                "id": 706405506930370084,
                "email": "sam@example.com",
                "updated_at": "2025-11-24T10:00:00+01:00",
                "tags": "vip, newsletter",
                "addresses": [{"address1": "Gracht 1", "city": "Haarlem", "country_code": "NL"}],
            },
            "CustomerReported",
        ),
        sample(
            "customers_email_marketing_consent/update",
            {
                "customer_id": 706405506930370084,
                "email_address": "sam@example.com",
                "email_marketing_consent": {
                    "state": "unsubscribed",
                    "opt_in_level": "single_opt_in",
                    "consent_updated_at": "2025-11-24T10:00:00+01:00",
                },
            },
            "ConsentChanged",
        ),
        sample(
            "products/update",
            {
                "id": 788032119674292922,
                "title": "Dress",
                "vendor": "vaart",
                "updated_at": "2025-11-24T10:00:00+01:00",
                "variants": [
                    {
                        "id": 642667041472713922,
                        "sku": "dress-36",
                        "title": "36",
                        "inventory_item_id": 271878346596884015,
                    }
                ],
                "images": [{"src": "https://cdn.example/dress.png"}],
            },
            "ProductReported",
            "ReferenceLearned",
        ),
        sample(
            "inventory_levels/update",
            {
                "inventory_item_id": 271878346596884015,
                "location_id": 655441491,
                "available": 3,
                "updated_at": "2025-11-24T10:00:00+01:00",
            },
            "StockLevelReported",
        ),
        sample(
            "inventory_levels/update",
            {"inventory_item_id": 1, "location_id": 655441491, "available": 3, "updated_at": None},
            name="an item that nobody has told us of",
            fetches=["inventory_item"],
        ),
        sample(
            "customers/redact",
            {"shop_id": 954889, "customer": {"id": 191167, "email": "sam@example.com"}, "orders_to_redact": [299938]},
            "ErasureRequested",
        ),
        sample(
            "customers/data_request",
            {
                "shop_id": 954889,
                "customer": {"id": 191167, "email": "sam@example.com"},
                "orders_requested": [299938],
                "data_request": {"id": 9999},
            },
            "AccessRequested",
        ),
        sample("a/topic that nobody knows", {"id": 1}),
        sample("orders/create", {"id": 1}, name="an order without a time", rejected=1),
        Sample(
            "the header style of its events product",
            post(
                json.dumps(ORDER).encode(),
                shopify_topic="orders/create",
                shopify_webhook_id="b54557e4-bdd9-4b37-8a5f-bf7d70bcd043",
            ),
            ("OrderPlaced",),
        ),
    ),
)  # fmt: skip
