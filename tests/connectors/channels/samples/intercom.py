"""Intercom's notifications, in the form of its documentation; conversations after its client's types."""

import hmac
import json
from typing import Any

from connectors.channels.intercom import CHANNEL
from connectors.protocol.channel import Request, Source
from tests.connectors.channels.sampling import Sample, Samples, post, with_headers

SECRET = "client secret"
SAM = {"type": "user", "id": "5f3a", "name": "Sam", "email": "Sam@example.com"}
KIM = {"type": "admin", "id": "814860", "name": "Kim", "email": "kim@shop.example"}
TALK: dict[str, Any] = {
    "type": "conversation",
    "id": "1234567890",
    "created_at": 1763985600,
    "updated_at": 1763985660,
    "source": {
        "type": "conversation",
        "id": "403918320",
        "subject": "",
        "body": "<p>Is this in size 36?</p><p>Thanks &amp; bye</p>",
        "author": SAM,
        "attachments": [
            {"type": "upload", "url": "https://downloads.example/1.png", "content_type": "image/png"}
        ],
    },
    "team_assignee_id": 5017691,
    "admin_assignee_id": 814860,
}


def sign(request: Request, secret: str) -> Request:
    if not secret:
        return request
    return with_headers(
        request, x_hub_signature="sha1=" + hmac.digest(secret.encode(), request.body, "sha1").hex()
    )


def sent(topic: str, item: Any) -> Request:
    document = {
        "type": "notification_event",
        "app_id": "a86dr8yl",
        "id": "notif_abc123",
        "topic": topic,
        "created_at": 1763985661,
        "delivery_attempts": 1,
        "data": {"type": "notification_event_data", "item": item},
    }
    return post(json.dumps(document).encode())


def parts(*found: dict[str, Any]) -> dict[str, Any]:
    return {**TALK, "conversation_parts": {"type": "conversation_part.list", "conversation_parts": found}}


def part(author: Any, **more: Any) -> dict[str, Any]:
    return {
        "id": "269650473",
        "part_type": "comment",
        "body": "<p>Yes</p>",
        "created_at": 1763985660,
        "author": author,
        **more,
    }


def sample(topic: str, item: Any, *gives: str, **more: Any) -> Sample:
    return Sample(more.pop("name", topic), sent(topic, item), gives, **more)


RATED = {**TALK, "conversation_rating": {"rating": 4, "remark": "Quick", "created_at": 1763985700}}
SAMPLES = Samples(
    CHANNEL,
    Source("inbox", (SECRET,)),
    SECRET,
    sign,
    (
        sample("conversation.user.created", TALK, "ConversationStarted", "MessageReceived"),
        sample("conversation.user.replied", parts(part(SAM)), "MessageReceived"),
        sample("conversation.admin.replied", parts(part(KIM)), "MessageSent"),
        sample("conversation.admin.noted", parts(part(KIM, part_type="note")), "MessageSent"),
        sample("conversation.admin.replied", parts(part(KIM, body=None)), name="an assignment in between"),
        sample("conversation.admin.assigned", TALK, "ConversationAssigned"),
        sample("conversation.admin.closed", TALK, "ConversationClosed"),
        sample("conversation.rating.added", RATED, "ConversationRated"),
        sample("conversation.rating.added", TALK, name="no rating", rejected=1),
        sample("conversation.user.created", {"type": "conversation"}, name="no id", rejected=1),
        sample("contact.created", {"type": "contact", "id": "1"}),
        sample("ping", {"type": "ping", "message": "something something interzen"}),
    ),
)
