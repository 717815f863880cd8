"""Kafka, bytes in and bytes out: the configuration that every client shares, and the Publisher.

Names of topics and groups are given here without the deployment's prefix; this module puts it before them.
"""

import threading
import time
from collections.abc import Callable, Mapping
from functools import partial
from types import TracebackType
from typing import Any, Self

from confluent_kafka import KafkaError, KafkaException, Message, Producer
from confluent_kafka.admin import AdminClient
from prometheus_client import Counter

from vaart import metrics
from vaart.addresses import Addresses
from vaart.errors import ConfigFault, DependencyAway, VaartError
from vaart.settings import Settings

LINGER_MS = 5
MESSAGE_TIMEOUT_MS = 30_000
"""How long librdkafka may still write a record that it was handed. Transactions need less than their 60 s."""
QUEUE_RECORDS_MAX = 100_000
QUEUE_KBYTES_MAX = 64 * 1024
QUEUE_FULL_WAIT_S = 60.0
FETCH_KBYTES_MAX = 16 * 1024
SESSION_TIMEOUT_MS = 10_000
REACHABLE_WITHIN_S = 10.0
METADATA_TIMEOUT_S = 10.0
ANY_PARTITION = -1
WARNINGS = 4
"""What librdkafka prints by itself, as a syslog level."""
PROBE_S = 2.0
ABANDON_S = 5.0
_POLL_S = 0.1

_PRODUCER_FIXED = {
    "enable.idempotence": True,
    "acks": "all",
    "partitioner": "murmur2_random",
}
_CONSUMER_FIXED = {
    "enable.auto.commit": False,
    "isolation.level": "read_committed",
}

Delivered = Callable[[KafkaError | None, Message], None]
"""Called once a record, from another thread: None when every in-sync replica has it, else why not."""


class RecordTooLarge(VaartError):
    """The record does not fit into its topic."""


def topic_name(settings: Settings, name: str) -> str:
    """The topic or group as the broker knows it: with the deployment's prefix."""
    return settings.kafka.topic_prefix + name


def producer_config(settings: Settings, addresses: Addresses) -> dict[str, Any]:
    """An idempotent producer that puts a key into the partition where Java clients and Faust look for it."""
    return {
        **_reachable_at(addresses),
        "compression.type": "lz4",
        "linger.ms": LINGER_MS,
        "message.timeout.ms": MESSAGE_TIMEOUT_MS,
        "queue.buffering.max.messages": QUEUE_RECORDS_MAX,
        "queue.buffering.max.kbytes": QUEUE_KBYTES_MAX,
        **_extra(settings),
        **_PRODUCER_FIXED,
    }


def consumer_config(settings: Settings, addresses: Addresses, group: str) -> dict[str, Any]:
    """A reader of committed records that commits nothing by itself.

    It never jumps: where the offset to start from is unknown or gone, `poll` returns an error, so assign an
    offset (OFFSET_BEGINNING for a new reader). A rebalance is incremental: use `incremental_assign`.
    """
    return {
        **_reachable_at(addresses),
        "group.id": topic_name(settings, group),
        "auto.offset.reset": "error",
        "partition.assignment.strategy": "cooperative-sticky",
        "session.timeout.ms": SESSION_TIMEOUT_MS,
        "queued.max.messages.kbytes": FETCH_KBYTES_MAX,
        # A full queue is asked for more after this, not after a second: a fast reader doubled its rate.
        "fetch.queue.backoff.ms": 5,
        **_extra(settings),
        **_CONSUMER_FIXED,
    }


def admin_config(settings: Settings, addresses: Addresses) -> dict[str, Any]:
    """What an AdminClient needs."""
    return {**_reachable_at(addresses), **_extra(settings)}


def admin(settings: Settings, addresses: Addresses) -> AdminClient:
    """A client that creates and describes topics. It does not connect before it is asked something."""
    return AdminClient(admin_config(settings, addresses))


def wait_until_reachable(
    settings: Settings, addresses: Addresses, within_s: float = REACHABLE_WITHIN_S
) -> None:
    """Returns once Kafka answers. Raises DependencyAway after `within_s`, with what to do."""
    # Probes retry by themselves; what librdkafka would print meanwhile says less than the error below.
    client = AdminClient({**admin_config(settings, addresses), "log_level": 0})
    deadline = time.monotonic() + within_s
    while True:
        try:
            client.list_topics(timeout=max(0.1, min(PROBE_S, deadline - time.monotonic())))
        except KafkaException as error:
            if time.monotonic() < deadline:
                continue
            raise DependencyAway(
                f"Kafka does not answer at {addresses.kafka} ({error.args[0].name()}).\n"
                "Start it (`vaart up` starts a local one), or set VAART_KAFKA__BOOTSTRAP_SERVERS to where it "
                "runs; a secured cluster also needs VAART_KAFKA__EXTRA__SECURITY_PROTOCOL and its kin."
            ) from None
        return


