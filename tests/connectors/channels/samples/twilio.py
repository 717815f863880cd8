"""Twilio's requests, after its documentation."""

import base64
import hashlib
import hmac
import json
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl, urlencode

from connectors.channels.twilio import CHANNEL
from connectors.protocol.channel import Request, Source
from tests.connectors.channels.sampling import Sample, Samples, post, with_headers

SECRET = "fb1c5d9f0c6d4f6a8a4d1b9e2f3c4d5e"
URL = "https://in.example/in/twilio/sms-nl?tenant=a%20b"
ACCOUNT = "AC0123456789abcdef0123456789abcdef"
OURS, CUSTOMER = "+31970101234", "+31612345678"
STATUS = ("MessageStatusReported",)


def sign(request: Request, secret: str, digest: str = "sha1") -> Request:
    if not secret:
        return request
    signed = request.public_url
    if "bodySHA256" not in signed:
        form = parse_qsl(request.body.decode(errors="replace"), keep_blank_values=True)
        signed += "".join(name + value for name, value in sorted(set(form)))
    found = hmac.digest(secret.encode(), signed.encode(), digest)
    return with_headers(request, x_twilio_signature=base64.b64encode(found).decode())


def sent(**fields: Any) -> Request:
    told = urlencode({**fields, "AccountSid": ACCOUNT, "ApiVersion": "2010-04-01"})
    return post(told.encode(), url=URL, i_twilio_idempotency_token="6a1a8b6e")


def message(**fields: Any) -> Request:
    told = {"MessageSid": "SM01", "SmsStatus": "received", "From": CUSTOMER, "To": OURS, "NumMedia": "0"}
    return sent(**{**told, "Body": "Is this in size 36? \U0001f60d & more", **fields})


def status(word: str, **fields: Any) -> Request:
    told = {"MessageSid": "SM02", "SmsStatus": word, "MessageStatus": word, "From": OURS, "To": CUSTOMER}
    return sent(**{**told, **fields})


def call(word: str, **fields: Any) -> Request:
    told = {
        "CallSid": "CA01",
        "CallStatus": word,
        "Direction": "inbound",
        "From": CUSTOMER,
        "To": OURS,
        "SequenceNumber": "0",
        "CallbackSource": "call-progress-events",
        "Timestamp": "Mon, 24 Nov 2025 09:59:52 +0000",
    }
    return sent(**{**told, **fields})


def by_json(document: Any) -> Request:
    body = json.dumps(document).encode()
    told = hashlib.sha256(body).hexdigest()
    return replace(
        post(body, url=f"{URL}&bodySHA256={told}"), query=(("tenant", "a b"), ("bodySHA256", told))
    )


def by_get(request: Request) -> Request:
    query = tuple(parse_qsl(request.body.decode(), keep_blank_values=True))
    return replace(request, method="GET", body=b"", query=query, public_url=f"{URL}&{urlencode(query)}")


SAMPLES = Samples(
    CHANNEL,
    Source("sms-nl", (SECRET,), region="NL"),
    SECRET,
    sign,
    (
        Sample("a message", message(Body=""), ("MessageReceived",)),
        Sample("a message by GET", by_get(message()), ("MessageReceived",)),
        Sample(
            "a picture by WhatsApp",
            message(
                From=f"whatsapp:{CUSTOMER}",
                To=f"whatsapp:{OURS}",
                WaId=CUSTOMER[1:],
                ProfileName="Sam",
                NumMedia="2",
                MediaUrl0="https://api.twilio.example/Media/ME1",
                MediaContentType0="image/jpeg",
            ),
            ("MessageReceived",),
        ),
        Sample("a stop", message(Body="STOP", OptOutType="STOP"), ("MessageReceived", "ConsentChanged")),
        Sample("a start", message(Body="START", OptOutType="START"), ("MessageReceived", "ConsentChanged")),
        Sample("a question for help", message(Body="HELP", OptOutType="HELP"), ("MessageReceived",)),
        *(
            Sample(word, status(word), STATUS)
            for word in ("queued", "sending", "sent", "delivered", "read", "canceled", "teleported")
        ),
        Sample("undelivered", status("undelivered", ErrorCode="30003"), STATUS),
        Sample("to no mobile phone", status("undelivered", ErrorCode="30006"), STATUS),
        Sample("to who said stop", status("failed", ErrorCode="21610"), (*STATUS, "ConsentChanged")),
        Sample("a call", call("ringing"), ("CallStarted",)),
        Sample("a call is answered", call("in-progress", SequenceNumber="1"), ("CallStarted",)),
        Sample("a call is over", call("completed", CallDuration="95", SequenceNumber="2"), ("CallEnded",)),
        Sample(
            "a leg of a call",
            call(
                "no-answer", CallSid="CA02", ParentCallSid="CA01", Direction="outbound-dial", To="client:kim"
            ),
            ("CallEnded",),
        ),
        Sample("a call that waits", call("queued")),
        Sample("a call without a time", call("busy", Timestamp=""), ("CallEnded",)),
        Sample("a call that took odd seconds", call("completed", CallDuration="long"), rejected=1),
        Sample("another request", sent(EventType="onConversationAdded", ConversationSid="CH01")),
        Sample("JSON", by_json([{"specversion": "1.0", "type": "com.twilio.taskrouter.task.created"}])),
    ),
)
