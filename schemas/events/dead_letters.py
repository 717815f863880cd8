"""Records that could not be taken further, kept with their bytes until someone mends and replays them."""

import msgspec

from schemas.meta import Entry, Instant


class RecordHeader(msgspec.Struct, frozen=True, gc=False):
    """A header of a record, as it was."""

    name: str
    value: bytes | None = None


class DeadLettered(Entry, frozen=True, gc=False, kw_only=True):
    """A record could not be taken further."""

    service: str
    stage: str
    reason: str
    detail: str
    source_topic: str
    partition: int
    offset: int
    key: bytes | None = None
    value: bytes | None = None
    headers: list[RecordHeader] = []
    left_out_bytes: int = 0
    schema_id: int | None = None
    alarm_at: Instant | None = None
    attempt: int = 1
    first_seen_at: Instant
    service_version: str


class LetterReplayed(Entry, frozen=True, gc=False, kw_only=True):
    """A dead letter goes back to the service that gave up on it, once."""

    letter_partition: int
    letter_offset: int
    service: str
    letter: bytes
    settled_at: Instant


class LetterSkipped(Entry, frozen=True, gc=False, kw_only=True):
    """A dead letter has been dealt with, and is not to be replayed."""

    letter_partition: int
    letter_offset: int
    settled_at: Instant
