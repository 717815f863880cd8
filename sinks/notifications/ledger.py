"""What the notification sink knows, in Postgres: each notification claimed once, tried until it is decided, told once.

Every function runs in the caller's transaction.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import msgspec

from schemas.events.notifications import NotificationRequested
from sinks.postgres.offsets import Cursor

SENT = "sent"
FAILED = "failed"

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_CLAIM = """
INSERT INTO ops.notification_deliveries (notification_id, profile_id, journey, template, medium, status, attempts,
    next_attempt_at, request, requested_at, claimed_at)
VALUES (%s, %s, %s, %s, %s, 'claimed', 0, %s, %s, %s, %s)
ON CONFLICT (notification_id) DO NOTHING
"""
_DUE = """
SELECT notification_id, request, attempts FROM ops.notification_deliveries
WHERE status = 'claimed' AND next_attempt_at <= %s
ORDER BY next_attempt_at LIMIT %s
FOR UPDATE SKIP LOCKED
"""
_DECIDE = """
UPDATE ops.notification_deliveries
SET status = %s, reason = %s, attempts = attempts + 1, decided_at = %s, next_attempt_at = NULL, request = NULL
WHERE notification_id = %s
"""
_POSTPONE = """
UPDATE ops.notification_deliveries SET reason = %s, attempts = attempts + 1, next_attempt_at = %s
WHERE notification_id = %s
"""
_TELL = "INSERT INTO ops.notification_outbox (topic, key, value) VALUES (%s, %s, %s)"


@dataclass(frozen=True, slots=True)
class Due:
    """A notification whose next attempt is due. `attempts` were made before."""

    request: NotificationRequested
    attempts: int


@dataclass(frozen=True, slots=True)
class Record:
    """A record for Kafka: the topic's name without prefix, key and bytes."""

    topic: str
    key: str
    value: bytes


def claim(cursor: Cursor, requests: Sequence[NotificationRequested], now: int) -> None:
    """Each request is in the table, due now; one whose id is there already is left as it is."""
    cursor.execute("SET LOCAL synchronous_commit = on")
    cursor.executemany(_CLAIM, [_row(request, instant(now)) for request in requests])


def due(cursor: Cursor, now: int, limit: int) -> list[Due]:
    """The requests to try now, oldest first, locked until the transaction ends: nobody else tries them meanwhile."""
    # A decision that a crash of the server forgets would be a message sent twice.
    cursor.execute("SET LOCAL synchronous_commit = on")
    cursor.execute(_DUE, (instant(now), limit))
    return [
        Due(msgspec.msgpack.decode(request, type=NotificationRequested), attempts)
        for _, request, attempts in cursor.fetchall()
    ]


def decide(cursor: Cursor, notification_id: str, status: str, reason: str | None, now: int) -> None:
    """The notification is sent or failed for good; its address and words are gone from the table."""
    cursor.execute(_DECIDE, (status, reason, instant(now), notification_id))


def postpone(cursor: Cursor, notification_id: str, why: str, until: int) -> None:
    """The notification is tried again at `until`."""
    cursor.execute(_POSTPONE, (why, instant(until), notification_id))


def tell(cursor: Cursor, records: Sequence[Record]) -> None:
    """The records will be on Kafka, each once: see relay.py."""
    if records:
        cursor.executemany(_TELL, [(record.topic, record.key, record.value) for record in records])


def instant(micros: int) -> datetime:
    """Microseconds since 1970 as Postgres takes them."""
    return _EPOCH + timedelta(microseconds=micros)


def _row(request: NotificationRequested, now: datetime) -> tuple[object, ...]:
    return (
        request.notification_id,
        request.profile_id,
        request.journey,
        request.template,
        request.medium,
        now,
        msgspec.msgpack.encode(request),
        instant(request.meta.occurred_at),
        now,
    )