class Publisher:
    """Publishes records and never forgets a failure. Safe to use from several threads.

    A failed delivery goes to the record's own `on_delivered`, else it is kept and raised by the next call
    of `publish` or `flush`. As a context manager it flushes on the way out.
    """

    def __init__(
        self, settings: Settings, addresses: Addresses, overrides: Mapping[str, Any] | None = None
    ) -> None:
        self._prefix = settings.kafka.topic_prefix
        self._address = addresses.kafka
        config = {**producer_config(settings, addresses), **(overrides or {})}
        self._producer = Producer(config)
        self._failure: VaartError | None = None
        self._published: dict[str, Counter] = {}
        self._partitions: dict[str, int] = {}
        self._closing = threading.Event()
        self._poller = threading.Thread(target=self._poll, name="kafka-delivery-reports", daemon=True)
        self._poller.start()

    def publish(
        self, topic: str, key: str, value: bytes | None, on_delivered: Delivered | None = None
    ) -> None:
        """Hands the record over; Kafka has it when `flush` returns or `on_delivered` says so. No key: "".

        While the queue is full this waits, at most QUEUE_FULL_WAIT_S. With `on_delivered` it never waits: a
        full queue raises DependencyAway at once. A record that is too large raises RecordTooLarge.
        """
        self._raise_failure()
        report = partial(self._pass_on, on_delivered) if on_delivered else self._note
        self._hand_over(self._prefix + topic, key, value, report, 0.0 if on_delivered else QUEUE_FULL_WAIT_S)

    def publish_everywhere(self, topic: str, key: str, value: bytes) -> None:
        """Hands the record over once a partition, behind everything that was published before."""
        self._raise_failure()
        name = self._prefix + topic
        for partition in range(self._partitions_of(name)):
            self._hand_over(name, key, value, self._note, QUEUE_FULL_WAIT_S, partition)

    def flush(self, within_s: float = MESSAGE_TIMEOUT_MS / 1000 + 5) -> None:
        """After this Kafka has every record that was published. Raises the first failure there was."""
        left = self._producer.flush(within_s)
        self._raise_failure()
        if left:
            raise DependencyAway(
                f"Kafka at {self._address} did not acknowledge {left} records in {within_s:.0f} s."
            )

    def close(self) -> None:
        """Flushes, then ends the thread that reads delivery reports."""
        try:
            self.flush()
        finally:
            self._closing.set()
            self._poller.join()

    def abandon(self) -> None:
        """After this every record that was published has its report, at once: what is not acknowledged has failed."""
        self._producer.purge()
        self._producer.flush(ABANDON_S)
        self._closing.set()
        self._poller.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _hand_over(
        self,
        name: str,
        key: str,
        value: bytes | None,
        report: Delivered,
        wait_s: float,
        partition: int = ANY_PARTITION,
    ) -> None:
        deadline = time.monotonic() + wait_s
        while not self._produce(name, key, value, report, partition):
            if time.monotonic() >= deadline:
                raise DependencyAway(
                    f"Kafka at {self._address} takes records too slowly: the send queue is full."
                )
            self._producer.poll(_POLL_S)
            self._raise_failure()

    def _partitions_of(self, name: str) -> int:
        if name not in self._partitions:
            try:
                found = self._producer.list_topics(name, timeout=METADATA_TIMEOUT_S).topics[name]
            except KafkaException as error:
                raise fault(error.args[0], name, self._address) from None
            if found.error is not None:
                raise fault(found.error, name, self._address)
            self._partitions[name] = len(found.partitions)
        return self._partitions[name]

    def _produce(
        self, topic: str, key: str, value: bytes | None, on_delivered: Delivered, partition: int
    ) -> bool:
        try:
            self._producer.produce(topic, value, key or None, partition, on_delivery=on_delivered)
        except BufferError:
            return False
        except KafkaException as error:
            raise fault(error.args[0], topic, self._address) from None
        return True

    def _poll(self) -> None:
        while not self._closing.is_set():
            self._producer.poll(_POLL_S)

    def _note(self, error: KafkaError | None, message: Message) -> None:
        topic = message.topic() or ""
        if error is None:
            self._count(topic)
        elif self._failure is None:
            self._failure = fault(error, topic, self._address)

    def _pass_on(self, on_delivered: Delivered, error: KafkaError | None, message: Message) -> None:
        if error is None:
            self._count(message.topic() or "")
        on_delivered(error, message)

    def _count(self, topic: str) -> None:
        counter = self._published.get(topic)
        if counter is None:
            counter = self._published[topic] = metrics.EVENTS_PUBLISHED.labels(topic=topic)
        counter.inc()

    def _raise_failure(self) -> None:
        if self._failure is not None:
            failure, self._failure = self._failure, None
            raise failure


def fault(error: KafkaError, topic: str, address: str) -> VaartError:
    """What a failed delivery means and what to do about it, without a word of the record."""
    if error.code() in (KafkaError.UNKNOWN_TOPIC_OR_PART, KafkaError._UNKNOWN_TOPIC):
        return ConfigFault(f"the topic {topic} does not exist at {address}: run `vaart topics apply`.")
    if error.code() in (KafkaError.TOPIC_AUTHORIZATION_FAILED, KafkaError.CLUSTER_AUTHORIZATION_FAILED):
        return ConfigFault(f"Kafka at {address} forbids writing to {topic}: grant Write and IdempotentWrite.")
    if error.code() == KafkaError.MSG_SIZE_TOO_LARGE:
        return RecordTooLarge(f"a record for {topic} is larger than Kafka takes (max.message.bytes).")
    return DependencyAway(f"Kafka at {address} did not take a record for {topic} ({error.name()}).")


def _reachable_at(addresses: Addresses) -> dict[str, Any]:
    return {"bootstrap.servers": addresses.kafka, "client.id": "vaart", "log_level": WARNINGS}


def _extra(settings: Settings) -> dict[str, str]:
    """The raw client settings. Raises ConfigFault where one would break a guarantee."""
    broken = sorted({**_PRODUCER_FIXED, **_CONSUMER_FIXED}.keys() & settings.kafka.extra.keys())
    if broken:
        raise ConfigFault(
            "these Kafka settings are fixed, since no record may be lost or seen early; remove them:\n"
            + "\n".join(f"  VAART_KAFKA__EXTRA__{name.upper().replace('.', '_')}" for name in broken)
        )
    return settings.kafka.extra
