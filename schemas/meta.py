"""What every record on a topic begins with: Meta for events, a sequence number for snapshots.

In these structs an instant is microseconds since 1970 UTC, a date is days since 1970, an amount is ten-thousandths of
its currency's unit. On the wire they are the standard Avro logical types (timestamp-micros, date, decimal(18,4)).
"""

import msgspec


class Identifier(msgspec.Struct, frozen=True, gc=False):
    """One way in which a source knows a customer, such as kind `loyalty_card`, value `1234`."""

    kind: str
    value: str
    verified: bool = False


class Meta(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """Who says so, about whom, when. `event_id` is derived from source, event type and business id."""

    event_id: str
    occurred_at: int
    received_at: int
    channel: str
    source: str
    source_event_id: str = ""
    identifiers: list[Identifier] = []
    context: dict[str, str] = {}


class Event(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """A fact or a request. Nobody changes one."""

    meta: Meta


class Snapshot(msgspec.Struct, gc=False, kw_only=True):
    """The newest state of one key. `seq` grows for ever per key; the engine sets it on commit.

    `updated_at` is the time of the newest event or Tick that it reflects.
    """

    seq: int = 0
    updated_at: int = 0
