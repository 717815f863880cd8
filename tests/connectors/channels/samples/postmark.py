"""Postmark's records, after its documentation and those that django-anymail's tests keep."""

import base64
import json
from typing import Any

from connectors.channels.postmark import CHANNEL
from connectors.protocol.channel import Request, Source
from tests.connectors.channels.sampling import Sample, Samples, post, with_headers

SECRET = "a long password that nobody guesses"
STATUS, BOTH = ("MessageStatusReported",), ("MessageStatusReported", "ConsentChanged")

COMMON = {
    "ServerID": 23,
    "MessageStream": "outbound",
    "MessageID": "883953f4-6105-42a2-a16a-77a8eac79483",
    "Tag": "back in stock",
    "Metadata": {"cohort": "2025-08-A"},
}
BOUNCE = {
    **COMMON,
    "RecordType": "Bounce",
    "ID": 901542550,
    "Type": "HardBounce",
    "TypeCode": 1,
    "Name": "Hard bounce",
    "Details": "smtp;550 5.1.1 The email account that you tried to reach does not exist.",
    "Email": "sam@example.com",
    "BouncedAt": "2025-11-24T16:28:50.3963933-04:00",
}
OPEN = {
    **COMMON,
    "RecordType": "Open",
    "FirstOpen": True,
    "UserAgent": "Mozilla/5.0",
    "Geo": {"IP": "188.2.95.4"},
    "ReceivedAt": "2025-11-24T16:21:41.2493688-04:00",
    "Recipient": "Sam@Example.com",
}
CHANGE = {
    **COMMON,
    "RecordType": "SubscriptionChange",
    "ChangedAt": "2025-11-24T17:17:32Z",
    "Recipient": "sam@example.com",
    "Origin": "Recipient",
    "SuppressSending": True,
    "SuppressionReason": "ManualSuppression",
}


def sign(request: Request, secret: str) -> Request:
    if not secret:
        return request
    told = base64.b64encode(f"postmark:{secret}".encode()).decode()
    return with_headers(request, authorization=f"Basic {told}")


def sent(record: Any) -> Request:
    return post(json.dumps(record).encode())


SAMPLES = Samples(
    CHANNEL,
    Source("mail", (SECRET,)),
    SECRET,
    sign,
    (
        Sample(
            "a delivery",
            sent(
                {
                    **COMMON,
                    "RecordType": "Delivery",
                    "Recipient": "sam@example.com",
                    "DeliveredAt": "2025-11-24T13:28:10.2735393-04:00",
                    "Details": "250 OK",
                }
            ),
            STATUS,
        ),
        Sample("a hard bounce", sent(BOUNCE), STATUS),
        Sample("a passing one", sent({**BOUNCE, "Type": "Transient", "TypeCode": 2}), STATUS),
        Sample("a full mailbox", sent({**BOUNCE, "Type": "SoftBounce", "TypeCode": 4096}), STATUS),
        Sample("a complaint", sent({**BOUNCE, "RecordType": "SpamComplaint", "Type": "SpamComplaint"}), BOTH),
        Sample("an open", sent(OPEN), STATUS),
        Sample(
            "a click",
            sent({**OPEN, "RecordType": "Click", "OriginalLink": "https://shop.example/dresses"}),
            STATUS,
        ),
        Sample("an unsubscribing", sent(CHANGE), BOTH),
        Sample("a return", sent({**CHANGE, "SuppressSending": False, "SuppressionReason": None}), BOTH),
        Sample("freed by us", sent({**CHANGE, "SuppressSending": False, "Origin": "Customer"}), STATUS),
        Sample("suppressed after a bounce", sent({**CHANGE, "SuppressionReason": "HardBounce"}), STATUS),
        Sample(
            "a kind that is not read",
            sent({"RecordType": "Inbound", "FromFull": {"Email": "sam@example.com"}}),
        ),
        Sample("without a time", sent({**COMMON, "RecordType": "Delivery"}), rejected=1),
        Sample("no record", post(b"[1]"), rejected=1),
    ),
    covers_body=False,
)
