"""Sendcloud's requests, in the form of its documentation."""

import hmac
import json
from typing import Any

from connectors.channels.sendcloud import CHANNEL
from connectors.protocol.channel import Request, Source
from tests.connectors.channels.sampling import Sample, Samples, post, with_headers

SECRET = "c0ffee"
PARCEL: dict[str, Any] = {
    "id": 3172,
    "name": "Sam Smit",
    "email": "Sam@example.com",
    "date_created": "2025-11-24T06:48:07",
    "tracking_number": "3SYZXG132912330",
    "weight": "2.000",
    "status": {"id": 3, "message": "En route to sorting center"},
    "shipment": {"id": 1, "name": "PostNL Standard"},
    "order_number": "ORD12334",
    "external_order_id": "",
    "external_shipment_id": "",
}
AT = 1_763_985_600_123
LINKED = ("ParcelStatusReported", "ParcelLinked")


def sign(request: Request, secret: str) -> Request:
    if not secret:
        return request
    return with_headers(
        request, sendcloud_signature=hmac.digest(secret.encode(), request.body, "sha256").hex()
    )


def sent(**changes: Any) -> Request:
    document = {
        "action": "parcel_status_changed",
        "timestamp": AT + 60_000,
        "carrier_status_change_timestamp": AT,
        "parcel": {**PARCEL, **changes},
    }
    return post(json.dumps(document).encode())


def code(number: int) -> Sample:
    return Sample(f"status {number}", sent(status={"id": number, "message": ""}), ("ParcelStatusReported",))


SAMPLES = Samples(
    CHANNEL,
    Source("parcels-nl", (SECRET,)),
    SECRET,
    sign,
    (
        *(code(number) for number in (1, 3, 8, 11, 12, 22, 92, 80, 2000, 1337, 4242)),
        Sample("with the shop's order", sent(external_order_id="5001", carrier={"code": "DPD"}), LINKED),
        Sample("no tracking number yet", sent(tracking_number="")),
        Sample("a parcel without a status", sent(status=None), rejected=1),
        Sample("a test", post(b'{"action": "test_webhook", "timestamp": 1763985600123}')),
    ),
)
