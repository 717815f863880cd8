"""Notification outcomes: what became of each notification, one row a report."""

from collections.abc import Iterator

from sqlalchemy import Column, Table, Text

from schemas.events.notifications import NotificationOutcomeReported
from schemas.topics import NOTIFICATION_OUTCOMES
from sinks.projections.projection import METADATA, Id, Instant, Projection, Row, lineage


def rows(_key: str, outcome: NotificationOutcomeReported) -> Iterator[Row]:
    """One row."""
    yield (
        outcome.notification_id,
        outcome.meta.event_id,
        outcome.profile_id,
        outcome.medium,
        outcome.status,
        outcome.reason,
        outcome.meta.occurred_at,
    )


TABLE = Table(
    "notification_outcomes",
    METADATA,
    Column("notification_id", Id, primary_key=True, comment="The notification"),
    Column("event_id", Id, primary_key=True, comment="The report"),
    Column("profile_id", Id, nullable=False, comment="The customer"),
    Column("medium", Text, nullable=False, comment="email, sms, push or another"),
    Column("status", Text, nullable=False, comment="sent, failed, skipped or another"),
    Column("reason", Text, comment="Why, when it was not sent"),
    Column("decided_at", Instant, nullable=False, comment="When that was known"),
    *lineage(),
    comment="What became of notifications, from notifications.outcomes.v1",
)

PROJECTION = Projection(
    TABLE, (NOTIFICATION_OUTCOMES,), NotificationOutcomeReported, rows, is_append_only=True
)
