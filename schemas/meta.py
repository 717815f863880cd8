"""What every record on a topic begins with: Meta for events, a sequence number for snapshots.

In these structs an instant, a day and an amount are plain integers. On the wire they are the standard Avro
logical types timestamp-micros, date and decimal(18,4).
"""

from typing import ClassVar

import msgspec

Amount = int
"""Ten-thousandths of the unit of the currency that the event names."""

Instant = int
"""Microseconds since 1970 UTC."""

Day = int
"""Days since 1970."""


class Identifier(msgspec.Struct, frozen=True, gc=False):
    """One way in which a source knows a customer, such as kind `loyalty_card`, value `1234`."""

    kind: str
    value: str
    verified: bool = False


class Meta(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """Who says so, about whom, when. `event_id` is derived from source, event type and business id."""

    event_id: str
    occurred_at: Instant
    received_at: Instant
    channel: str
    source: str
    source_event_id: str = ""
    identifiers: list[Identifier] = []
    context: dict[str, str] = {}


class Event(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """A fact or a request. Nobody changes one.

    `schema_version` says which version of its schema file a type follows, here and below.
    """

    schema_version: ClassVar[int] = 1

    meta: Meta


class Snapshot(msgspec.Struct, gc=False, kw_only=True):
    """The newest state of one key. `seq` grows for ever per key; the engine sets it on commit.

    `updated_at` is the time of the newest event or Tick that it reflects.
    """

    schema_version: ClassVar[int] = 1

    seq: int = 0
    updated_at: Instant = 0


class Entry(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """A record that carries no Meta and is no snapshot: a row of a ledger, a dead letter, the clock."""

    schema_version: ClassVar[int] = 1
