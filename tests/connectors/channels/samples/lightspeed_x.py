"""Lightspeed X-Series's webhooks: a form around JSON, unit prices without tax."""

import hmac
import json
from typing import Any
from urllib.parse import urlencode

from connectors.channels.lightspeed_x import CHANNEL
from connectors.protocol.channel import Request, Source
from tests.connectors.channels.sampling import Sample, Samples, post, with_headers

SECRET = "hLh0Vd3wzUy3pqVQmSQ4"


def sign(request: Request, secret: str) -> Request:
    if not secret:
        return request
    found = hmac.digest(secret.encode(), request.body, "sha256").hex()
    return with_headers(request, x_signature=f"signature={found},algorithm=HMAC-SHA256")


def sent(kind: str, payload: dict[str, Any]) -> Request:
    form = {"domain_prefix": "shop", "environment": "prod", "payload": json.dumps(payload), "type": kind}
    return post(urlencode(form).encode(), content_type="application/x-www-form-urlencoded")


def item(named: str, quantity: int) -> dict[str, Any]:
    return {"id": named, "product_id": "p1", "quantity": quantity, "price": "8.6957", "tax": "1.30435"}


def sale(status: str, *items: dict[str, Any], paid: str = "20.00") -> dict[str, Any]:
    return {
        "id": "e0b8",
        "status": status,
        "sale_date": "2025-11-24 23:40:49",
        "updated_at": "2025-11-24 23:41:00",
        "register_id": "r1",
        "outlet_id": "o1",
        "customer_id": "c1",
        "register_sale_products": list(items),
        "register_sale_payments": [{"amount": paid, "payment_type": {"id": "1", "name": "Cash"}}],
    }


def sample(kind: str, payload: dict[str, Any], *gives: str, **more: Any) -> Sample:
    return Sample(more.pop("name", kind), sent(kind, payload), gives, **more)


PERSON = {"id": "c1", "first_name": "Sam", "email": "sam@example.com", "version": 8}
SAMPLES = Samples(
    CHANNEL,
    Source("tills", (SECRET,), {"stores": {"o1": "utrecht"}}, "Europe/Amsterdam", "EUR", "NL"),
    SECRET,
    sign,
    (
        sample("sale.update", sale("CLOSED", item("l1", 2)), "SoldInStore"),
        sample("sale.update", sale("CLOSED", item("l1", -2), paid="-20"), "ReturnedInStore", name="a return"),
        sample(
            "sale.update",
            sale("CLOSED", item("l1", 2), item("l2", -1)),
            "SoldInStore",
            "ReturnedInStore",
            name="an exchange",
        ),
        sample("sale.update", sale("VOIDED", item("l1", 2)), "StoreSaleVoided", name="a voided sale"),
        sample("sale.update", sale("SAVED", item("l1", 2)), name="a parked sale"),
        sample(
            "inventory.update",
            {"id": "i1", "product_id": "p1", "outlet_id": "o1", "count": "5.00000", "version": 7},
            "StockLevelReported",
        ),
        sample(
            "inventory.update",
            {"id": "i1", "product_id": "p1", "outlet_id": "o1", "count": 5},
            name="stock without a version",
            fetches=["inventory"],
        ),
        sample("sale.update", sale("CLOSED", item("l1", 2), paid="NaN"), name="no number", rejected=1),
        sample("product.update", {"id": "p1"}, name="a product without a version", rejected=1),
        sample("product.update", {"id": "p1", "sku": "shirt", "version": 3}, "ProductReported"),
        sample("customer.update", PERSON, "CustomerReported"),
        sample("consignment.receive", {"id": "k1"}, fetches=["consignment"]),
        sample("register_closure.create", {"id": "x"}),
        sample("sale.update", {"id": "e0b8"}, name="a sale without a status", rejected=1),
    ),
)
