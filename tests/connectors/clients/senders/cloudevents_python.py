"""Sends as anybody's service does with the CloudEvents SDK: as JSON or in headers, with a token or signed."""

import sys
from datetime import UTC, datetime

import requests
from cloudevents.core.bindings.http import to_binary_event, to_structured_event
from cloudevents.core.v1.event import CloudEvent
from standardwebhooks import Webhook

url, mode, proof = sys.argv[1:4]
told = {
    "id": "😀 1",
    "source": "/stores/haarlem",
    "type": "vaart.StoreVisited",
    "datacontenttype": "application/json",
}
event = CloudEvent(
    {**told, "time": datetime.now(UTC), "subject": "97980"}, {"store_id": "haarlem", "method": "wifi"}
)
message = to_structured_event(event) if mode == "structured" else to_binary_event(event)
headers = dict(message.headers)
if proof == "signed":
    now = datetime.now(UTC)
    signature = Webhook("whsec_c2VjcmV0IG9mIHRoZSB0ZXN0cw==").sign("msg_1", now, message.body.decode())
    signed = {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": signature,
    }
    headers.update(signed)
else:
    headers["Authorization"] = "Bearer a token of the tests"
requests.post(url, data=message.body, headers=headers, timeout=10).raise_for_status()
