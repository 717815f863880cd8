"""Square's notifications, after its documentation: smallest units, quantities as texts, times with nine digits."""

import base64
import hmac
import json
from typing import Any

from connectors.channels.square import CHANNEL
from connectors.protocol.channel import Request, Source
from tests.connectors.channels.sampling import Sample, Samples, post, with_headers

SECRET = "asdf1234"
URL = "https://in.example/in/square/tills"


def sign(request: Request, secret: str) -> Request:
    if not secret:
        return request
    digest = hmac.digest(secret.encode(), request.public_url.encode() + request.body, "sha256")
    return with_headers(request, x_square_hmacsha256_signature=base64.b64encode(digest).decode())


def sent(kind: str, about: dict[str, Any], named: str = "x1") -> Request:
    body = {
        "merchant_id": "MLEFBHHSJGVHD",
        "type": kind,
        "event_id": "13b867cf-db3d-4b1c-90b6-2f32a9d78124",
        "created_at": "2025-11-24T10:00:00.123456789Z",
        "data": {"type": kind.split(".")[0], "id": named, "object": about},
    }
    return post(json.dumps(body).encode(), url=URL)


def paid(status: str, **more: Any) -> dict[str, Any]:
    return {
        "id": "hYy9pRFVxpDsO1FB05SunFWUe9JZY",
        "status": status,
        "order_id": "03O3USaPaAaFnI6kkwB1JxGgBsUZY",
        "amount_money": {"amount": 1995, "currency": "EUR"},
        "source_type": "CARD",
        "updated_at": "2025-11-24T10:00:00.500Z",
        **more,
    }


def count(item: str, state: str = "IN_STOCK") -> dict[str, Any]:
    return {
        "catalog_object_id": item,
        "location_id": "L1",
        "state": state,
        "quantity": "53",
        "calculated_at": "2025-11-24T10:00:00.000Z",
    }


def sample(kind: str, about: dict[str, Any], *gives: str, **more: Any) -> Sample:
    return Sample(more.pop("name", kind), sent(kind, about), gives, **more)


SAMPLES = Samples(
    CHANNEL,
    Source(
        "tills",
        (SECRET,),
        {"stores": {"L1": "dublin"}},
        region="IE",
        reference=lambda kind, found: {"item-1": "dress-36"}.get(found),
    ),
    SECRET,
    sign,
    (
        sample("payment.updated", {"payment": paid("COMPLETED")}, "OrderPaid"),
        sample("payment.updated", {"payment": paid("FAILED")}, "PaymentFailed", name="a payment that failed"),
        sample("payment.updated", {"payment": paid("PENDING")}, name="a payment that is under way"),
        sample("refund.updated", {"refund": paid("COMPLETED", payment_id="p")}, "RefundIssued"),
        sample(
            "inventory.count.updated",
            {"inventory_counts": [count("item-1"), count("item-2"), count("item-1", "SOLD")]},
            "StockLevelReported",
            fetches=["catalog_object"],
        ),
        sample(
            "customer.updated",
            {
                "customer": {
                    "id": "JDKYHBWT1D4F8MFH63DBMEN8Y4",
                    "given_name": "Sam",
                    "email_address": "sam@example.com",
                    "version": 2,
                    "updated_at": "2025-11-24T10:00:00Z",
                    "address": {"address_line_1": "Quay 1", "locality": "Dublin", "country": "IE"},
                }
            },
            "CustomerReported",
        ),
        sample(
            "loyalty.event.created",
            {
                "loyalty_event": {
                    "id": "e1",
                    "type": "ACCUMULATE_POINTS",
                    "loyalty_account_id": "a1",
                    "created_at": "2025-11-24T10:00:00Z",
                    "accumulate_points": {"points": 5},
                }
            },
            "PointsEarned",
        ),
        sample("order.updated", {"order_updated": {"order_id": "o1", "state": "OPEN"}}, fetches=["order"]),
        sample("catalog.version.updated", {"catalog_version": {"updated_at": "2025-11-24T10:00:00Z"}}),
        sample("payment.updated", {"payment": {"id": "p"}}, name="a payment without an amount", rejected=1),
    ),
)
