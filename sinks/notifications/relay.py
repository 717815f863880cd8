"""From the outbox to Kafka, each record exactly once, whenever the process dies.

A batch gets a number and is tagged with it in Postgres. One Kafka transaction then holds its records and the number,
as a group's offset. Whoever takes over asks Kafka for the newest number: tagged rows up to it are on Kafka and are
deleted, later ones are not and go again. An advisory lock makes one relay the only one; opening the transactional
producer shuts out one that lost the lock without knowing.
"""

from collections.abc import Mapping
from typing import Any

import structlog
from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition

from schemas.topics import NOTIFICATION_OUTCOMES
from sinks.notifications.ledger import Record
from sinks.postgres.offsets import Cursor
from sinks.postgres.session import Session
from vaart.failpoint import failpoint

GROUP = "vaart.sink.notifications.relay.v1"
RECORDS_MAX = 1_000
TRANSACTION_S = 30.0
ASK_S = 10.0
_LOCK_KEY = 0x6E6F7465
_LEAD = "notification-relay"

_TAG = """
UPDATE ops.notification_outbox SET batch = %s
WHERE id IN (SELECT id FROM ops.notification_outbox WHERE batch IS NULL ORDER BY id LIMIT %s)
RETURNING id, topic, key, value
"""

log = structlog.get_logger()


class LeadLost(Exception):
    """The connection that held the lock is gone: somebody else may lead."""


class Relay:
    """Empties the outbox. `producer` and `consumer` are client configurations; names get `prefix`."""

    def __init__(
        self, session: Session, producer: Mapping[str, Any], consumer: Mapping[str, Any], prefix: str
    ) -> None:
        self._session = session
        self._config = {**producer, "transactional.id": prefix + GROUP}
        self._group = Consumer(dict(consumer))
        self._prefix = prefix
        self._place = (prefix + NOTIFICATION_OUTCOMES.name, 0)
        self._producer: Producer | None = None

    def publish(self) -> int:
        """Publishes what waits, at most RECORDS_MAX records; answers how many. 0 while another relay leads.

        Raises KafkaException: what was under way goes on with the next call.
        """
        try:
            return self._publish()
        except (LeadLost, KafkaException) as error:
            self._producer = None
            if isinstance(error, LeadLost):
                return 0
            raise

    def close(self) -> None:
        """Another relay may lead once the session is closed too."""
        self._producer = None
        self._group.close()

    def _publish(self) -> int:
        if self._producer is None:
            if not self._session.run(self._take_lead):
                return 0
            self._producer = self._opened()
            newest = self._newest_batch()
            self._session.run(lambda cursor: self._settle(cursor, newest))
        batch, records = self._session.run(self._tag)
        if records:
            failpoint("relay_tagged")
            self._send(self._producer, batch, records)
            failpoint("relay_committed")
            self._session.run(lambda cursor: _delete(cursor, batch))
        return len(records)

    def _take_lead(self, cursor: Cursor) -> bool:
        self._session.is_first(_LEAD)
        cursor.execute("SELECT pg_try_advisory_lock(%s)", (_LOCK_KEY,))
        return bool(cursor.fetchone() == (True,))

    def _check_lead(self) -> None:
        if self._session.is_first(_LEAD):
            raise LeadLost

    def _opened(self) -> Producer:
        """From here on no other relay can commit, and what one had under way is settled."""
        producer = Producer(self._config)
        producer.init_transactions(TRANSACTION_S)
        return producer

    def _newest_batch(self) -> int:
        (found,) = self._group.committed([TopicPartition(*self._place)], timeout=ASK_S)
        if found.error is not None:
            raise KafkaException(found.error)
        return max(int(found.offset), 0)

    def _settle(self, cursor: Cursor, newest: int) -> None:
        """A database that was restored from a backup may know fewer batches than Kafka: numbers only go up."""
        self._check_lead()
        cursor.execute("DELETE FROM ops.notification_outbox WHERE batch <= %s", (newest,))
        cursor.execute("UPDATE ops.notification_outbox SET batch = NULL WHERE batch IS NOT NULL")
        cursor.execute("UPDATE ops.notification_relay SET last_batch = greatest(last_batch, %s)", (newest,))

    def _tag(self, cursor: Cursor) -> tuple[int, list[Record]]:
        self._check_lead()
        cursor.execute("SELECT EXISTS (SELECT FROM ops.notification_outbox)")
        if cursor.fetchone() == (False,):
            return 0, []
        cursor.execute("SET LOCAL synchronous_commit = on")
        cursor.execute("UPDATE ops.notification_relay SET last_batch = last_batch + 1 RETURNING last_batch")
        (batch,) = cursor.fetchone() or (0,)
        cursor.execute(_TAG, (batch, RECORDS_MAX))
        return batch, [Record(*row[1:]) for row in sorted(cursor.fetchall())]

    def _send(self, producer: Producer, batch: int, records: list[Record]) -> None:
        producer.begin_transaction()
        for record in records:
            producer.produce(self._prefix + record.topic, record.value, record.key)
        marker = [TopicPartition(*self._place, batch)]
        producer.send_offsets_to_transaction(marker, self._group.consumer_group_metadata(), TRANSACTION_S)
        producer.commit_transaction(TRANSACTION_S)


def _delete(cursor: Cursor, batch: int) -> None:
    cursor.execute("DELETE FROM ops.notification_outbox WHERE batch = %s", (batch,))
