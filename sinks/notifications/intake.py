"""From the topic of requests into the ledger: each request claimed, each unreadable record set aside, each once."""

from collections.abc import Sequence
from typing import cast

import structlog
from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, Message, TopicPartition

from schemas.codec import Decode, Encode, Reason, Undecodable
from schemas.events.dead_letters import DeadLettered
from schemas.events.notifications import NotificationRequested
from schemas.registry import RegistryAway
from schemas.topics import DEAD_LETTERS
from sinks.notifications import ledger
from sinks.notifications.ledger import Record
from sinks.postgres import offsets
from sinks.postgres.offsets import Cursor, Lane, Move, Moved
from sinks.postgres.session import Session
from vaart import __version__, metrics
from vaart.clock import Clock
from vaart.errors import ConfigFault, VaartError

APP = "sink-notifications"
GROUP = "vaart.sink.notifications.v1"
TABLE = "notification_deliveries"
RECORDS_MAX = 500
ID_CHARACTERS_MAX = 200
DETAIL_CHARACTERS_MAX = 1024

log = structlog.get_logger()


class Intake:
    """Reads `topic` from where the ledger stands. `is_placed` once that is known for all that is assigned."""

    def __init__(
        self,
        consumer: Consumer,
        session: Session,
        topic: tuple[str, str],
        codecs: tuple[Decode, Encode],
        clock: Clock,
    ) -> None:
        """`topic` is its name on the broker and its id; `codecs` read a request and write a DeadLettered."""
        self._consumer = consumer
        self._session = session
        self._topic, self._topic_id = topic
        self._decode, self._encode = codecs
        self._clock = clock
        self._next: dict[int, int] = {}
        self._has_joined = False
        self.is_placed = False
        consumer.subscribe(
            [self._topic], on_assign=self._assigned, on_revoke=self._revoked, on_lost=self._revoked
        )

    def turn(self, wait_s: float) -> int:
        """Takes on what arrives within `wait_s`; answers how many records that were."""
        messages = self._good(self._consumer.consume(RECORDS_MAX, wait_s))
        if not self.is_placed:
            self._place()
            return 0
        if not messages:
            return 0
        try:
            self._take(messages)
        except (Moved, RegistryAway) as error:
            log.warning("read_again", reason=type(error).__name__)
            self._place()
            return 0
        return len(messages)

    def _take(self, messages: Sequence[Message]) -> None:
        requests, letters = self._sorted(messages)
        ends = {_partition(message): _offset(message) + 1 for message in messages}
        moves = [Move(self._lane(each), self._next[each], end) for each, end in ends.items()]

        def write(cursor: Cursor) -> None:
            now = self._clock()
            offsets.move(cursor, moves)
            ledger.claim(cursor, requests, now)
            ledger.tell(cursor, [self._record(letter) for letter in letters])

        self._session.run(write)
        self._next.update(ends)
        self._count(requests, letters)
        self._show(ends)

    def _sorted(self, messages: Sequence[Message]) -> tuple[list[NotificationRequested], list[DeadLettered]]:
        """Requests to claim, and letters for records that nobody can send."""
        requests: list[NotificationRequested] = []
        letters: list[DeadLettered] = []
        for message in messages:
            try:
                found = self._decode(message.value())
                if isinstance(found, NotificationRequested):
                    requests.append(_storable(found))
            except Undecodable as error:
                letters.append(self._letter(message, error))
        return requests, letters

    def _letter(self, message: Message, error: Undecodable) -> DeadLettered:
        return DeadLettered(
            service=APP,
            stage="decode",
            reason=error.reason,
            detail=error.detail[:DETAIL_CHARACTERS_MAX],
            source_topic=self._topic,
            partition=_partition(message),
            offset=_offset(message),
            key=message.key(),
            value=message.value(),
            schema_id=error.schema_id,
            first_seen_at=self._clock(),
            service_version=__version__,
        )

    def _record(self, letter: DeadLettered) -> Record:
        return Record(DEAD_LETTERS.name, f"{letter.source_topic}:{letter.partition}", self._encode(letter))

    def _count(self, requests: Sequence[NotificationRequested], letters: Sequence[DeadLettered]) -> None:
        applied = metrics.EVENTS_PROCESSED.labels(app=APP, topic=self._topic, outcome="applied")
        applied.inc(len(requests))
        for letter in letters:
            metrics.EVENTS_PROCESSED.labels(app=APP, topic=self._topic, outcome="dead").inc()
            metrics.DEAD_LETTERS.labels(topic=self._topic, reason=letter.reason).inc()

    def _show(self, ends: dict[int, int]) -> None:
        """Kafka's offsets serve the display of lag alone."""
        self._consumer.commit(
            offsets=[TopicPartition(self._topic, each, end) for each, end in ends.items()], asynchronous=True
        )
        for each, end in ends.items():
            metrics.COMMITTED_OFFSET.labels(group=GROUP, topic=self._topic, partition=str(each)).set(end)

    def _place(self) -> None:
        """Every assigned partition is read from where the ledger stands."""
        owned = [each.partition for each in self._consumer.assignment()]
        lanes = [self._lane(each) for each in owned]
        found = self._session.run(lambda cursor: offsets.read(cursor, lanes))
        self._next = {lane.partition: offset for lane, offset in found.items()}
        places = [
            TopicPartition(self._topic, each, self._next[each] or OFFSET_BEGINNING)
            for each in sorted(self._next)
        ]
        if places:
            self._consumer.incremental_unassign(places)
            self._consumer.incremental_assign(places)
        self.is_placed = self._has_joined

    def _assigned(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        """From the beginning, but nothing is taken before `_place` has asked the ledger."""
        self._has_joined = True
        self.is_placed = False
        consumer.incremental_assign(
            [TopicPartition(self._topic, each.partition, OFFSET_BEGINNING) for each in partitions]
        )
        metrics.REBALANCES.labels(group=GROUP).inc()

    def _revoked(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        consumer.incremental_unassign(partitions)
        for each in partitions:
            self._next.pop(each.partition, None)
        metrics.REBALANCES.labels(group=GROUP).inc()

    def _good(self, messages: Sequence[Message]) -> list[Message]:
        """The messages that are records of partitions which are ours; raises where reading on would lose some."""
        for message in messages:
            error = message.error()
            if error is not None:
                _judge(error, message)
        return [each for each in messages if each.error() is None and _partition(each) in self._next]

    def _lane(self, partition: int) -> Lane:
        return Lane(TABLE, self._topic, self._topic_id, partition)


def _storable(request: NotificationRequested) -> NotificationRequested:
    """The request, if Postgres takes its ids. Raises Undecodable."""
    ids = (request.notification_id, request.profile_id, request.journey, request.template, request.medium)
    if any("\0" in each or len(each) > ID_CHARACTERS_MAX for each in ids):
        raise Undecodable(
            Reason.INVALID_VALUE, f"an id has a NUL or more than {ID_CHARACTERS_MAX} characters"
        )
    return request


def _judge(error: KafkaError, message: Message) -> None:
    if error.code() in (KafkaError._AUTO_OFFSET_RESET, KafkaError.OFFSET_OUT_OF_RANGE):
        raise VaartError(
            f"Kafka no longer has the records of {message.topic()}/{message.partition()} from where this sink\n"
            "stopped: those requests are lost. To go on from the oldest that there is, remove the offset: the row of\n"
            f"ops.sink_offsets with projection {TABLE} and partition {message.partition()}."
        )
    if error.code() in (KafkaError.UNKNOWN_TOPIC_OR_PART, KafkaError._UNKNOWN_TOPIC):
        raise ConfigFault(f"the topic {message.topic()} does not exist: run `vaart topics apply`.")
    log.warning("kafka_says", error=error.name())


def _partition(message: Message) -> int:
    return cast(int, message.partition())


def _offset(message: Message) -> int:
    return cast(int, message.offset())
