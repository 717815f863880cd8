"""SendGrid: its signed event webhook.

| event | status of MessageStatusReported |
| --- | --- |
| processed | sent |
| deferred | deferred |
| delivered | delivered |
| open, click | opened, clicked; Apple's privacy proxy is a machine |
| bounce | bounced; of type `blocked` failed, since the address is good |
| dropped | failed |
| spamreport | complained, and ConsentChanged |
| unsubscribe, group_unsubscribe | unsubscribed, and ConsentChanged |
| group_resubscribe | resubscribed, and ConsentChanged |
| another word for a message | unknown |
| what is of no message, such as account_status_change | nothing |

A request is a list of events. What was added to a mail stands among an event's own fields: `notification_id` is ours.

Signature: ECDSA (P-256, SHA-256) of the timestamp's header and the body as it came, with the CRLF at its end
(sendgrid/sendgrid-python, sendgrid/helpers/eventwebhook). A source's secrets are the verification keys that SendGrid
shows (base64). How old a delivery may be is not said: they are repeated for a day, and a repeat has the same event ids.
"""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import msgspec

from connectors.protocol import documents, facts, messages, signatures, values
from connectors.protocol.channel import (
    BATCH_BYTES_MAX,
    Channel,
    Evidence,
    Option,
    Outcome,
    Refused,
    Request,
    Source,
)
from connectors.protocol.documents import NotReadable, Unfit
from connectors.protocol.facts import Facts
from connectors.protocol.messages import Fate
from schemas.meta import Event

MEDIUM = "email"
BLOCKED = "blocked"
SERVER = "filter"
"""So begins a message id whose first part is a server of SendGrid and no message."""


class Happening(msgspec.Struct):
    """One event of the list."""

    event: str
    timestamp: Decimal
    sg_event_id: str | None = None
    sg_message_id: str | None = None
    smtp_id: str | None = msgspec.field(default=None, name="smtp-id")
    email: str | None = None
    type: str | None = None
    status: str | None = None
    url: str | None = None
    category: str | list[str] | None = None
    marketing_campaign_name: str | None = None
    singlesend_name: str | None = None
    asm_group_id: int | str | None = None
    sg_machine_open: bool = False
    notification_id: Any = None


def receive(request: Request, source: Source) -> Outcome:
    """Every event of the list is taken by itself."""
    if not _is_signed(request, source):
        return Refused("the signature does not fit")
    try:
        found = documents.parse(request.body)
        if not isinstance(found, list):
            raise Unfit("must be a list of events")
    except (NotReadable, Unfit) as error:
        return facts.put_aside(request.body, error)
    made = Facts(request, source, MEDIUM)
    return facts.gather(found, lambda item: _events(made, source, documents.fit(item, Happening)))


def _is_signed(request: Request, source: Source) -> bool:
    signature = request.header("x-twilio-email-event-webhook-signature")
    signed = (request.header("x-twilio-email-event-webhook-timestamp") or "").encode() + request.body
    keys = [signatures.from_base64(secret) for secret in source.secrets]
    return any(signatures.ecdsa_sha256(key, signed, signature) for key in keys)


def _events(made: Facts, source: Source, found: Happening) -> Iterator[Event]:
    message_id = _message_id(found)
    if message_id is None or found.email is None:
        return iter(())
    if not found.sg_event_id:
        raise Unfit("an event has no sg_event_id")
    fate = Fate(
        named=found.sg_event_id,
        message_id=message_id,
        status=_status(found),
        at=values.seconds(found.timestamp),
        recipient=found.email,
        notification_id=messages.notification_of(
            {messages.NOTIFICATION_ID: found.notification_id}, found.smtp_id
        ),
        campaign=_campaign(found),
        url=found.url if found.event == "click" else None,
        code=found.status or (found.type if found.event in _STATUS else found.event),
        is_machine=found.sg_machine_open,
        purpose=_purpose(found, source),
    )
    return messages.told(made, fate)


def _message_id(found: Happening) -> str | None:
    """What the API answered as X-Message-Id: the rest of `sg_message_id` says which servers it passed."""
    named = (found.sg_message_id or "").partition(".")[0]
    if named and not named.startswith(SERVER):
        return named
    return found.smtp_id or found.sg_message_id


def _status(found: Happening) -> str:
    if found.event == "bounce" and found.type == BLOCKED:
        return messages.FAILED
    return _STATUS.get(found.event, messages.UNKNOWN)


def _campaign(found: Happening) -> str | None:
    named = found.category if isinstance(found.category, str) else next(iter(found.category or []), None)
    return found.marketing_campaign_name or found.singlesend_name or named


def _purpose(found: Happening, source: Source) -> str:
    purposes: Any = source.options.get("groups", {})
    return str(purposes.get(str(found.asm_group_id), messages.MARKETING))


_STATUS = {
    "processed": messages.SENT,
    "deferred": messages.DEFERRED,
    "delivered": messages.DELIVERED,
    "open": messages.OPENED,
    "click": messages.CLICKED,
    "bounce": messages.BOUNCED,
    "dropped": messages.FAILED,
    "spamreport": messages.COMPLAINED,
    "unsubscribe": messages.UNSUBSCRIBED,
    "group_unsubscribe": messages.UNSUBSCRIBED,
    "group_resubscribe": messages.RESUBSCRIBED,
}

CHANNEL = Channel(
    name="sendgrid",
    title="SendGrid",
    medium=MEDIUM,
    receive=receive,
    proof="signature",
    evidence=Evidence(
        "vendor's vector",
        "documented",
        "sendgrid/sendgrid-python test/unit/test_eventwebhook.py; docs.sendgrid.com",
    ),
    options=(Option("groups", "which purpose an unsubscribe group (its id) is for", is_map=True),),
    body_bytes_max=BATCH_BYTES_MAX,
)
