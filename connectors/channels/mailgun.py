"""Mailgun: its webhooks (the JSON ones; the form fields of before 2018 are not read).

| event | status of MessageStatusReported |
| --- | --- |
| accepted | sent |
| delivered | delivered |
| failed, temporary | deferred |
| failed, permanent | bounced |
| rejected | failed |
| opened, clicked | the same; what Mailgun takes for a bot is a machine |
| complained, unsubscribed | the same, and ConsentChanged |
| another word for a message | unknown |
| what is of no message, such as list_uploaded | nothing |

`notification_id` among the user variables is ours, and so is the Message-ID of a mail that we sent ourselves.

Signature: HMAC-SHA256 of timestamp and token, inside the body (documentation.mailgun.com, "Securing Webhooks"). **It
does not cover the event**: who has once seen a signed body can put another event beside its signature, so that nothing
but TLS protects it. Where no answer of success comes Mailgun tries again for 8 hours, but for `delivered`, which never
comes again; 406 ends the attempts.
"""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import msgspec

from connectors.protocol import documents, facts, messages, signatures, values
from connectors.protocol.channel import Channel, Evidence, Outcome, Refused, Request, Source, Verdict
from connectors.protocol.documents import NotReadable, Unfit
from connectors.protocol.facts import Facts
from connectors.protocol.messages import Fate
from schemas.meta import Event

MEDIUM = "email"
EVENT = "event-data"


class Signature(msgspec.Struct):
    timestamp: str
    token: str
    signature: str


class Signed(msgspec.Struct):
    signature: Signature


class Message(msgspec.Struct):
    headers: dict[str, Any] = {}


class DeliveryStatus(msgspec.Struct, rename="kebab"):
    code: int | str | None = None
    enhanced_code: str | None = None


class ClientInfo(msgspec.Struct):
    bot: str | None = None


class Happening(msgspec.Struct, rename="kebab"):
    """What stands in `event-data`."""

    event: str
    timestamp: Decimal
    id: str | None = None
    recipient: str | None = None
    message: Message | None = None
    severity: str | None = None
    delivery_status: DeliveryStatus | None = None
    client_info: ClientInfo | None = None
    url: str | None = None
    tags: list[str] | None = None
    campaigns: list[Any] | None = None
    user_variables: Any = None


def receive(request: Request, source: Source) -> Outcome:
    """The signature stands in the body, so that this is read before it is known to be Mailgun's."""
    try:
        found = documents.parse(request.body)
        signed = documents.fit(found, Signed).signature
    except (NotReadable, Unfit):
        return Refused("it has no signature")
    text = (signed.timestamp + signed.token).encode()
    if not signatures.hmac_hex(source.secrets, text, signed.signature):
        return Refused("the signature does not fit")
    made = Facts(request, source, MEDIUM, signed.token)
    try:
        return Verdict(list(_events(made, documents.fit(found.get(EVENT), Happening))))
    except Unfit as error:
        return facts.put_aside(request.body, error)


def _events(made: Facts, found: Happening) -> Iterator[Event]:
    header = _message_id(found)
    if header is None:
        return iter(())
    if not found.id:
        raise Unfit("an event has no id")
    added = found.user_variables if isinstance(found.user_variables, dict) else {}
    fate = Fate(
        named=found.id,
        message_id=header,
        status=_status(found),
        at=values.seconds(found.timestamp),
        recipient=found.recipient,
        notification_id=messages.notification_of(added, header),
        campaign=next(iter(found.tags or []), None),
        url=found.url if found.event == "clicked" else None,
        code=_code(found),
        is_machine=bool(found.client_info and found.client_info.bot),
    )
    return messages.told(made, fate)


def _message_id(found: Happening) -> str | None:
    named = found.message.headers.get("message-id") if found.message else None
    return named if isinstance(named, str) and named else None


def _status(found: Happening) -> str:
    if found.event == "failed":
        return messages.DEFERRED if found.severity == "temporary" else messages.BOUNCED
    return _STATUS.get(found.event, messages.UNKNOWN)


def _code(found: Happening) -> str | None:
    if found.event not in (*_STATUS, "failed"):
        return found.event
    status = found.delivery_status or DeliveryStatus()
    told = status.enhanced_code or status.code
    return None if told in (None, "") else str(told)


_STATUS = {
    "accepted": messages.SENT,
    "delivered": messages.DELIVERED,
    "rejected": messages.FAILED,
    "opened": messages.OPENED,
    "clicked": messages.CLICKED,
    "complained": messages.COMPLAINED,
    "unsubscribed": messages.UNSUBSCRIBED,
}

CHANNEL = Channel(
    name="mailgun",
    title="Mailgun",
    medium=MEDIUM,
    receive=receive,
    proof="signature",
    evidence=Evidence(
        "documented",
        "documented",
        "documentation.mailgun.com; anymail/django-anymail tests/test_mailgun_webhooks.py",
    ),
    retries=False,
)
