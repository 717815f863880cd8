"""Intercom: notifications about conversations.

| topic | events |
| --- | --- |
| conversation.user.created | ConversationStarted, and MessageReceived of its first message |
| conversation.user.replied | MessageReceived of each part that a customer wrote |
| conversation.admin.replied, .admin.single.created, .operator.replied | MessageSent of each part that we wrote |
| conversation.admin.noted | MessageSent, private |
| conversation.admin.assigned | ConversationAssigned |
| conversation.admin.closed | ConversationClosed |
| conversation.rating.added | ConversationRated |
| another (contact.*, ticket.*) | nothing |
| ping | nothing |

Bodies are HTML, of which the words are kept. Times are seconds.

Signature: `sha1=` and the hexadecimal HMAC-SHA1 of the body with the app's client secret, in `X-Hub-Signature`
(developers.intercom.com, "Webhooks"). Intercom waits 5 seconds and tries once more.
"""

from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from connectors.protocol import documents, facts, people, plain_text, signatures, values
from connectors.protocol.channel import Channel, Evidence, Outcome, Refused, Request, Source, Verdict
from connectors.protocol.documents import NotReadable, Unfit
from connectors.protocol.facts import Facts
from schemas.events.people import Customer
from schemas.events.service import (
    Attachment,
    ConversationAssigned,
    ConversationClosed,
    ConversationRated,
    ConversationStarted,
    MessageReceived,
    MessageSent,
)
from schemas.meta import Event, Identifier, Instant

MEDIUM = "chat"
DIGEST, PREFIX = "sha1", "sha1="
CUSTOMERS = {"user", "lead", "contact"}
NOTE = "note"
STARS = 5

Id = int | str


class Author(msgspec.Struct):
    type: str = ""
    id: Id | None = None
    name: str | None = None
    email: str | None = None


class File(msgspec.Struct):
    url: str
    content_type: str | None = None
    filesize: int | None = None


class Part(msgspec.Struct):
    id: Id
    part_type: str = ""
    body: str | None = None
    created_at: int | None = None
    author: Author = msgspec.field(default_factory=Author)
    attachments: list[File] = []


class Parts(msgspec.Struct):
    conversation_parts: list[Part] = []


class First(msgspec.Struct):
    id: Id | None = None
    type: str | None = None
    subject: str | None = None
    body: str | None = None
    author: Author = msgspec.field(default_factory=Author)
    attachments: list[File] = []


class Rating(msgspec.Struct):
    rating: int
    remark: str | None = None
    created_at: int | None = None


class Conversation(msgspec.Struct):
    id: Id
    created_at: int | None = None
    updated_at: int | None = None
    source: First = msgspec.field(default_factory=First)
    conversation_parts: Parts = msgspec.field(default_factory=Parts)
    conversation_rating: Rating | None = None
    admin_assignee_id: Id | None = None
    team_assignee_id: Id | None = None


class Holder(msgspec.Struct):
    item: dict[str, Any] = {}


class Notification(msgspec.Struct):
    id: str | None = None
    topic: str = ""
    created_at: int | None = None
    data: Holder = msgspec.field(default_factory=Holder)


def receive(request: Request, source: Source) -> Outcome:
    """One notification."""
    signature = request.header("x-hub-signature") or ""
    signed = signature.removeprefix(PREFIX) if signature.startswith(PREFIX) else ""
    if not signatures.hmac_hex(source.secrets, request.body, signed, DIGEST):
        return Refused("the signature does not fit")
    try:
        found = documents.read(request.body, Notification)
        read = _TOPICS.get(found.topic)
        if read is None:
            return Verdict()
        talk = documents.fit(found.data.item, Conversation)
        return Verdict(list(read(Inbox(request, source, found, talk))))
    except (NotReadable, Unfit) as error:
        return facts.put_aside(request.body, error)


