"""Brevo (once Sendinblue): webhooks of single mails and of campaigns, one by one or batched.

| event | status of MessageStatusReported |
| --- | --- |
| request | sent |
| deferred | deferred |
| delivered | delivered |
| opened, unique_opened | opened |
| proxy_open, unique_proxy_open | opened, by a machine |
| click | clicked |
| hard_bounce, invalid_email | bounced |
| soft_bounce, blocked, error | failed |
| spam, complaint | complained, and ConsentChanged |
| unsubscribe, unsubscribed | unsubscribed, and ConsentChanged |
| another word for a message | unknown |
| what is of no message, such as contact_updated, list_addition | nothing |

`notification_id` in the JSON of `X-Mailin-custom` is ours, and so is the Message-ID of a mail that we sent ourselves.
An event has no id: it is known by message, word, recipient, time and link. A campaign's mails have no ids either: one
gets that of campaign and recipient.

Times: only `ts_epoch` (milliseconds; seconds have been seen) and `ts_event` are UTC; `date` and `ts` are the account's.
Brevo signs nothing: it sends the password or the token that it is given. It gives an event up at any answer of failure
but 429 (developers.brevo.com, "Retry mechanism"), so that it gets no other.
"""

from collections.abc import Iterator
from typing import Any

import msgspec

from connectors.protocol import credentials, documents, facts, messages, values
from connectors.protocol.channel import (
    BATCH_BYTES_MAX,
    Answer,
    Answers,
    Channel,
    Evidence,
    Outcome,
    Refused,
    Request,
    Source,
)
from connectors.protocol.documents import NotReadable, Unfit
from connectors.protocol.facts import Facts
from connectors.protocol.messages import Fate
from schemas import ids
from schemas.meta import Event, Instant

MEDIUM = "email"
MILLIS_FROM = 100_000_000_000
"""A `ts_epoch` below this would be of 1973 in milliseconds: it is in seconds."""
AGAIN = Answer(429, headers={"Retry-After": "60"})


class Happening(msgspec.Struct):
    """One event. Campaigns have `camp_id` and no `message-id`."""

    event: str
    email: str | None = None
    message_id: str | None = msgspec.field(default=None, name="message-id")
    camp_id: int | str | None = None
    campaign_name: str | None = msgspec.field(default=None, name="campaign name")
    ts_epoch: int | None = None
    ts_event: int | None = None
    link: str | None = None
    url: str | None = msgspec.field(default=None, name="URL")
    tag: Any = None
    tags: Any = None
    custom: Any = msgspec.field(default=None, name="X-Mailin-custom")


def receive(request: Request, source: Source) -> Outcome:
    """One event, or a list of them."""
    if not credentials.are_right(request, source):
        return Refused("the password or the token does not fit")
    try:
        found = documents.parse(request.body)
    except NotReadable as error:
        return facts.put_aside(request.body, error)
    made = Facts(request, source, MEDIUM)
    items = found if isinstance(found, list) else [found]
    return facts.gather(items, lambda item: _events(made, documents.fit(item, Happening)))


def _events(made: Facts, found: Happening) -> Iterator[Event]:
    message_id = _message_id(found)
    if message_id is None:
        return iter(())
    at, link = _at(found), found.link or found.url
    named = (message_id, found.event, found.email, str(at), link)
    fate = Fate(
        named=":".join(each or "" for each in named),
        message_id=message_id,
        status=_STATUS.get(found.event, messages.UNKNOWN),
        at=at,
        recipient=found.email,
        notification_id=messages.notification_of(_custom(found), found.message_id),
        campaign=found.campaign_name or _tag(found),
        url=link if found.event == "click" else None,
        code=found.event,
        is_machine="proxy" in found.event,
    )
    return messages.told(made, fate)


def _message_id(found: Happening) -> str | None:
    if found.message_id or found.camp_id is None or not found.email:
        return found.message_id or None
    return ids.uuid5(f"brevo:{found.camp_id}:{found.email.strip().lower()}")


def _at(found: Happening) -> Instant:
    if found.ts_epoch is not None:
        return (values.millis if found.ts_epoch >= MILLIS_FROM else values.seconds)(found.ts_epoch)
    if found.ts_event is None:
        raise Unfit("an event has neither ts_epoch nor ts_event")
    return values.seconds(found.ts_event)


def _custom(found: Happening) -> dict[str, Any]:
    """What was added to the mail, if that is JSON: it may be any text."""
    try:
        added = documents.parse(found.custom.encode()) if isinstance(found.custom, str) else None
    except (NotReadable, UnicodeEncodeError):
        return {}
    return added if isinstance(added, dict) else {}


def _tag(found: Happening) -> str | None:
    named = next(iter(found.tags), None) if isinstance(found.tags, list) else found.tag
    return named.strip() if isinstance(named, str) else None


_STATUS = {
    "request": messages.SENT,
    "deferred": messages.DEFERRED,
    "delivered": messages.DELIVERED,
    "opened": messages.OPENED,
    "unique_opened": messages.OPENED,
    "proxy_open": messages.OPENED,
    "unique_proxy_open": messages.OPENED,
    "click": messages.CLICKED,
    "hard_bounce": messages.BOUNCED,
    "invalid_email": messages.BOUNCED,
    "soft_bounce": messages.FAILED,
    "blocked": messages.FAILED,
    "error": messages.FAILED,
    "spam": messages.COMPLAINED,
    "complaint": messages.COMPLAINED,
    "unsubscribe": messages.UNSUBSCRIBED,
    "unsubscribed": messages.UNSUBSCRIBED,
}

CHANNEL = Channel(
    name="brevo",
    title="Brevo",
    medium=MEDIUM,
    receive=receive,
    proof="credential",
    evidence=Evidence(
        "documented",
        "documented",
        "developers.brevo.com; anymail/django-anymail tests/test_brevo_webhooks.py",
    ),
    answers=Answers(malformed=AGAIN, refused=AGAIN, too_large=AGAIN, overloaded=AGAIN),
    body_bytes_max=BATCH_BYTES_MAX,
)
