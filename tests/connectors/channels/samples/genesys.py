"""Genesys Cloud's documents as EventBridge hands them on, after public fixtures of its topics."""

import json
from dataclasses import replace
from typing import Any

from connectors.channels.genesys import CHANNEL
from connectors.protocol.channel import Request, Source
from tests.connectors.channels.sampling import Sample, Samples, post

SECRET = "5f1d9b9a4f2f4a0c8b7e"
CALL = "6d2a6c6e-6c3b-4f0a-9b56-0f1e1f8a2c11"


def sign(request: Request, secret: str) -> Request:
    """The secret stands in the address."""
    return replace(request, route=f"/{secret}") if secret else request


def document(topic: str, **body: Any) -> dict[str, Any]:
    told = {
        "eventTime": 1763985600123,
        "conversationId": CALL,
        "participantId": "p-1",
        "sessionId": "s-1",
        "mediaType": "VOICE",
        "direction": "INBOUND",
        "ani": "tel:+31612345678",
        "dnis": "tel:+31201234567",
    }
    name = f"v2.detail.events.conversation.{CALL}.{topic}"
    return {
        "version": "0",
        "id": "e-1",
        "detail-type": f"v2.detail.events.conversation.{{id}}.{topic}",
        "source": "aws.partner/genesys.com/cloud/org/vaart",
        "detail": {"topicName": name, "version": "2", "eventBody": {**told, **body}, "metadata": {}},
    }


def sent(found: Any) -> Request:
    return post(json.dumps(found).encode())


SAMPLES = Samples(
    CHANNEL,
    Source("centre", (SECRET,)),
    SECRET,
    sign,
    (
        Sample("a call", sent(document("customer.start")), ("CallStarted",)),
        Sample("its end", sent(document("customer.end", interactingDurationMs=61_500)), ("CallEnded",)),
        Sample("a chat", sent(document("customer.start", mediaType="MESSAGE")), ("ConversationStarted",)),
        Sample("its end", sent(document("customer.end", mediaType="MESSAGE")), ("ConversationClosed",)),
        Sample("a queue", sent(document("acd.start", queueId="q")), ("ConversationAssigned",)),
        Sample("an agent", sent(document("user.start", userId="u")), ("ConversationAssigned",)),
        Sample("another topic", sent(document("acw"))),
        Sample(
            "a list, one of it told twice and one bad",
            sent([document("customer.start"), {"detail": {}}, document("customer.start")]),
            ("CallStarted",),
            rejected=1,
        ),
    ),
    covers_body=False,
)
