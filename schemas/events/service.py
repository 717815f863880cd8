"""Conversations with customers, on any medium: messages, calls, promises, mentions."""

import msgspec

from schemas.events.people import Customer
from schemas.meta import Event, Instant


class ConversationStarted(Event, frozen=True, gc=False, kw_only=True):
    """A customer, or we, opened a conversation."""

    conversation_id: str
    medium: str
    subject: str | None = None
    customer: Customer | None = None
    order_id: str | None = None


class ConversationAssigned(Event, frozen=True, gc=False, kw_only=True):
    """A conversation was given to a team or an agent."""

    conversation_id: str
    team: str | None = None
    agent_id: str | None = None


class ConversationClosed(Event, frozen=True, gc=False, kw_only=True):
    """A conversation ended."""

    conversation_id: str
    reason: str | None = None
    by: str | None = None


class ConversationRated(Event, frozen=True, gc=False, kw_only=True):
    """A customer rated a conversation."""

    conversation_id: str
    score: int
    scale: int
    comment: str | None = None


class Attachment(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """A file that came with a message."""

    url: str
    content_type: str | None = None
    size_bytes: int | None = None


class MessageReceived(Event, frozen=True, gc=False, kw_only=True):
    """A customer wrote."""

    conversation_id: str
    message_id: str
    author: str | None = None
    text: str | None = None
    attachments: list[Attachment] = []
    reply_to: str | None = None
    is_private: bool = False


class MessageSent(Event, frozen=True, gc=False, kw_only=True):
    """We wrote, or noted something for the team."""

    conversation_id: str
    message_id: str
    author: str | None = None
    text: str | None = None
    attachments: list[Attachment] = []
    reply_to: str | None = None
    is_private: bool = False


class MessageRemoved(Event, frozen=True, gc=False, kw_only=True):
    """A message was taken back."""

    conversation_id: str
    message_id: str


class PromiseMade(Event, frozen=True, gc=False, kw_only=True):
    """A customer was promised something."""

    conversation_id: str
    kind: str
    order_id: str | None = None
    line_ids: list[str] = []
    until: Instant | None = None
    answer_id: str | None = None
    answer_version: int | None = None


class CallStarted(Event, frozen=True, gc=False, kw_only=True):
    """A call began."""

    conversation_id: str
    call_id: str
    direction: str
    from_number: str | None = None
    to_number: str | None = None
    queue: str | None = None


class CallEnded(Event, frozen=True, gc=False, kw_only=True):
    """A call ended."""

    conversation_id: str
    call_id: str
    direction: str
    from_number: str | None = None
    to_number: str | None = None
    queue: str | None = None
    duration_s: int | None = None
    outcome: str | None = None


class SocialMentioned(Event, frozen=True, gc=False, kw_only=True):
    """Someone named us on a social platform."""

    conversation_id: str
    platform: str
    post_id: str
    author: str | None = None
    text: str | None = None
    url: str | None = None


class CommentPosted(Event, frozen=True, gc=False, kw_only=True):
    """Someone commented below a post."""

    conversation_id: str
    platform: str
    post_id: str
    comment_id: str
    author: str | None = None
    text: str | None = None
    parent_id: str | None = None
