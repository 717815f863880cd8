"""CloudEvents as JSON, as a list of them, and in headers."""

import json
from typing import Any

from connectors.channels.cloudevents import CHANNEL
from connectors.protocol.channel import Request, Source
from tests.connectors.channels.sampling import Sample, Samples, post, with_headers

SECRET = "a token of the till's"
STRUCTURED = "application/cloudevents+json; charset=utf-8"
BATCH = "application/cloudevents-batch+json"

SOLD = {
    "meta": {
        "identifiers": [{"kind": "loyalty_card", "value": "1234"}],
        "context": {"till": "3"},
        "channel": "store",
    },
    "receipt_id": "R-1",
    "store_id": "haarlem",
    "business_date": "2025-11-25",
    "currency": "EUR",
    "lines": [{"line_id": "1", "sku": "dress-36", "quantity": 1, "unit_price": "199.95", "total": 199.95}],
    "totals": {"total": "199.95"},
}


def sign(request: Request, secret: str) -> Request:
    return with_headers(request, authorization=f"Bearer {secret}") if secret else request


def event(kind: str, data: Any, **more: Any) -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "id": "A234-1234-1234",
        "source": "/tills/haarlem",
        "type": kind,
        "subject": None,
        "time": "2025-11-25T09:31:00.123456789Z",
        "datacontenttype": "application/json",
        "data": data,
        **more,
    }


def sent(document: Any, content_type: str = STRUCTURED) -> Request:
    return post(json.dumps(document).encode(), content_type=content_type)


SAMPLES = Samples(
    CHANNEL,
    Source("tills", (SECRET,), {"subject": "customer_id", "medium": "store"}, currency="EUR", region="NL"),
    SECRET,
    sign,
    (
        Sample("an event of ours", sent(event("vaart.SoldInStore", SOLD)), ("SoldInStore",)),
        Sample(
            "anything else",
            sent(event("com.example.sizechart.opened", {"chart": 1.5}, subject="97980")),
            ("CustomActivityRecorded",),
        ),
        Sample(
            "bytes",
            sent(event("com.example.photo", None, datacontenttype="image/png", data_base64="iVBORw0KGgo=")),
            ("CustomActivityRecorded",),
        ),
        Sample(
            "JSON as base64",
            sent(
                event(
                    "vaart.StoreVisited",
                    None,
                    data_base64="eyJzdG9yZV9pZCI6ImhhYXJsZW0iLCJtZXRob2QiOiJ3aWZpIn0=",
                )
            ),
            ("StoreVisited",),
        ),
        Sample(
            "many, with some that are bad",
            sent(
                [
                    event("vaart.SoldInStore", SOLD),
                    event("vaart.SoldInStore", SOLD),
                    event("vaart.SoldInStore", {**SOLD, "totals": {"total": "a lot"}}, id="2"),
                    event("vaart.Sold", {}, id="3"),
                    event("com.example.x", {}, id="", source="s"),
                    event("com.example.x", {}, specversion="0.3"),
                    {"id": "1"},
                    None,
                    event("com.example.x", {}, id="9"),
                ],
                BATCH,
            ),
            ("SoldInStore", "CustomActivityRecorded"),
            rejected=6,
        ),
        Sample("an empty batch", sent([], BATCH)),
        Sample(
            "in headers",
            post(
                json.dumps({"store_id": "haarlem", "method": "wifi"}).encode(),
                content_type="application/json",
                ce_specversion="1.0",
                ce_id="%F0%9F%98%80-1",
                ce_source="/stores/Haarlem%20Noord",
                ce_type="vaart.StoreVisited",
                ce_time="2025-11-25T09:31:00Z",
            ),
            ("StoreVisited",),
        ),
        Sample(
            "in headers, without data",
            post(b"", ce_specversion="1.0", ce_id="1", ce_source="/s", ce_type="com.example.ping"),
            ("CustomActivityRecorded",),
        ),
        Sample("no CloudEvent", post(b"{}", content_type="application/json"), is_answered=True),
    ),
    covers_body=False,
)
