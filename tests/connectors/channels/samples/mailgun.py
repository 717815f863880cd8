"""Mailgun's events, after its documentation and those that django-anymail's tests keep (one of them captured)."""

import hmac
import json
from dataclasses import replace
from typing import Any

from connectors.channels.mailgun import CHANNEL
from connectors.protocol.channel import Request, Source
from tests.connectors.channels.sampling import Sample, Samples, post

SECRET = "key-3ax6xnjp29jd6fds4gc373sgvjxteol0"
TIMESTAMP, TOKEN = "1763978637", "651869375b9df3c98fc15c4889b102119add1235c38fc92824"
BOTH = ("MessageStatusReported", "ConsentChanged")


def sign(request: Request, secret: str) -> Request:
    """The signature stands in the body, beside the event."""
    if not secret:
        return request
    digest = hmac.digest(secret.encode(), (TIMESTAMP + TOKEN).encode(), "sha256").hex()
    told = json.dumps({"timestamp": TIMESTAMP, "token": TOKEN, "signature": digest}).encode()
    return replace(request, body=b'{"signature":' + told + b"," + request.body.removeprefix(b"{"))


def event(kind: str, **more: Any) -> dict[str, Any]:
    return {
        "event": kind,
        "id": "hTWCTD81RtiDN-dDeoKZGg",
        "timestamp": 1763978637.153125,
        "tags": ["back in stock"],
        "user-variables": {},
        "recipient": "sam@example.com",
        "recipient-domain": "example.com",
        "log-level": "info",
        "message": {
            "headers": {
                "to": "sam@example.com",
                "message-id": "20251124100357.1.DF5966851B4BAA99@shop.example",
                "from": "shop@shop.example",
                "subject": "Back in stock",
            },
            "attachments": [],
            "size": 809,
        },
        **more,
    }


def sent(kind: str, **more: Any) -> Request:
    return post(json.dumps({"event-data": event(kind, **more)}).encode())


def sample(kind: str, *gives: str, **more: Any) -> Sample:
    named = more.pop("name", kind)
    return Sample(named, sent(kind, **more), gives or ("MessageStatusReported",))


SAMPLES = Samples(
    CHANNEL,
    Source("mail", (SECRET,)),
    SECRET,
    sign,
    (
        sample("accepted", envelope={"transport": "smtp"}),
        sample("delivered", **{"delivery-status": {"code": 250, "message": "OK", "session-seconds": 3.57}}),
        sample(
            "failed",
            name="for good",
            severity="permanent",
            reason="bounce",
            **{"delivery-status": {"code": 550}},
        ),
        sample(
            "failed",
            name="for now",
            severity="temporary",
            reason="generic",
            **{"delivery-status": {"code": 498}},
        ),
        sample("rejected", reject={"reason": "Sandbox subdomains are for test purposes only"}),
        sample("opened", **{"client-info": {"bot": "apple", "device-type": "unknown"}, "ip": "8.8.8.8"}),
        sample("clicked", url="https://shop.example/dresses", **{"client-info": {"bot": ""}}),
        sample("complained", *BOTH),
        sample("unsubscribed", *BOTH),
        sample("teleported", name="a new word"),
        Sample(
            "of no message",
            post(json.dumps({"event-data": {"event": "list_uploaded", "timestamp": 1}}).encode()),
        ),
        Sample("without an id", sent("delivered", id=None), rejected=1),
        Sample("without an event", post(b'{"event-data": null}'), rejected=1),
    ),
    covers_body=False,
)
