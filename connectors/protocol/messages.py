"""What became of a message to a customer, whichever provider carried it, and what that says about consent.

| status | what is true |
| --- | --- |
| sent | the provider took it on |
| deferred | whoever receives for the customer asks to wait: it is tried again |
| delivered | whoever receives for the customer took it |
| opened, clicked | by the customer, or by a machine (`is_machine`) |
| bounced | the address takes no messages: another one would be in vain |
| failed | it did not arrive, this time |
| complained, unsubscribed, resubscribed | the customer said so, and ConsentChanged says it too |
| unknown | the provider has a new word for it, which stands in `code` |
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from connectors.protocol import people
from connectors.protocol.facts import Facts
from schemas.events.activity import ConsentChanged
from schemas.events.marketing import MessageStatusReported
from schemas.meta import Event, Identifier, Instant

SENT, DEFERRED, DELIVERED, OPENED, CLICKED = "sent", "deferred", "delivered", "opened", "clicked"
BOUNCED, FAILED, UNKNOWN = "bounced", "failed", "unknown"
COMPLAINED, UNSUBSCRIBED, RESUBSCRIBED = "complained", "unsubscribed", "resubscribed"
EMAIL, SMS, WHATSAPP = "email", "sms", "whatsapp"
MARKETING = "marketing"
NOTIFICATION_ID = "notification_id"
"""By this name a mail carries which notification of ours it is, among what its sender may add to it."""

_GRANTED = {COMPLAINED: False, UNSUBSCRIBED: False, RESUBSCRIBED: True}
_OUR_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fate:
    """What a provider says of one message to one recipient. `named` is what happened, by the provider's ids for it.

    `recipient` is an e-mail address, else a phone number with its country. `purpose` is what a complaint or the like
    forbids; None where it says nothing about consent. A message may also have failed because the customer `forbids` it.
    """

    named: str
    message_id: str
    status: str
    at: Instant | None
    medium: str = EMAIL
    recipient: str | None = None
    others: tuple[Identifier, ...] = ()
    notification_id: str | None = None
    campaign: str | None = None
    url: str | None = None
    code: str | None = None
    is_machine: bool = False
    purpose: str | None = MARKETING
    forbids: bool = False


def told(made: Facts, fate: Fate) -> Iterator[Event]:
    """The events of it."""
    mail = people.address_of(fate.recipient) if fate.medium == EMAIL else None
    phone = None if fate.medium == EMAIL else people.number_of(fate.recipient, None)
    who = people.known_as("", email=mail, phone=phone, others=fate.others)
    yield MessageStatusReported(
        meta=made.meta(MessageStatusReported, fate.named, fate.at, who),
        message_id=fate.message_id,
        notification_id=fate.notification_id,
        medium=fate.medium,
        status=fate.status,
        recipient=mail or phone,
        campaign=fate.campaign or None,
        url=fate.url or None,
        provider_code=fate.code,
        is_machine=fate.is_machine,
    )
    granted = False if fate.forbids else _GRANTED.get(fate.status)
    if granted is not None and fate.purpose is not None and who:
        yield ConsentChanged(
            meta=made.meta(ConsentChanged, fate.named, fate.at, who),
            purpose=fate.purpose,
            medium=fate.medium,
            address=mail or phone,
            granted=granted,
        )


def notification_of(added: Mapping[str, Any] | None, message_id: str | None = None) -> str | None:
    """Our notification that a mail carried: what was added to it says so, or the Message-ID that we gave it."""
    found = (added or {}).get(NOTIFICATION_ID)
    if isinstance(found, str) and found:
        return found
    return our_id((message_id or "").lstrip("<").partition("@")[0])


def our_id(text: str | None) -> str | None:
    """The text, if it has the form of our notifications' ids."""
    return text.lower() if text and _OUR_ID.fullmatch(text) else None
