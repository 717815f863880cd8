"""The task router's events as a webhook sink sends them, after public receivers of them."""

import base64
import hashlib
import hmac
import json
from dataclasses import replace
from typing import Any

from connectors.channels.twilio_flex import CHANNEL
from connectors.protocol.channel import Request, Source
from tests.connectors.channels.sampling import Sample, Samples, post, with_headers

SECRET = "auth token"
URL = "https://in.example/in/twilio_flex/flex"


def sign(request: Request, secret: str) -> Request:
    if not secret:
        return request
    digest = hashlib.sha256(request.body).hexdigest()
    url = f"{URL}?bodySHA256={digest}"
    signature = base64.b64encode(hmac.digest(secret.encode(), url.encode(), "sha1")).decode()
    addressed = replace(request, public_url=url, query=(("bodySHA256", digest),))
    return with_headers(addressed, x_twilio_signature=signature)


def event(kind: str, **payload: Any) -> dict[str, Any]:
    task = {
        "task_sid": "WT1",
        "task_attributes": '{"from": "whatsapp:+31612345678", "name": "Sam"}',
        "task_channel_unique_name": "chat",
        "task_queue_name": "Everyone",
    }
    return {
        "specversion": "1.0",
        "type": f"com.twilio.taskrouter.{kind}",
        "source": "/v1/Accounts/AC1",
        "id": "EV1",
        "time": "2025-11-24T12:00:00.000Z",
        "data": {"payload": {**task, **payload}},
    }


def sent(*events: Any) -> Request:
    return post(json.dumps(events).encode())


SAMPLES = Samples(
    CHANNEL,
    Source("flex", (SECRET,)),
    SECRET,
    sign,
    (
        Sample("a task", sent(event("task.created")), ("ConversationStarted",)),
        Sample(
            "accepted",
            sent(event("reservation.accepted", worker_sid="WK1", reservation_sid="WR1")),
            ("ConversationAssigned",),
        ),
        Sample("completed", sent(event("task.completed")), ("ConversationClosed",)),
        Sample("canceled", sent(event("task.canceled", task_attributes="?")), ("ConversationClosed",)),
        Sample(
            "several, two bad, one twice",
            sent(
                event("task.created"),
                {"type": 1},
                event("task.created", task_sid=None),
                event("task.created"),
            ),
            ("ConversationStarted",),
            rejected=2,
        ),
        Sample("another type", sent(event("worker.created"))),
    ),
)
