"""Where each source stands, in Kafka: a page's events and the cursor behind them are one transaction.

Opening the ledger shuts out every older poller of the source, ends what it left open, and only then reads the cursor.
"""

from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import suppress

from confluent_kafka import KafkaError, KafkaException, Producer

from connectors.gateway.spool import Kept
from schemas.codec import Decode, Undecodable
from schemas.events.ingest import CursorMoved
from schemas.topics import CURSORS
from vaart import kafka
from vaart.addresses import Addresses
from vaart.errors import DependencyAway, VaartError
from vaart.failpoint import failpoint
from vaart.reading import Reader
from vaart.settings import Settings

TRANSACTION_S = 60.0
GROUP = "vaart.pollers.v1"
NAME = "vaart.poller."
_FENCED = (KafkaError._FENCED, KafkaError.PRODUCER_FENCED, KafkaError.INVALID_PRODUCER_EPOCH)


class Replaced(VaartError):
    """Another poller asks the source now: this one must not."""


class Ledger:
    """One source's. `key` is its cursors' record key. Blocking: call it from a thread, one call at a time."""

    def __init__(
        self, settings: Settings, addresses: Addresses, source: str, key: str, decode: Decode
    ) -> None:
        self._settings = settings
        self._addresses = addresses
        self._source = source
        self._key = key
        self._decode = decode
        self._producer: Producer | None = None

    def open(self) -> CursorMoved | None:
        """The last cursor, None where the source was never asked. From now on no older poller of it can write."""
        self.close()
        name = kafka.topic_name(self._settings, NAME + self._source)
        config = kafka.producer_config(self._settings, self._addresses)
        self._producer = Producer({**config, "transactional.id": name})
        try:
            self._producer.init_transactions(TRANSACTION_S)
        except KafkaException as error:
            raise self._fault(error.args[0]) from None
        told = deque(self._cursors(), maxlen=1)
        return told[0] if told else None

    def commit(self, records: Sequence[Kept], cursor: Kept) -> None:
        """After this all of them are there, or none is. Open it again after any error."""
        assert self._producer is not None
        try:
            self._producer.begin_transaction()
            for record in (*records, cursor):
                self._send(self._producer, record)
            failpoint("poller_before_commit")
            self._producer.commit_transaction(TRANSACTION_S)
        except BufferError:
            raise DependencyAway(f"Kafka at {self._addresses.kafka} takes records too slowly.") from None
        except KafkaException as error:
            raise self._fault(error.args[0]) from None
        failpoint("poller_after_commit")

    def close(self) -> None:
        """After this nothing of an open transaction will be seen."""
        if self._producer is not None:
            with suppress(KafkaException):
                self._producer.abort_transaction(5.0)
            self._producer = None

    def _cursors(self) -> Iterator[CursorMoved]:
        partitions = range(self._settings.kafka.partitions)
        with Reader(self._settings, self._addresses, GROUP) as reader:
            starts = {each: reader.bounds(CURSORS.name, each)[0] for each in partitions}
            for message in reader.records(CURSORS.name, starts):
                if message.key() == self._key.encode() and message.value() is not None:
                    yield self._read(message.value())

    def _read(self, value: bytes | None) -> CursorMoved:
        try:
            found: CursorMoved = self._decode(value)
        except Undecodable as error:
            raise VaartError(f"the cursor of {self._source} cannot be read: {error}") from None
        return found

    def _send(self, producer: Producer, record: Kept) -> None:
        name = kafka.topic_name(self._settings, record.topic)
        try:
            producer.produce(name, record.value, record.key)
        except BufferError:
            producer.flush(TRANSACTION_S)
            producer.produce(name, record.value, record.key)

    def _fault(self, error: KafkaError) -> VaartError:
        if error.code() in _FENCED:
            return Replaced(f"another poller asks {self._source} now")
        return DependencyAway(f"Kafka at {self._addresses.kafka} took no transaction ({error.name()}).")
