"""Adobe Commerce's events, after the examples of its documentation. Each path of a key names a key pair."""

import base64
import json
from dataclasses import replace
from functools import cache
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from connectors.channels.adobe_commerce import CHANNEL
from connectors.protocol.channel import Request, Source
from tests.connectors.channels.sampling import Sample, Samples, post, with_headers

SECRET = "Adobe's pair"
PATH_1, PATH_2 = "/prod/keys/pub-key-one.pem", "/prod/keys/pub-key-two.pem"
CLIENT = "93e2f5f3b5b44d3fa5e2f2b1d5a3c7aa"


@cache
def key_pair(secret: str) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65_537, 2048)


def public_key(secret: str) -> bytes:
    return key_pair(secret).public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def sign(request: Request, secret: str) -> Request:
    if not secret:
        return request
    signed = key_pair(secret).sign(request.body, padding.PKCS1v15(), hashes.SHA256())
    told = base64.b64encode(signed).decode()
    return with_headers(
        request,
        x_adobe_digital_signature_1=told,
        x_adobe_digital_signature_2=told,
        x_adobe_public_key1_path=PATH_1,
        x_adobe_public_key2_path=PATH_2,
    )


def happening(kind: str, row: Any, named: str = "8b0d4b8e") -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "id": named,
        "source": "urn:uuid:commerce",
        "type": f"com.adobe.commerce.observer.{kind}",
        "data": {"key": "k", "value": row, "source": "shop", "_metadata": {"storeId": "1"}},
        "recipient_client_id": CLIENT,
    }


def sent(*found: Any) -> Request:
    return post(json.dumps(found[0] if len(found) == 1 else found).encode())


ORDER: dict[str, Any] = {
    "entity_id": 12,
    "increment_id": "000000012",
    "status": "processing",
    "created_at": "2025-11-24 09:00:00",
    "updated_at": "2025-11-24 09:05:00",
    "order_currency_code": "EUR",
    "grand_total": "94.9500",
    "tax_amount": "16.4800",
    "discount_amount": "-5.0000",
    "shipping_amount": "0.0000",
    "quote_id": "31",
    "customer_id": "7",
    "customer_email": "Sam@Example.com",
    "customer_firstname": "Sam",
    "customer_lastname": "Smit",
    "items": [
        {
            "item_id": 41,
            "product_id": 93,
            "sku": "dress-36",
            "qty_ordered": "1.0000",
            "price": "82.6033",
            "price_incl_tax": "99.9500",
            "row_total": "82.6033",
            "row_total_incl_tax": "99.9500",
            "tax_amount": "16.4800",
            "discount_amount": "5.0000",
        },
        {"item_id": 42, "parent_item_id": 41, "sku": "dress-36", "qty_ordered": "1.0000"},
    ],
    "addresses": [
        {
            "address_type": "shipping",
            "firstname": "Sam",
            "lastname": "Smit",
            "street": "Gracht 1\nachter",
            "postcode": "2011 AA",
            "city": "Haarlem",
            "country_id": "NL",
            "telephone": "06 12345678",
        }
    ],
}
MEMO = {
    "entity_id": 3,
    "order_id": 12,
    "order_currency_code": "EUR",
    "grand_total": "94.9500",
    "created_at": "2025-11-24 09:30:00",
    "items": [{"order_item_id": 41, "sku": "dress-36", "qty": "1.0000"}],
}
SHIPMENT = {
    "entity_id": 5,
    "order_id": 12,
    "created_at": "2025-11-24 09:20:00",
    "items": [{"order_item_id": 41, "sku": "dress-36", "qty": 1}],
    "tracks": [{"carrier_code": "postnl", "track_number": "3SABC"}],
}
PERSON = {"entity_id": 7, "updated_at": "2025-11-24 09:00:00", "email": "sam@example.com", "firstname": "Sam"}
PRODUCT = {"entity_id": 93, "sku": "dress-36", "name": "Dress", "updated_at": "2025-11-24 09:00:00"}
STOCK = {"item_id": 93, "product_id": 93, "stock_id": 1, "qty": 4, "is_in_stock": True}
PLACED = ("OrderPlaced", "OrderReported")


def reference(kind: str, foreign_id: str) -> str | None:
    return "dress-36" if (kind, foreign_id) == ("product", "93") else None


SAMPLES = Samples(
    CHANNEL,
    Source(
        "shop-nl",
        options={"client_id": CLIENT, "location": "haarlem"},
        region="NL",
        keys={PATH_1: public_key(SECRET), PATH_2: public_key(SECRET)},
        reference=reference,
    ),
    SECRET,
    sign,
    (
        Sample("an order", sent(happening("sales_order_save_commit_after", ORDER)), PLACED),
        Sample(
            "an order without its lines",
            sent(happening("sales_order_save_commit_after", {"entity_id": 12, "status": "holded"})),
            fetches=("order",),
        ),
        Sample(
            "a refund", sent(happening("sales_order_creditmemo_save_commit_after", MEMO)), ("RefundIssued",)
        ),
        Sample(
            "a shipment",
            sent(happening("sales_order_shipment_save_commit_after", SHIPMENT)),
            ("OrderShipped", "ParcelLinked"),
        ),
        Sample("a customer", sent(happening("customer_save_commit_after", PERSON)), ("CustomerReported",)),
        Sample(
            "a product", sent(happening("catalog_product_save_commit_after", PRODUCT)), ("ProductReported",)
        ),
        Sample(
            "stock",
            sent(happening("cataloginventory_stock_item_save_commit_after", STOCK)),
            ("StockLevelReported",),
        ),
        Sample(
            "stock of a product that is not known",
            sent(happening("cataloginventory_stock_item_save_commit_after", {**STOCK, "product_id": 94})),
            fetches=("product",),
        ),
        Sample(
            "the older form",
            sent(
                {
                    "event_id": "1",
                    "event": happening("customer_save_commit_after", PERSON),
                    "recipient_client_id": CLIENT,
                }
            ),
            ("CustomerReported",),
        ),
        Sample("another", sent(happening("rma_save_commit_after", {"entity_id": 1}))),
        Sample(
            "a bad one among good ones",
            sent(
                happening("sales_order_save_commit_after", ORDER),
                happening("customer_save_commit_after", {"email": 1}, "2"),
                happening("catalog_product_save_commit_after", PRODUCT, "3"),
            ),
            (*PLACED, "ProductReported"),
            rejected=1,
        ),
    ),
    other="another's pair",
)
CHALLENGE = replace(
    post(b"", url="https://in.example/in/adobe_commerce/shop-nl?challenge=8ec8d794"),
    method="GET",
    query=(("challenge", "8ec8d794"),),
)
