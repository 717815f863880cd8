"""Zendesk: event subscriptions about tickets and their conversations.

| type (`zen:event-type:`) | events |
| --- | --- |
| ticket.created | ConversationStarted |
| ticket.comment_added | MessageSent by staff, MessageReceived by others |
| ticket.comment_redacted | MessageRemoved |
| ticket.agent_assignment_changed, ticket.group_assignment_changed | ConversationAssigned |
| ticket.status_changed to solved or closed | ConversationClosed |
| messaging_ticket.message_added | MessageReceived of an end user, else MessageSent |
| another, and bodies that triggers and automations write | nothing |

A conversation is a ticket, whichever way its messages come. A private note is a MessageSent that is private.

Signature: base64 of the HMAC-SHA256 of the time that `X-Zendesk-Webhook-Signature-Timestamp` tells and the body
(developer.zendesk.com, "Verifying webhook authenticity", "Ticket events", "Messaging events"). Zendesk tries again what
is answered with 409, and what is answered with 429 or 503 and a Retry-After.
"""

from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from connectors.protocol import documents, facts, people, signatures, values
from connectors.protocol.channel import Channel, Evidence, Outcome, Refused, Request, Source, Verdict
from connectors.protocol.documents import NotReadable, Unfit
from connectors.protocol.facts import Facts
from schemas.events.people import Customer
from schemas.events.service import (
    ConversationAssigned,
    ConversationClosed,
    ConversationStarted,
    MessageReceived,
    MessageRemoved,
    MessageSent,
)
from schemas.meta import Event, Identifier

MEDIUM = "chat"
PREFIX = "zen:event-type:"
END_USER = "end_user"
ENDED = {"solved", "closed"}

Id = int | str


class Via(msgspec.Struct):
    channel: str | None = None


class Ticket(msgspec.Struct):
    id: Id
    requester_id: Id | None = None
    assignee_id: Id | None = None
    group_id: Id | None = None
    subject: str | None = None
    external_id: str | None = None
    via: Via = msgspec.field(default_factory=Via)


class Author(msgspec.Struct):
    id: Id | None = None
    is_staff: bool = False
    name: str | None = None
    type: str | None = None


class Comment(msgspec.Struct):
    id: Id
    body: str | None = None
    is_public: bool = True
    author: Author = msgspec.field(default_factory=Author)


class Said(msgspec.Struct):
    id: Id
    body: str | None = None


class Change(msgspec.Struct):
    current: Any = None
    comment: Comment | None = None
    message: Said | None = None
    actor: Author = msgspec.field(default_factory=Author)


class Notice(msgspec.Struct):
    id: str
    type: str
    time: str
    detail: dict[str, Any] = {}
    event: dict[str, Any] = {}


def receive(request: Request, source: Source) -> Outcome:
    """One event. What a trigger sends is in words of its author: it makes no events."""
    told_at = request.header("x-zendesk-webhook-signature-timestamp") or ""
    signature = request.header("x-zendesk-webhook-signature")
    if not signatures.hmac_base64(source.secrets, told_at.encode() + request.body, signature):
        return Refused("the signature does not fit")
    try:
        found = documents.parse(request.body) if request.body else None
        if not isinstance(found, dict) or not str(found.get("type", "")).startswith(PREFIX):
            return Verdict()
        notice = documents.fit(found, Notice)
        read = _TYPES.get(notice.type.removeprefix(PREFIX))
        return Verdict() if read is None else Verdict(list(read(Desk(request, source, notice))))
    except (NotReadable, Unfit) as error:
        return facts.put_aside(request.body, error)


class Desk:
    """Reads one event of a help desk."""

    def __init__(self, request: Request, source: Source, notice: Notice) -> None:
        self._made = Facts(request, source, MEDIUM, notice.id)
        self._source = source.name
        self._notice = notice
        self._at = values.moment(notice.time)
        self._ticket = documents.fit(notice.detail, Ticket)
        self._change = documents.fit(notice.event, Change)
        self._named = str(self._ticket.id)

    def started(self) -> Iterator[Event]:
        requester = self._ticket.requester_id
        yield ConversationStarted(
            meta=self._made.meta(ConversationStarted, self._named, self._at, self._requester()),
            conversation_id=self._named,
            medium=self._ticket.via.channel or MEDIUM,
            subject=self._ticket.subject,
            customer=None if requester is None else Customer(customer_id=str(requester)),
        )

    def commented(self) -> Iterator[Event]:
        comment = self._change.comment
        if comment is None:
            raise Unfit("`event` has no comment")
        kind = MessageSent if comment.author.is_staff or not comment.is_public else MessageReceived
        yield kind(
            meta=self._made.meta(kind, str(comment.id), self._at, self._requester()),
            conversation_id=self._named,
            message_id=str(comment.id),
            author=comment.author.name,
            text=comment.body,
            is_private=not comment.is_public,
        )

    def redacted(self) -> Iterator[Event]:
        comment = self._change.comment
        if comment is None:
            raise Unfit("`event` has no comment")
        yield MessageRemoved(
            meta=self._made.meta(MessageRemoved, str(comment.id), self._at, self._requester()),
            conversation_id=self._named,
            message_id=str(comment.id),
        )

    def assigned(self) -> Iterator[Event]:
        group, agent = self._ticket.group_id, self._ticket.assignee_id
        named = f"{self._named}:{self._notice.time}:{group or ''}:{agent or ''}"
        yield ConversationAssigned(
            meta=self._made.meta(ConversationAssigned, named, self._at, self._requester()),
            conversation_id=self._named,
            team=str(group) if group else None,
            agent_id=str(agent) if agent else None,
        )

    def changed(self) -> Iterator[Event]:
        status = str(self._change.current or "").lower()
        if status in ENDED:
            named = f"{self._named}:{status}:{self._notice.time}"
            yield ConversationClosed(
                meta=self._made.meta(ConversationClosed, named, self._at, self._requester()),
                conversation_id=self._named,
                reason=status,
            )

    def said(self) -> Iterator[Event]:
        message, actor = self._change.message, self._change.actor
        if message is None:
            raise Unfit("`event` has no message")
        kind = MessageReceived if actor.type == END_USER else MessageSent
        who = people.known_as(self._source, customer_id=actor.id) if kind is MessageReceived else []
        yield kind(
            meta=self._made.meta(kind, str(message.id), self._at, who),
            conversation_id=self._named,
            message_id=str(message.id),
            author=actor.name,
            text=message.body,
        )

    def _requester(self) -> list[Identifier]:
        return people.known_as(self._source, customer_id=self._ticket.requester_id)


_TYPES: dict[str, Callable[[Desk], Iterator[Event]]] = {
    "ticket.created": Desk.started,
    "ticket.comment_added": Desk.commented,
    "ticket.comment_redacted": Desk.redacted,
    "ticket.agent_assignment_changed": Desk.assigned,
    "ticket.group_assignment_changed": Desk.assigned,
    "ticket.status_changed": Desk.changed,
    "messaging_ticket.message_added": Desk.said,
}

CHANNEL = Channel(
    name="zendesk",
    title="Zendesk",
    medium=MEDIUM,
    receive=receive,
    proof="signature",
    evidence=Evidence(
        "documented",
        "assumed",
        "developer.zendesk.com (verifying webhooks, ticket and messaging events); a comment's author is assumed",
    ),
)
