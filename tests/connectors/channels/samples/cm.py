"""CM.com's requests, in the forms of its documentation."""

import json
from dataclasses import replace
from typing import Any

from connectors.channels.cm import CHANNEL
from connectors.protocol.channel import Request, Source
from tests.connectors.channels.sampling import Sample, Samples, post

SECRET = "5f1d9b9a4f2f4a0c8b7e"
OURS, CUSTOMER = "0031970101234", "0031612345678"
STATUS = ("MessageStatusReported",)
MESSAGE: dict[str, Any] = {
    "reference": "7d9f9a1e-54a7-5c25-9d0a-3e1e9b6a0a11",
    "messageContext": "",
    "from": {"number": CUSTOMER, "name": "Sam"},
    "to": {"number": OURS},
    "message": {
        "text": "Is this in size 36?",
        "media": {"mediaUri": "", "contentType": "", "title": ""},
        "custom": {},
    },
    "groupings": ["", "", ""],
    "timeUtc": "2025-11-24T09:59:52",
    "channel": "SMS",
}


def sign(request: Request, secret: str) -> Request:
    """The secret stands in the address."""
    return replace(request, route=f"/{secret}") if secret else request


def sent(document: Any) -> Request:
    return post(json.dumps(document).encode())


def report(code: Any, **more: Any) -> dict[str, Any]:
    told = {"code": str(code), "errorCode": "", "errorDescription": ""}
    return {
        "received": "2025-11-24T10:59:52",
        "to": CUSTOMER,
        "reference": "7d9f9a1e-54a7-5c25-9d0a-3e1e9b6a0a11",
        "status": {**told, **more},
        "operator": "20408",
    }


def reported(*reports: Any) -> Request:
    return sent({"messages": {"msg": reports[0] if len(reports) == 1 else reports}})


SAMPLES = Samples(
    CHANNEL,
    Source("sms-nl", (SECRET,), zone="Europe/Amsterdam", region="NL"),
    SECRET,
    sign,
    (
        Sample("a message", sent(MESSAGE), ("MessageReceived",)),
        Sample(
            "a picture by WhatsApp",
            sent(
                {
                    **MESSAGE,
                    "channel": "WhatsApp",
                    "message": {
                        "text": "",
                        "media": {"mediaUri": "https://cm.example/1", "contentType": "image/jpeg"},
                    },
                }
            ),
            ("MessageReceived",),
        ),
        *(Sample(f"code {code}", reported(report(code)), STATUS) for code in range(6)),
        Sample(
            "several reports, one of them bad",
            reported(report(2), {"to": CUSTOMER}, report(4)),
            STATUS * 2,
            rejected=1,
        ),
        Sample("without a time", sent({**MESSAGE, "timeUtc": None}), rejected=1),
        Sample("another request", sent({"event": "unknown"})),
        Sample("XML", post(b"<MESSAGES><MSG/></MESSAGES>"), rejected=1),
        Sample("no object", sent([1]), rejected=1),
    ),
    covers_body=False,
)
