"""The archive: every event that came in on a public topic, one row each, for as long as its month is kept."""

from collections.abc import Iterator

import msgspec
from sqlalchemy import Column, Index, PrimaryKeyConstraint, Table, Text, cast, func
from sqlalchemy.dialects.postgresql import JSONB

from schemas.meta import Event
from schemas.personal import paths
from schemas.readable import body
from schemas.topics import INPUTS
from sinks.projections.projection import METADATA, PLACE, Instant, Projection, Row, lineage

TOPICS = tuple(topic for topic in INPUTS if topic.is_public)

_json = msgspec.json.Encoder().encode


def rows(key: str, event: Event) -> Iterator[Row]:
    """One row, whatever event it is."""
    meta = event.meta
    yield (
        meta.received_at,
        meta.event_id,
        type(event).__name__,
        meta.channel,
        meta.source,
        meta.source_event_id or None,
        meta.occurred_at,
        key,
        _json(meta.identifiers).decode(),
        _json(meta.context).decode(),
        _json(body(event)).decode(),
        _json(paths(event)).decode(),
    )


TABLE = Table(
    "events",
    METADATA,
    Column(
        "received_at", Instant, nullable=False, comment="When it came in; its month (UTC) is its partition"
    ),
    Column(
        "event_id", Text, nullable=False, comment="The event's id; one that was sent twice stands here twice"
    ),
    Column("type", Text, nullable=False, comment="What happened or is asked for, such as OrderPlaced"),
    Column("channel", Text, nullable=False, comment="Channel, such as web or store"),
    Column("source", Text, nullable=False, comment="The installation that it came from"),
    Column("source_event_id", Text, comment="The source's own id of the event; may be personal data"),
    Column("occurred_at", Instant, nullable=False, comment="When it happened"),
    Column("key", Text, nullable=False, comment="Key of the Kafka record; shows no address of a person"),
    Column(
        "identifiers", JSONB, nullable=False, comment="By what the source knows the customer; personal data"
    ),
    Column("context", JSONB, nullable=False, comment="Page, campaign, device and the like; personal data"),
    Column(
        "event",
        JSONB,
        nullable=False,
        comment="All other fields: times and days as ISO texts, amounts as decimal texts; personal data",
    ),
    Column("personal", JSONB, nullable=False, comment="Paths of the fields of event that are personal data"),
    *lineage(),
    PrimaryKeyConstraint(*PLACE, "received_at"),
    schema="ingest",
    comment="Every event of the public input topics as it was received, by month; kept beyond the topics",
    postgresql_partition_by="RANGE (received_at)",
)
Index(None, TABLE.c.event_id)
Index(None, TABLE.c.received_at)
Index(
    "ix_events_identifiers",
    # Spellings of an e-mail address are found by any of them.
    cast(func.lower(cast(TABLE.c.identifiers, Text)), JSONB).label("folded"),
    postgresql_using="gin",
    postgresql_ops={"folded": "jsonb_path_ops"},
)

PROJECTION = Projection(TABLE, TOPICS, Event, rows, is_append_only=True, by_month="received_at")
