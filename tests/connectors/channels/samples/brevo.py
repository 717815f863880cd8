"""Brevo's events, after its documentation and those that django-anymail's tests keep (most of them captured)."""

import json
from typing import Any

from connectors.channels.brevo import CHANNEL
from connectors.protocol.channel import Request, Source
from tests.connectors.channels.sampling import Sample, Samples, post, with_headers

SECRET = "a long token that nobody guesses"
STATUS, BOTH = ("MessageStatusReported",), ("MessageStatusReported", "ConsentChanged")


def sign(request: Request, secret: str) -> Request:
    return with_headers(request, authorization=f"Bearer {secret}") if secret else request


def event(kind: str, **more: Any) -> dict[str, Any]:
    return {
        "event": kind,
        "email": "sam@example.com",
        "id": 9999999,
        "message-id": "<201803062010.27287306012@smtp-relay.mailin.fr>",
        "date": "2025-11-24 11:10:23",
        "ts": 1763982623,
        "ts_event": 1763979023,
        "ts_epoch": 1763979023000,
        "tag": '["back in stock"]',
        "tags": ["back in stock", "dresses"],
        "template_id": 12,
        **more,
    }


ADDED: dict[str, Any] = {"X-Mailin-custom": '{"meta": "data"}'}
ADDED_TEXT: dict[str, Any] = {"X-Mailin-custom": "some:text|not:json"}
CAMPAIGN: dict[str, Any] = {
    "id": 1,
    "camp_id": 17,
    "email": "sam@example.com",
    "campaign name": "Winter dresses",
    "date_sent": "2025-11-24 10:00:00",
    "date_event": "2025-11-24 11:10:23",
    "event": "opened",
    "tag": "",
    "ts_sent": 1763978400,
    "ts_event": 1763979023,
}


def sent(*events: Any) -> Request:
    return post(json.dumps(events[0] if len(events) == 1 else events).encode())


def sample(kind: str, gives: tuple[str, ...] = STATUS, **more: Any) -> Sample:
    return Sample(more.pop("name", kind), sent(event(kind, **more)), gives)


SAMPLES = Samples(
    CHANNEL,
    Source("mail", (SECRET,)),
    SECRET,
    sign,
    (
        sample("request", **ADDED),
        sample("delivered", sending_ip="185.41.28.109"),
        sample("deferred", reason="452 4.2.2 mailbox full"),
        sample("unique_opened", **ADDED_TEXT),
        sample("opened"),
        sample("proxy_open"),
        sample("unique_proxy_open"),
        sample("click", link="https://shop.example/dresses"),
        sample("hard_bounce", reason=" RecipientError: 550 5.5.0 mailbox unavailable."),
        sample("invalid_email"),
        sample("soft_bounce", reason="undefined Unable to find MX of domain no-mx.example.com"),
        sample("blocked", reason="blocked : due to blacklist user"),
        sample("error", ts_epoch=1763979023, name="an epoch in seconds"),
        sample("spam", BOTH),
        sample("complaint", BOTH, ts_epoch=None, name="without an epoch"),
        sample("unsubscribed", BOTH),
        sample("teleported", name="a new word"),
        Sample("a campaign", sent(CAMPAIGN), STATUS),
        Sample("leaving a campaign", sent({**CAMPAIGN, "event": "unsubscribe"}), BOTH),
        Sample(
            "of no message",
            sent({"event": "list_addition", "email": "sam@example.com", "list_id": [5], "ts": 1763979023}),
        ),
        Sample(
            "a batch with a bad one",
            sent(event("delivered"), event("opened", ts_epoch=None, ts_event=None), None, event("opened")),
            STATUS * 2,
            rejected=2,
        ),
        Sample("no JSON", post(b"event=opened"), rejected=1),
    ),
    covers_body=False,
)
