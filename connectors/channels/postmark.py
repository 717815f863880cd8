"""Postmark: its webhooks of what became of a mail.

| record type | status of MessageStatusReported |
| --- | --- |
| Delivery | delivered |
| Bounce | bounced (hard, or the address is bad), deferred (Transient), complained (SpamComplaint), else failed |
| SpamComplaint | complained, and ConsentChanged |
| Open, Click | opened, clicked |
| SubscriptionChange | unsubscribed or resubscribed, and ConsentChanged if the recipient did it; else bounced |
| another, such as Inbound | nothing |

`notification_id` in the metadata is ours. One request is one event; it has no id but for bounces and complaints.

Postmark signs nothing: the password of the address that it is given (`https://user:password@…`) is the secret. It tries
again unless it is answered with 403.
"""

from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from connectors.protocol import credentials, documents, facts, messages, values
from connectors.protocol.channel import Channel, Evidence, Outcome, Refused, Request, Source, Verdict
from connectors.protocol.documents import NotReadable, Unfit
from connectors.protocol.facts import Facts
from connectors.protocol.messages import Fate
from schemas.meta import Event

MEDIUM = "email"
BAD_ADDRESS = {"HardBounce", "BadEmailAddress", "AddressChange"}
"""Types of a bounce after which another mail would be in vain."""
ALSO_STATUS = {
    "Transient": messages.DEFERRED,
    "SpamComplaint": messages.COMPLAINED,
    "Unsubscribe": messages.UNSUBSCRIBED,
}


class Record(msgspec.Struct, rename="pascal"):
    """What all kinds of records have, and what one of them has."""

    record_type: str = ""
    id: int | str | None = msgspec.field(default=None, name="ID")
    message_id: str | None = msgspec.field(default=None, name="MessageID")
    recipient: str | None = None
    email: str | None = None
    type: str | None = None
    delivered_at: str | None = None
    bounced_at: str | None = None
    received_at: str | None = None
    changed_at: str | None = None
    original_link: str | None = None
    tag: str | None = None
    metadata: Any = None
    suppress_sending: bool = False
    suppression_reason: str | None = None
    origin: str | None = None


def receive(request: Request, source: Source) -> Outcome:
    """One record."""
    if not credentials.are_right(request, source):
        return Refused("the password does not fit")
    try:
        found = documents.read(request.body, Record)
        status = _STATUS.get(found.record_type)
        if status is None:
            return Verdict()
        return Verdict(list(_events(Facts(request, source, MEDIUM), found, status(found))))
    except (NotReadable, Unfit) as error:
        return facts.put_aside(request.body, error)


def _events(made: Facts, found: Record, status: str) -> Iterator[Event]:
    if not found.message_id:
        raise Unfit("a record has no MessageID")
    at = found.delivered_at or found.bounced_at or found.received_at or found.changed_at
    if at is None:
        raise Unfit("a record has no time")
    recipient = found.recipient or found.email
    fate = Fate(
        named=_named(found, at, recipient),
        message_id=found.message_id,
        status=status,
        at=values.moment(at),
        recipient=recipient,
        notification_id=messages.notification_of(
            found.metadata if isinstance(found.metadata, dict) else None
        ),
        campaign=found.tag,
        url=found.original_link if status == messages.CLICKED else None,
        code=found.type or found.suppression_reason,
        purpose=messages.MARKETING if _is_their_choice(found) else None,
    )
    return messages.told(made, fate)


def _named(found: Record, at: str, recipient: str | None) -> str:
    if found.id is not None:
        return f"{found.record_type}:{found.id}"
    told = (found.record_type, found.message_id, recipient, at, found.original_link)
    return ":".join(each or "" for each in told)


def _is_their_choice(found: Record) -> bool:
    """We and Postmark's staff may suppress an address too, and free it: that is nobody's consent."""
    return found.record_type != "SubscriptionChange" or found.origin == "Recipient"


def _bounce(found: Record) -> str:
    if found.type in BAD_ADDRESS:
        return messages.BOUNCED
    return ALSO_STATUS.get(found.type or "", messages.FAILED)


def _change(found: Record) -> str:
    if not found.suppress_sending:
        return messages.RESUBSCRIBED
    reasons = {"HardBounce": messages.BOUNCED, "SpamComplaint": messages.COMPLAINED}
    return reasons.get(found.suppression_reason or "", messages.UNSUBSCRIBED)


_STATUS: dict[str, Callable[[Record], str]] = {
    "Delivery": lambda _: messages.DELIVERED,
    "Bounce": _bounce,
    "SpamComplaint": lambda _: messages.COMPLAINED,
    "Open": lambda _: messages.OPENED,
    "Click": lambda _: messages.CLICKED,
    "SubscriptionChange": _change,
}

CHANNEL = Channel(
    name="postmark",
    title="Postmark",
    medium=MEDIUM,
    receive=receive,
    proof="credential",
    evidence=Evidence(
        "documented",
        "documented",
        "postmarkapp.com/developer; anymail/django-anymail tests/test_postmark_webhooks.py",
    ),
)
