"""The notification sink: takes requests on, sends each by its route, tells Kafka what became of it.

    notifications.requested.v1 -> ledger (claimed) -> far side -> ledger (sent, failed) -> notifications.outcomes.v1

A message that is handed over and not yet noted when the process dies is handed over again, with the same id.
"""

import random
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import structlog
from confluent_kafka import KafkaException

from schemas import ids
from schemas.codec import Encode
from schemas.events.notifications import NotificationOutcomeReported, NotificationRequested
from schemas.meta import Meta
from schemas.topics import NOTIFICATION_OUTCOMES
from sinks.notifications import ledger
from sinks.notifications.intake import APP, Intake
from sinks.notifications.ledger import FAILED, SENT, Due, Record
from sinks.notifications.outcomes import Failed, Later, Outcome, Reason, Sent
from sinks.notifications.relay import Relay
from sinks.postgres.offsets import Cursor
from sinks.postgres.session import Abandoned, Session
from vaart import metrics
from vaart.clock import Clock
from vaart.failpoint import failpoint
from vaart.health import Health

AT_ONCE = 16
DUE_MAX = 2 * AT_ONCE
"""In one transaction: two rounds of the slowest far side stay well below the time in which a turn must be over."""
TELL_EVERY_S = 0.2
"""While there is more to send, outcomes gather this long: a Kafka transaction costs as much for one as for many."""
IDLE_S = 0.5
SECOND = 1_000_000
RETRY_S = (5, 5 * 60, 30 * 60, 2 * 3600, 5 * 3600, 10 * 3600, 14 * 3600, 20 * 3600, 24 * 3600)
"""The published back-off of Standard Webhooks; after the last one the sink gives up."""
CHANNEL = "crm"
SOURCE = "vaart-notifications"

log = structlog.get_logger()

Deliver = Callable[[NotificationRequested], Outcome]


class NotificationSink:
    """Runs until it is told to stop. In a replay the time is that of the requests."""

    def __init__(
        self,
        session: Session,
        intake: Intake,
        relay: Relay,
        deliver: Deliver,
        encode: Encode,
        clock: Clock,
        *,
        is_replay: bool = False,
    ) -> None:
        self._session = session
        self._intake = intake
        self._relay = relay
        self._deliver = deliver
        self._encode = encode
        self._clock = clock
        self._is_replay = is_replay
        self._senders = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="deliver")
        self._told_at = 0.0
        self._known: dict[str, Outcome] = {}
        """Outcomes of this turn: a transaction that is tried again must not send again."""

    def run(self, stopping: threading.Event, health: Health) -> None:
        """Returns after `stopping` is set; what is under way is finished first."""
        is_busy = False
        try:
            while not stopping.is_set():
                health.beat()
                metrics.PROGRESS_TIMESTAMP.labels(app=APP).set_to_current_time()
                is_busy = self.turn(0.0 if is_busy else IDLE_S)
        except Abandoned:
            log.warning("stopped_while_postgres_is_away")
        finally:
            self._senders.shutdown()

    def turn(self, wait_s: float) -> bool:
        """One round; answers whether there may be more to do right away."""
        taken = self._intake.turn(wait_s)
        if taken:
            failpoint("claimed")
        sent = self._session.run(self._send_due)
        self._known.clear()
        told = self._tell(is_busy=bool(taken or sent))
        return bool(taken or sent or told)

    def _tell(self, *, is_busy: bool) -> int:
        if is_busy and time.monotonic() - self._told_at < TELL_EVERY_S:
            return 0
        self._told_at = time.monotonic()
        try:
            return self._relay.publish()
        except KafkaException as error:
            log.warning("outcomes_wait", error=error.args[0].name())
            return 0

    def _send_due(self, cursor: Cursor) -> int:
        now = self._clock()
        found = ledger.due(cursor, now, DUE_MAX)
        outcomes = list(self._senders.map(lambda each: self._outcome(each, now), found))
        if found:
            failpoint("delivered")
        for each, outcome in zip(found, outcomes, strict=True):
            self._note(cursor, each, outcome, now)
        return len(found)

    def _outcome(self, each: Due, now: int) -> Outcome:
        key = each.request.notification_id
        if key not in self._known:
            self._known[key] = self._tried(each, now)
        return self._known[key]

    def _tried(self, each: Due, now: int) -> Outcome:
        # In a replay the wall says nothing about what was too late then.
        expires_at = None if self._is_replay else each.request.expires_at
        if expires_at is not None and now > expires_at:
            return Failed(Reason.EXPIRED)
        outcome = self._deliver(each.request)
        if isinstance(outcome, Later) and each.attempts >= len(RETRY_S):
            return Failed(Reason.GAVE_UP)
        return outcome

    def _note(self, cursor: Cursor, each: Due, outcome: Outcome, now: int) -> None:
        request = each.request
        if isinstance(outcome, Later):
            ledger.postpone(
                cursor, request.notification_id, outcome.why, now + _pause(outcome, each.attempts)
            )
            word = "later"
        else:
            status, reason = (SENT, None) if isinstance(outcome, Sent) else (FAILED, outcome.reason)
            ledger.decide(cursor, request.notification_id, status, reason, now)
            ledger.tell(cursor, [self._report(request, status, reason, now)])
            word = reason or status
        metrics.NOTIFICATIONS.labels(medium=_known_medium(request.medium), outcome=word).inc()

    def _report(self, request: NotificationRequested, status: str, reason: Reason | None, now: int) -> Record:
        at = request.meta.occurred_at if self._is_replay else now
        report = NotificationOutcomeReported(
            meta=Meta(
                event_id=ids.event_id(SOURCE, NotificationOutcomeReported.__name__, request.notification_id),
                occurred_at=at,
                received_at=at,
                channel=CHANNEL,
                source=SOURCE,
            ),
            notification_id=request.notification_id,
            profile_id=request.profile_id,
            medium=request.medium,
            status=status,
            reason=reason,
        )
        return Record(NOTIFICATION_OUTCOMES.name, request.profile_id, self._encode(report))


def _pause(outcome: Later, attempts: int) -> int:
    """Microseconds until the next attempt: the far side's wish, else the published pause, a tenth more or less."""
    published = RETRY_S[attempts] * random.uniform(0.9, 1.1)  # noqa: S311
    return int(max(outcome.after_s or 0.0, published) * SECOND)


def _known_medium(medium: str) -> str:
    """Labels hold no free text."""
    return medium if medium in {"email", "sms", "push", "whatsapp"} else "other"
