"""Messenger and a Facebook page's comments and mentions (webhooks of the object `page`).

| update | events |
| --- | --- |
| messages and the like | as connectors/vendors/meta/conversations.py says |
| feed: a comment was added | CommentPosted; our own are left out |
| feed: a comment was removed | MessageRemoved |
| mention | SocialMentioned |
| another, such as a feed's reaction | nothing |

How it is signed, and the GET that tries an address: connectors/vendors/meta/door.py.
"""

from collections.abc import Iterator

import msgspec

from connectors.protocol import documents
from connectors.protocol.channel import BATCH_BYTES_MAX, Channel, Evidence, Outcome, Request, Source
from connectors.protocol.facts import Facts
from connectors.vendors.meta import door
from connectors.vendors.meta.conversations import Platform
from schemas.events.service import CommentPosted, MessageRemoved, SocialMentioned
from schemas.meta import Event, Identifier

MEDIUM, SOCIAL = "messaging", "social"
PLATFORM, NETWORK = "messenger", "facebook"


class Author(msgspec.Struct):
    id: str | None = None
    name: str | None = None


class Post(msgspec.Struct):
    """The value of `feed` and of `mention`."""

    item: str | None = None
    verb: str | None = None
    post_id: str | None = None
    comment_id: str | None = None
    parent_id: str | None = None
    message: str | None = None
    created_time: int | str | None = None
    author: Author = msgspec.field(default_factory=Author, name="from")
    sender_id: str | None = None
    sender_name: str | None = None


def receive(request: Request, source: Source) -> Outcome:
    """Messages, and what is written on the page."""
    talk = Platform(Facts(request, source, MEDIUM), PLATFORM)
    page = Facts(request, source, SOCIAL)

    def events(update: door.Update) -> Iterator[Event]:
        if "message" in update:
            return talk.events(update["message"])
        return _posted(page, update)

    return door.received(request, source, "page", events)


def _posted(made: Facts, update: door.Update) -> Iterator[Event]:
    if update.get("field") not in ("feed", "mention"):
        return
    found = documents.fit(update.get("value"), Post)
    if update["field"] == "mention" and found.post_id and found.verb != "remove":
        yield _mentioned(made, update, found)
    elif found.item == "comment" and found.comment_id and found.author.id != update["account"]:
        yield from _commented(made, update, found)


def _commented(made: Facts, update: door.Update, found: Post) -> Iterator[Event]:
    comment, post = found.comment_id or "", found.post_id or ""
    at, who = door.at(found.created_time or update.get("time")), _who(found.author.id)
    if found.verb == "add":
        yield CommentPosted(
            meta=made.meta(CommentPosted, comment, at, who),
            conversation_id=post,
            platform=NETWORK,
            post_id=post,
            comment_id=comment,
            author=found.author.name,
            text=found.message,
            parent_id=None if found.parent_id == post else found.parent_id,
        )
    elif found.verb == "remove":
        meta = made.meta(MessageRemoved, comment, door.at(update.get("time")), who)
        yield MessageRemoved(meta=meta, conversation_id=post, message_id=comment)


def _mentioned(made: Facts, update: door.Update, found: Post) -> Event:
    named, at = f"{found.post_id}:{found.comment_id or ''}", door.at(found.created_time or update.get("time"))
    return SocialMentioned(
        meta=made.meta(SocialMentioned, named, at, _who(found.sender_id or found.author.id)),
        conversation_id=found.post_id or "",
        platform=NETWORK,
        post_id=found.post_id or "",
        author=found.sender_name or found.author.name,
        text=found.message,
    )


def _who(author_id: str | None) -> list[Identifier]:
    return [Identifier(NETWORK, author_id)] if author_id else []


CHANNEL = Channel(
    name="messenger",
    title="Messenger and Facebook pages",
    medium=MEDIUM,
    receive=receive,
    proof="signature",
    evidence=Evidence(
        "documented", "documented", "developers.facebook.com (Messenger Platform, Page webhooks reference)"
    ),
    methods=("GET", "POST"),
    body_bytes_max=BATCH_BYTES_MAX,
)
