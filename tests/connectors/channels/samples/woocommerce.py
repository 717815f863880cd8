"""WooCommerce's webhooks, after the objects of its REST API: prices as texts, times in GMT without a zone."""

import base64
import hmac
import json
from html import unescape
from typing import Any

from connectors.channels.woocommerce import CHANNEL
from connectors.protocol.channel import Request, Source
from tests.connectors.channels.sampling import Sample, Samples, post, with_headers

SECRET = "a &amp; b"
ORDER: dict[str, Any] = {
    "id": 727,
    "number": "727",
    "status": "processing",
    "currency": "EUR",
    "date_created_gmt": "2025-11-24T10:00:00",
    "date_modified_gmt": "2025-11-24T10:05:00",
    "date_paid_gmt": "2025-11-24T10:01:00",
    "customer_id": 25,
    "total": "189.95",
    "total_tax": "32.96",
    "discount_total": "10.00",
    "shipping_total": "0.00",
    "prices_include_tax": True,
    "payment_method": "ideal",
    "transaction_id": "tr_8",
    "billing": {
        "first_name": "Sam",
        "last_name": "Smit",
        "address_1": "Gracht 1",
        "postcode": "2011 AA",
        "city": "Haarlem",
        "country": "NL",
        "email": "Sam@Example.com",
        "phone": "06 12345678",
    },
    "line_items": [
        {
            "id": 315,
            "product_id": 93,
            "variation_id": 0,
            "sku": "dress-36",
            "quantity": 1,
            "subtotal": "199.95",
            "total": "189.95",
            "total_tax": "32.96",
        }
    ],
    "coupon_lines": [{"id": 1, "code": "welkom"}],
    "refunds": [],
    "meta_data": [{"id": 1, "key": "_wc_order_attribution_utm_source", "value": "instagram"}],
}
PRODUCT = {
    "id": 93,
    "name": "Dress",
    "sku": "dress-36",
    "date_modified_gmt": "2025-11-24T09:00:00",
    "manage_stock": True,
    "stock_quantity": 3,
    "categories": [{"id": 9, "name": "Dresses"}],
    "images": [{"src": "https://shop.example/dress.jpg"}],
}


def sign(request: Request, secret: str) -> Request:
    if not secret:
        return request
    digest = hmac.digest(unescape(secret).encode(), request.body, "sha256")
    return with_headers(request, x_wc_webhook_signature=base64.b64encode(digest).decode())


def sent(topic: str, document: Any) -> Request:
    return post(json.dumps(document).encode(), x_wc_webhook_topic=topic, x_wc_webhook_delivery_id="a1")


def sample(topic: str, document: Any, *gives: str, **more: Any) -> Sample:
    return Sample(more.pop("name", topic), sent(topic, document), gives, **more)


SAMPLES = Samples(
    CHANNEL,
    Source("shop-nl", (SECRET,), {"location": "haarlem"}, region="NL"),
    SECRET,
    sign,
    (
        sample("order.created", ORDER, "OrderPlaced"),
        sample("order.updated", ORDER, "OrderReported"),
        sample(
            "order.updated",
            {**ORDER, "status": "refunded", "refunds": [{"id": 726, "reason": "", "total": "-10.00"}]},
            "OrderReported",
            "RefundIssued",
            name="a refund",
        ),
        sample("order.deleted", {"id": 727}, "OrderCancelled"),
        sample("order.created", {**ORDER, "customer_id": 0, "billing": None}, "OrderPlaced", name="a guest"),
        sample(
            "customer.updated",
            {
                "id": 25,
                "email": "sam@example.com",
                "first_name": "Sam",
                "date_modified_gmt": "2025-11-24T09:00:00",
            },
            "CustomerReported",
        ),
        sample("product.updated", PRODUCT, "ProductReported", "StockLevelReported"),
        sample(
            "product.updated",
            {**PRODUCT, "manage_stock": "parent", "stock_quantity": None},
            "ProductReported",
            name="a variation without a stock of its own",
        ),
        sample(
            "coupon.created",
            {"id": 719, "code": "welkom", "amount": "10.00", "date_modified_gmt": "2025-11-24T09:00:00"},
            "CodeIssued",
        ),
        sample("action.woocommerce_add_to_cart", {"action": "woocommerce_add_to_cart", "arg": "x"}),
        sample("order.created", {"id": 1}, name="an order without a time", rejected=1),
    ),
)
