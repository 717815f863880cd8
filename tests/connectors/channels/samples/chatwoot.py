"""Chatwoot's events, in the form of its documentation: times as texts and as seconds, types as words and as numbers."""

import hmac
import json
from typing import Any

from connectors.channels.chatwoot import CHANNEL
from connectors.protocol.channel import Request, Source
from tests.connectors.channels.sampling import Sample, Samples, post, with_headers

SECRET = "chatwoot secret"
SIGNED_AT = "1763985661"
SAM = {"id": 89, "name": "Sam", "email": "sam@example.com", "phone_number": "+31612345678", "type": "contact"}
KIM = {"id": 1, "name": "Kim", "email": "kim@shop.example", "type": "user"}
TALK: dict[str, Any] = {
    "id": 567,
    "status": "open",
    "channel": "Channel::WebWidget",
    "created_at": 1763985600,
    "updated_at": 1763985661.25,
    "meta": {"sender": SAM},
}
MESSAGE: dict[str, Any] = {
    "id": 1234,
    "content": "I need help with my order",
    "message_type": "incoming",
    "private": False,
    "created_at": "2025-11-24 12:00:00 UTC",
    "sender": SAM,
    "conversation": TALK,
}


def sign(request: Request, secret: str) -> Request:
    if not secret:
        return request
    digest = hmac.digest(secret.encode(), f"{SIGNED_AT}.".encode() + request.body, "sha256")
    return with_headers(
        request, x_chatwoot_signature=f"sha256={digest.hex()}", x_chatwoot_timestamp=SIGNED_AT
    )


def sample(event: str, document: Any, *gives: str, **more: Any) -> Sample:
    request = post(json.dumps({**document, "event": event}).encode(), x_chatwoot_delivery="d-1")
    return Sample(more.pop("name", event), request, gives, **more)


SAMPLES = Samples(
    CHANNEL,
    Source("chat", (SECRET,)),
    SECRET,
    sign,
    (
        sample("conversation_created", TALK, "ConversationStarted"),
        sample("message_created", MESSAGE, "MessageReceived"),
        sample("message_created", {**MESSAGE, "message_type": 1, "sender": KIM}, "MessageSent", name="ours"),
        sample(
            "message_created",
            {**MESSAGE, "message_type": "outgoing", "private": True, "created_at": 1763985600},
            "MessageSent",
            name="a note",
        ),
        sample("message_created", {**MESSAGE, "message_type": 2}, name="an activity"),
        sample("message_updated", {**MESSAGE, "content_attributes": {"deleted": True}}, "MessageRemoved"),
        sample("message_updated", MESSAGE, name="a message that was read"),
        sample("conversation_status_changed", {**TALK, "status": "resolved"}, "ConversationClosed"),
        sample("conversation_status_changed", TALK, name="opened again"),
        sample("message_created", {**MESSAGE, "conversation": None}, name="no conversation", rejected=1),
        sample("contact_created", SAM),
    ),
)