class Inbox:
    """Reads one notification about one conversation."""

    def __init__(self, request: Request, source: Source, found: Notification, talk: Conversation) -> None:
        self._made = Facts(request, source, MEDIUM, found.id or "")
        self._source = source.name
        self._talk = talk
        self._named = str(talk.id)
        self._told_at = found.created_at

    def started(self) -> Iterator[Event]:
        first, at = self._talk.source, self._at(self._talk.created_at)
        who = self._who(first.author)
        yield ConversationStarted(
            meta=self._made.meta(ConversationStarted, self._named, at, who),
            conversation_id=self._named,
            medium=first.type or MEDIUM,
            subject=plain_text.of_html(first.subject),
            customer=_customer(first.author),
        )
        message_id = str(first.id or self._named)
        yield MessageReceived(
            meta=self._made.meta(MessageReceived, f"{self._named}:{message_id}", at, who),
            conversation_id=self._named,
            message_id=message_id,
            author=first.author.name,
            text=plain_text.of_html(first.body),
            attachments=_files(first.attachments),
        )

    def replied(self) -> Iterator[Event]:
        for part in self._talk.conversation_parts.conversation_parts:
            if part.body is None and not part.attachments:
                continue
            kind = MessageReceived if part.author.type in CUSTOMERS else MessageSent
            named = f"{self._named}:{part.id}"
            yield kind(
                meta=self._made.meta(kind, named, self._at(part.created_at), self._customers(part.author)),
                conversation_id=self._named,
                message_id=str(part.id),
                author=part.author.name,
                text=plain_text.of_html(part.body),
                attachments=_files(part.attachments),
                is_private=part.part_type == NOTE,
            )

    def assigned(self) -> Iterator[Event]:
        team, agent = self._talk.team_assignee_id, self._talk.admin_assignee_id
        named = f"{self._named}:{self._version()}:{team or ''}:{agent or ''}"
        yield ConversationAssigned(
            meta=self._made.meta(ConversationAssigned, named, self._at(None), self._customers()),
            conversation_id=self._named,
            team=str(team) if team else None,
            agent_id=str(agent) if agent else None,
        )

    def closed(self) -> Iterator[Event]:
        named = f"{self._named}:{self._version()}"
        yield ConversationClosed(
            meta=self._made.meta(ConversationClosed, named, self._at(None), self._customers()),
            conversation_id=self._named,
            by="agent",
        )

    def rated(self) -> Iterator[Event]:
        rating = self._talk.conversation_rating
        if rating is None:
            raise Unfit("a conversation that was rated has no rating")
        at = self._at(rating.created_at)
        yield ConversationRated(
            meta=self._made.meta(
                ConversationRated, f"{self._named}:{rating.created_at}", at, self._customers()
            ),
            conversation_id=self._named,
            score=rating.rating,
            scale=STARS,
            comment=rating.remark or None,
        )

    def _version(self) -> int | None:
        return self._talk.updated_at or self._told_at

    def _at(self, told: int | None) -> Instant | None:
        found = told or self._version()
        return None if found is None else values.seconds(found)

    def _customers(self, author: Author | None = None) -> list[Identifier]:
        """Whom a conversation is with: who wrote, if it is a customer, else who began it."""
        wrote = author if author is not None and author.type in CUSTOMERS else self._talk.source.author
        return self._who(wrote) if wrote.type in CUSTOMERS else []

    def _who(self, author: Author) -> list[Identifier]:
        return people.known_as(self._source, customer_id=author.id, email=author.email)


def _customer(author: Author) -> Customer:
    return Customer(
        customer_id=None if author.id is None else str(author.id),
        email=people.address_of(author.email),
        name=author.name,
    )


def _files(files: list[File]) -> list[Attachment]:
    return [
        Attachment(url=file.url, content_type=file.content_type, size_bytes=file.filesize) for file in files
    ]


_TOPICS: dict[str, Callable[[Inbox], Iterator[Event]]] = {
    "conversation.user.created": Inbox.started,
    "conversation.user.replied": Inbox.replied,
    "conversation.admin.replied": Inbox.replied,
    "conversation.admin.single.created": Inbox.replied,
    "conversation.operator.replied": Inbox.replied,
    "conversation.admin.noted": Inbox.replied,
    "conversation.admin.assigned": Inbox.assigned,
    "conversation.admin.closed": Inbox.closed,
    "conversation.rating.added": Inbox.rated,
}

CHANNEL = Channel(
    name="intercom",
    title="Intercom",
    medium=MEDIUM,
    receive=receive,
    proof="signature",
    evidence=Evidence(
        "documented",
        "assumed",
        "developers.intercom.com (webhooks); intercom-client's types of a conversation",
    ),
)
