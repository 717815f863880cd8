"""Instagram: comments, mentions and direct messages of a professional account.

| update | events |
| --- | --- |
| messages and the like | as connectors/vendors/meta/conversations.py says |
| comments, live_comments | CommentPosted; our own, which come back, are left out |
| mentions | SocialMentioned without what was written: fetches `instagram_mention`, by the ids of media and comment |
| another, such as story_insights | nothing |

An app with Facebook's login is sent `changes`, one with Instagram's business login a bare `field` and `value`: both are
read. How it is signed, and the GET that tries an address: connectors/vendors/meta/door.py.
"""

from collections.abc import Iterator

import msgspec

from connectors.protocol import documents
from connectors.protocol.channel import (
    BATCH_BYTES_MAX,
    Channel,
    Evidence,
    Fetch,
    Outcome,
    Request,
    Source,
    Verdict,
)
from connectors.protocol.facts import Facts
from connectors.vendors.meta import door
from connectors.vendors.meta.conversations import Platform
from schemas.events.service import CommentPosted, SocialMentioned
from schemas.meta import Event, Identifier

MEDIUM = "social"
PLATFORM = "instagram"
COMMENTS = ("comments", "live_comments")
MENTION = "instagram_mention"


class Author(msgspec.Struct):
    id: str | None = None
    username: str | None = None


class Media(msgspec.Struct):
    id: str
    ad_id: str | None = None


class Comment(msgspec.Struct):
    id: str
    media: Media
    text: str | None = None
    parent_id: str | None = None
    author: Author = msgspec.field(default_factory=Author, name="from")


class Mention(msgspec.Struct):
    media_id: str
    comment_id: str | None = None


def receive(request: Request, source: Source) -> Outcome:
    """Comments, mentions, messages; a mention is asked for too."""
    made = Facts(request, source, MEDIUM)
    talk = Platform(made, PLATFORM)
    fetches: list[Fetch] = []

    def events(update: door.Update) -> Iterator[Event]:
        if "message" in update:
            return talk.events(update["message"])
        return _posted(made, update, fetches)

    outcome = door.received(request, source, "instagram", events)
    if isinstance(outcome, Verdict):
        outcome.fetches.extend(dict.fromkeys(fetches))
    return outcome


def _posted(made: Facts, update: door.Update, fetches: list[Fetch]) -> Iterator[Event]:
    if update.get("field") in COMMENTS:
        comment = documents.fit(update.get("value"), Comment)
        if comment.author.id != update["account"]:
            yield _commented(made, update, comment)
    elif update.get("field") == "mentions":
        mention = documents.fit(update.get("value"), Mention)
        named = f"{mention.media_id}:{mention.comment_id or ''}"
        fetches.append(Fetch(MENTION, named))
        yield SocialMentioned(
            meta=made.meta(SocialMentioned, named, door.at(update.get("time"))),
            conversation_id=mention.media_id,
            platform=PLATFORM,
            post_id=mention.media_id,
        )


def _commented(made: Facts, update: door.Update, found: Comment) -> Event:
    who = [Identifier(PLATFORM, found.author.id)] if found.author.id else []
    context = {"ad_id": found.media.ad_id or ""}
    return CommentPosted(
        meta=made.meta(CommentPosted, found.id, door.at(update.get("time")), who, context),
        conversation_id=found.media.id,
        platform=PLATFORM,
        post_id=found.media.id,
        comment_id=found.id,
        author=found.author.username,
        text=found.text,
        parent_id=found.parent_id,
    )


CHANNEL = Channel(
    name="instagram",
    title="Instagram",
    medium=MEDIUM,
    receive=receive,
    proof="signature",
    evidence=Evidence(
        "documented",
        "documented",
        "developers.facebook.com (Instagram Platform, Webhook Notification Examples)",
    ),
    methods=("GET", "POST"),
    body_bytes_max=BATCH_BYTES_MAX,
)
