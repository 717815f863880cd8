"""What Segment's and RudderStack's clients send (segment.com/docs and rudderstack.com/docs, "Common Fields")."""

from typing import Any

import msgspec

Id = int | str
Named = dict[str, Any]


class Call(msgspec.Struct, rename="camel"):
    """One call. Server clients send null for what they do not know."""

    type: str | None = None
    message_id: Id | None = None
    anonymous_id: Id | None = None
    user_id: Id | None = None
    previous_id: Id | None = None
    group_id: Id | None = None
    event: str | None = None
    name: str | None = None
    category: str | None = None
    channel: str | None = None
    properties: Named | None = None
    traits: Named | None = None
    context: Named | None = None
    merge_properties: list[Named] | None = None
    timestamp: Id | None = None
    original_timestamp: Id | None = None
    sent_at: Id | None = None


class Envelope(msgspec.Struct, rename="camel"):
    """What a batch says of all its calls."""

    context: Named | None = None
    sent_at: Id | None = None
