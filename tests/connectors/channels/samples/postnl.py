"""PostNL's status documents, after those that its SDK shows."""

import json
from typing import Any

from connectors.channels.postnl import CHANNEL
from connectors.protocol.channel import Request, Source
from tests.connectors.channels.sampling import Sample, Samples, post, with_headers

SECRET = "a token of ours"
STATUS = {
    "TimeStamp": "24-11-2025 12:30:00",
    "StatusCode": "11",
    "PhaseCode": "4",
    "StatusDescription": "Delivered",
}
BEFORE = {**STATUS, "TimeStamp": "24-11-2025 08:00:00", "StatusCode": "7", "PhaseCode": "3"}
UPDATED = {"Barcode": "3STEST1", "CustomerNumber": "10461423", "CustomerCode": "TEST", "Status": STATUS}


def sign(request: Request, secret: str) -> Request:
    return with_headers(request, authorization=f"Bearer {secret}") if secret else request


def sent(document: Any) -> Request:
    return post(json.dumps(document).encode())


ONE = ("ParcelStatusReported",)

SAMPLES = Samples(
    CHANNEL,
    Source("postnl-nl", (SECRET,), {"customer_number": "10461423"}),
    SECRET,
    sign,
    (
        Sample("what changed", sent([UPDATED]), ONE),
        Sample(
            "with its history",
            sent({"CompleteStatus": {"Shipment": {**UPDATED, "OldStatus": [BEFORE]}}}),
            ONE * 2,
        ),
        Sample("nothing", sent({"CurrentStatus": "{}"})),
        Sample("a bad one among good ones", sent([{"Status": STATUS}, UPDATED]), ONE, rejected=1),
        Sample("one that is no JSON", post(b"<html>"), rejected=1),
    ),
    covers_body=False,
)
