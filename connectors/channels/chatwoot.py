"""Chatwoot: webhooks of an account.

| event | events |
| --- | --- |
| conversation_created | ConversationStarted |
| message_created, incoming | MessageReceived |
| message_created, outgoing or template | MessageSent, private where it is a note |
| message_created, activity | nothing |
| message_updated to deleted | MessageRemoved |
| conversation_status_changed to resolved | ConversationClosed |
| another (contact_created, typing and so on) | nothing |

A message's type is a word or, in some versions, its number; its time a text or seconds.

Signature: `sha256=` and the hexadecimal HMAC-SHA256 of the time in `X-Chatwoot-Timestamp`, a point and the body (as
public receivers of it agree). Versions that sign nothing are refused: a stranger could send the same.
"""

from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import msgspec

from connectors.protocol import documents, facts, people, signatures, values
from connectors.protocol.channel import Channel, Evidence, Outcome, Refused, Request, Source, Verdict
from connectors.protocol.documents import NotReadable, Unfit
from connectors.protocol.facts import Facts
from schemas.events.people import Customer
from schemas.events.service import (
    Attachment,
    ConversationClosed,
    ConversationStarted,
    MessageReceived,
    MessageRemoved,
    MessageSent,
)
from schemas.meta import Event, Identifier, Instant

MEDIUM = "chat"
PREFIX = "sha256="
CONTACT = "contact"
INCOMING = {"incoming", "0"}
OURS = {"outgoing", "1", "template", "3"}
RESOLVED = "resolved"

Id = int | str


class Sender(msgspec.Struct):
    id: Id | None = None
    name: str | None = None
    email: str | None = None
    phone_number: str | None = None
    type: str | None = None


class About(msgspec.Struct):
    sender: Sender | None = None


class Talk(msgspec.Struct):
    id: Id
    status: str | None = None
    channel: str | None = None
    created_at: int | str | None = None
    updated_at: Any = None
    meta: About = msgspec.field(default_factory=About)


class Attributes(msgspec.Struct):
    deleted: bool | None = False


class File(msgspec.Struct):
    data_url: str | None = None
    file_size: int | None = None


class Message(msgspec.Struct):
    id: Id
    conversation: Talk
    message_type: Id = ""
    content: str | None = None
    private: bool | None = False
    created_at: int | str | None = None
    sender: Sender | None = None
    content_attributes: Attributes | None = None
    attachments: list[File] = []


def receive(request: Request, source: Source) -> Outcome:
    """One event."""
    signature, told_at = (
        request.header("x-chatwoot-signature") or "",
        request.header("x-chatwoot-timestamp") or "",
    )
    signed = signature.removeprefix(PREFIX) if signature.startswith(PREFIX) else ""
    if not signatures.hmac_hex(source.secrets, told_at.encode() + b"." + request.body, signed):
        return Refused("the signature does not fit")
    try:
        found = documents.parse(request.body)
        read = _EVENTS.get(str(found.get("event"))) if isinstance(found, dict) else None
        if read is None:
            return Verdict()
        made = Facts(request, source, MEDIUM, request.header("x-chatwoot-delivery") or "")
        return Verdict(list(read(Account(source, made), found)))
    except (NotReadable, Unfit) as error:
        return facts.put_aside(request.body, error)


class Account:
    """Reads one event of an account."""

    def __init__(self, source: Source, made: Facts) -> None:
        self._source = source
        self._made = made

    def started(self, found: Any) -> Iterator[Event]:
        talk = documents.fit(found, Talk)
        sender = talk.meta.sender or Sender()
        yield ConversationStarted(
            meta=self._made.meta(ConversationStarted, str(talk.id), _at(talk.created_at), self._who(sender)),
            conversation_id=str(talk.id),
            medium=(talk.channel or MEDIUM).removeprefix("Channel::").lower(),
            customer=self._customer(sender),
        )

    def wrote(self, found: Any) -> Iterator[Event]:
        message = documents.fit(found, Message)
        kind: type[MessageReceived] | type[MessageSent]
        if str(message.message_type) in INCOMING:
            kind = MessageReceived
        elif str(message.message_type) in OURS:
            kind = MessageSent
        else:
            return
        yield kind(
            meta=self._made.meta(kind, str(message.id), _at(message.created_at), self._customers(message)),
            conversation_id=str(message.conversation.id),
            message_id=str(message.id),
            author=message.sender.name if message.sender else None,
            text=message.content or None,
            attachments=[
                Attachment(url=file.data_url, size_bytes=file.file_size)
                for file in message.attachments
                if file.data_url
            ],
            is_private=bool(message.private),
        )

    def updated(self, found: Any) -> Iterator[Event]:
        message = documents.fit(found, Message)
        if message.content_attributes and message.content_attributes.deleted:
            yield MessageRemoved(
                meta=self._made.meta(MessageRemoved, str(message.id), None, self._customers(message)),
                conversation_id=str(message.conversation.id),
                message_id=str(message.id),
            )

    def changed(self, found: Any) -> Iterator[Event]:
        talk = documents.fit(found, Talk)
        if talk.status == RESOLVED:
            named = f"{talk.id}:{talk.updated_at or ''}"
            who = self._who(talk.meta.sender or Sender())
            yield ConversationClosed(
                meta=self._made.meta(ConversationClosed, named, _at(talk.updated_at), who),
                conversation_id=str(talk.id),
                reason=RESOLVED,
            )

    def _customers(self, message: Message) -> list[Identifier]:
        """Whom the conversation is with; an agent that wrote is no customer."""
        sender = message.sender or Sender()
        is_customer = sender.type == CONTACT or str(message.message_type) in INCOMING
        return self._who(sender if is_customer else message.conversation.meta.sender or Sender())

    def _who(self, sender: Sender) -> list[Identifier]:
        return people.known_as(
            self._source.name,
            customer_id=sender.id,
            email=sender.email,
            phone=sender.phone_number,
            region=self._source.region,
        )

    def _customer(self, sender: Sender) -> Customer:
        return Customer(
            customer_id=None if sender.id is None else str(sender.id),
            email=people.address_of(sender.email),
            phone=people.number_of(sender.phone_number, self._source.region),
            name=sender.name,
        )


def _at(told: Any) -> Instant | None:
    if told is None:
        return None
    if isinstance(told, str):
        return values.moment(told, "UTC")
    if isinstance(told, int | Decimal):
        return values.seconds(told)
    raise Unfit("must be a time")


_EVENTS: dict[str, Callable[[Account, Any], Iterator[Event]]] = {
    "conversation_created": Account.started,
    "message_created": Account.wrote,
    "message_updated": Account.updated,
    "conversation_status_changed": Account.changed,
}

CHANNEL = Channel(
    name="chatwoot",
    title="Chatwoot",
    medium=MEDIUM,
    receive=receive,
    proof="signature",
    evidence=Evidence(
        "assumed",
        "documented",
        "chatwoot.com (how to use webhooks); the signature as public receivers check it",
    ),
)
