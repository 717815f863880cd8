"""Records that could not be taken further, kept with their bytes until someone mends and replays them."""

from schemas.meta import Entry, Instant


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
    schema_id: int | None = None
    attempt: int = 1
    first_seen_at: Instant
    service_version: str
