"""Picqer's hooks: an order in the form of its documentation's example, the others assumed from its API's objects."""

import base64
import hmac
import json
from typing import Any

from connectors.channels.picqer import CHANNEL
from connectors.protocol.channel import Request, Source
from tests.connectors.channels.sampling import Sample, Samples, post, with_headers

SECRET = "picqer secret"
ORDER: dict[str, Any] = {
    "idorder": 240350427,
    "idcustomer": 120968508,
    "orderid": "O2025-1002",
    "deliveryname": "Amelia van Geest",
    "deliveryaddress": "van der Lindensteeg 88",
    "deliveryzipcode": "5231PS",
    "deliverycity": "Echtenerbrug",
    "deliverycountry": "NL",
    "telephone": None,
    "emailaddress": "amelia@example.com",
    "discount": 0,
    "status": "concept",
    "updated": "2025-11-24 09:46:30",
    "products": [
        {"idproduct": 633, "productcode": "6531-RB", "price": 64.46, "amount": 2, "weight": 9828},
        {"idproduct": 653, "productcode": "6531-RE", "price": 164.46, "amount": 1},
    ],
}
SHIPMENT = {"idshipment": 91, "idorder": 240350427, "trackingcode": "3STEST1", "carrier_key": "postnl"}
STOCK: dict[str, Any] = {
    "idproduct": 633,
    "productcode": "6531-RB",
    "stock": [
        {"idwarehouse": 18, "stock": 9, "reserved": 2, "freestock": 7},
        {"idwarehouse": 19, "freestock": 0},
    ],
}


def sign(request: Request, secret: str) -> Request:
    if not secret:
        return request
    digest = hmac.digest(secret.encode(), request.body, "sha256")
    return with_headers(request, x_picqer_signature=base64.b64encode(digest).decode())


def sent(event: str, data: Any) -> Request:
    hook = {
        "idhook": 228,
        "name": "vaart",
        "event": event,
        "event_triggered_at": "2025-11-24 09:46:31",
        "data": data,
    }
    return post(json.dumps(hook).encode())


def sample(event: str, data: Any, *gives: str, **more: Any) -> Sample:
    return Sample(more.pop("name", event), sent(event, data), gives, **more)


SAMPLES = Samples(
    CHANNEL,
    Source(
        "wms",
        (SECRET,),
        {"warehouses": {"18": "utrecht"}},
        zone="Europe/Amsterdam",
        currency="EUR",
        region="NL",
    ),
    SECRET,
    sign,
    (
        sample("orders.created", ORDER, "OrderReported"),
        sample("orders.status_changed", {**ORDER, "status": "cancelled"}, "OrderReported"),
        sample(
            "orders.created",
            {**ORDER, "products": [{"idproduct": 1, "amount": 0.5}]},
            name="half",
            rejected=1,
        ),
        sample("orders.notes.created", {"order": ORDER}),
        sample(
            "picklists.closed",
            {"idpicklist": 7, "idorder": 240350427, "idwarehouse": 18, "products": ORDER["products"]},
            "OrderPacked",
        ),
        sample("picklists.shipments.created", SHIPMENT, "OrderShipped", "ParcelLinked"),
        sample(
            "picklists.shipments.created", {**SHIPMENT, "trackingcode": None}, "OrderShipped", name="no code"
        ),
        sample("products.free_stock_changed", STOCK, "StockLevelReported", "StockLevelReported"),
        sample(
            "products.stock_changed",
            {**STOCK, "stock": [{"freestock": 1}, *STOCK["stock"][:1]]},
            "StockLevelReported",
            name="a bad shelf beside a good one",
            rejected=1,
        ),
        sample("comments.created", {"idcomment": 1}),
    ),
)
