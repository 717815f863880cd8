"""Zendesk's events, in the forms of its documentation."""

import base64
import hmac
import json
from typing import Any

from connectors.channels.zendesk import CHANNEL
from connectors.protocol.channel import Request, Source
from tests.connectors.channels.sampling import Sample, Samples, post, with_headers

SECRET = "zendesk secret"
SIGNED_AT = "2025-11-24T09:33:19Z"
DETAIL = {
    "id": "141",
    "requester_id": "8447388090494",
    "assignee_id": "8447388090495",
    "group_id": "8447320465150",
    "subject": "Where is my order?",
    "status": "OPEN",
    "via": {"channel": "web_service"},
}
COMMENT = {
    "id": "8659716080255",
    "body": "It left today.",
    "is_public": True,
    "author": {"id": "1", "name": "Kim"},
}


def sign(request: Request, secret: str) -> Request:
    if not secret:
        return request
    digest = hmac.digest(secret.encode(), SIGNED_AT.encode() + request.body, "sha256")
    return with_headers(
        request,
        x_zendesk_webhook_signature=base64.b64encode(digest).decode(),
        x_zendesk_webhook_signature_timestamp=SIGNED_AT,
    )


def sent(kind: str, event: Any, **detail: Any) -> Request:
    document = {
        "account_id": 21825834,
        "detail": {**DETAIL, **detail},
        "event": event,
        "id": "01JQMQH83YNAKWSWJ8B1QH2NSC",
        "subject": "zen:ticket:141",
        "time": "2025-11-24T09:33:18.254571515Z",
        "type": f"zen:event-type:{kind}",
        "zendesk_event_version": "2022-11-06",
    }
    return post(json.dumps(document).encode())


def comment(**changes: Any) -> Request:
    return sent("ticket.comment_added", {"comment": {**COMMENT, **changes}})


def message(actor: str) -> Request:
    said = {
        "actor": {"id": "2", "name": "Sam", "type": actor},
        "conversation_id": "67ab5f53a96f98663935c3f2",
        "message": {"body": "Hi there", "id": "67ab5f55155becd183e284cb"},
    }
    return sent("messaging_ticket.message_added", said)


SAMPLES = Samples(
    CHANNEL,
    Source("desk", (SECRET,)),
    SECRET,
    sign,
    (
        Sample("a ticket", sent("ticket.created", {}), ("ConversationStarted",)),
        Sample("of a customer", comment(), ("MessageReceived",)),
        Sample("of staff", comment(author={"id": "3", "is_staff": True}), ("MessageSent",)),
        Sample("a note", comment(is_public=False), ("MessageSent",)),
        Sample("redacted", sent("ticket.comment_redacted", {"comment": COMMENT}), ("MessageRemoved",)),
        Sample(
            "an agent", sent("ticket.agent_assignment_changed", {"current": "1"}), ("ConversationAssigned",)
        ),
        Sample(
            "a group", sent("ticket.group_assignment_changed", {"current": "1"}), ("ConversationAssigned",)
        ),
        Sample("solved", sent("ticket.status_changed", {"current": "SOLVED"}), ("ConversationClosed",)),
        Sample("pending", sent("ticket.status_changed", {"current": "PENDING"})),
        Sample("a chat of a customer", message("end_user"), ("MessageReceived",)),
        Sample("a chat of a bot", message("system"), ("MessageSent",)),
        Sample("a comment that is none", sent("ticket.comment_added", {}), rejected=1),
        Sample("another type", sent("ticket.tags_changed", {})),
        Sample("a trigger's own words", post(b'{"ticket": "141"}')),
        Sample("a test without a body", post(b"")),
    ),
)
