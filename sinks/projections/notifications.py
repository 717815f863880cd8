"""Notifications: what was to be sent to whom, and why."""

from collections.abc import Iterator

from sqlalchemy import Column, Index, Table, Text

from schemas.events.notifications import NotificationRequested
from schemas.topics import NOTIFICATIONS_REQUESTED
from sinks.projections.projection import METADATA, Id, Instant, Projection, Row, lineage


def rows(_key: str, request: NotificationRequested) -> Iterator[Row]:
    """One row; address and words stay out of the mart."""
    yield (
        request.notification_id,
        request.profile_id,
        request.journey,
        request.instance_key,
        request.step,
        request.template,
        request.medium,
        request.locale,
        request.meta.occurred_at,
        request.expires_at,
    )


TABLE = Table(
    "notifications",
    METADATA,
    Column(
        "notification_id", Id, primary_key=True, comment="The notification; derived from journey and step"
    ),
    Column("profile_id", Id, nullable=False, comment="The customer"),
    Column("journey", Text, nullable=False, comment="The journey that asked for it"),
    Column("instance_key", Text, nullable=False, comment="Which run of the journey"),
    Column("step", Text, nullable=False, comment="The step that asked for it"),
    Column("template", Text, nullable=False, comment="Name of the words to send"),
    Column("medium", Text, nullable=False, comment="email, sms, push or another"),
    Column("locale", Text, comment="Language of the words"),
    Column("requested_at", Instant, nullable=False, comment="When the journey asked for it"),
    Column("expires_at", Instant, comment="Not to be sent after this"),
    *lineage(),
    comment="Notifications that journeys asked for, from notifications.requested.v1",
)
Index(None, TABLE.c.profile_id)

PROJECTION = Projection(TABLE, (NOTIFICATIONS_REQUESTED,), NotificationRequested, rows, is_append_only=True)
