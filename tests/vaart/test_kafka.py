"""Kafka's clients: what is published is on the log, and what is not says so."""

import pytest
from aiokafka.partitioner import murmur2
from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, TopicPartition

from vaart import kafka
from vaart.addresses import Addresses
from vaart.admin import Topics, Wanted
from vaart.errors import ConfigFault, DependencyAway
from vaart.settings import Settings, load

PARTITIONS = 7
TOPIC = "things.v1"
AWAY = Addresses("127.0.0.1:1", "", "", "")
HASTY = {"message.timeout.ms": 200, "log_level": 0}


@pytest.fixture
def topic(settings: Settings, servers: Addresses) -> str:
    name = kafka.topic_name(settings, TOPIC)
    Topics(kafka.admin(settings, servers), servers.kafka).create([Wanted(name, PARTITIONS, 1, {})])
    return name


@pytest.mark.servers
def test_a_record_stands_where_java_clients_look_for_it(
    settings: Settings, servers: Addresses, topic: str
) -> None:
    keys = [f"key-{each}" for each in range(50)]
    with kafka.Publisher(settings, servers) as publisher:
        for key in keys:
            publisher.publish(TOPIC, key, key.encode())
    consumer = Consumer(kafka.consumer_config(settings, servers, "test"))
    consumer.assign([TopicPartition(topic, each, OFFSET_BEGINNING) for each in range(PARTITIONS)])
    found = {(each.value() or b"").decode(): each.partition() for each in consumer.consume(50, timeout=10)}
    consumer.close()
    assert found == {key: (murmur2(key.encode()) & 0x7FFFFFFF) % PARTITIONS for key in keys}


@pytest.mark.servers
def test_records_without_a_key_that_come_together_stand_together(
    settings: Settings, servers: Addresses, topic: str
) -> None:
    with kafka.Publisher(settings, servers, {"sticky.partitioning.linger.ms": 60_000}) as publisher:
        publisher.publish(TOPIC, "", b"first")  # which partitions there are is known after it
        publisher.flush()
        for _ in range(20):
            publisher.publish(TOPIC, "", b"value")
    consumer = Consumer(kafka.consumer_config(settings, servers, "test"))
    consumer.assign([TopicPartition(topic, each, OFFSET_BEGINNING) for each in range(PARTITIONS)])
    read = consumer.consume(21, timeout=10)
    consumer.close()
    assert len(read) == 21
    assert {each.key() for each in read} == {None}
    assert len({each.partition() for each in read if each.value() == b"value"}) == 1


@pytest.mark.servers
def test_a_reader_without_an_offset_is_told_so(settings: Settings, servers: Addresses, topic: str) -> None:
    consumer = Consumer(kafka.consumer_config(settings, servers, "test"))
    consumer.assign([TopicPartition(topic, 0, 1_000_000)])
    (message,) = consumer.consume(1, timeout=10)
    consumer.close()
    error = message.error()
    assert error is not None
    assert error.code() == KafkaError._AUTO_OFFSET_RESET


@pytest.mark.servers
def test_a_record_that_is_too_large_is_refused_at_once(
    settings: Settings, servers: Addresses, topic: str
) -> None:
    with kafka.Publisher(settings, servers) as publisher, pytest.raises(kafka.RecordTooLarge):
        publisher.publish(TOPIC, "key", b"x" * 2_000_000)


def test_a_failed_delivery_is_raised_by_the_next_flush_and_once() -> None:
    publisher = kafka.Publisher(load({}), AWAY, HASTY)
    publisher.publish(TOPIC, "key", b"value")
    with pytest.raises(DependencyAway, match=r"did not take a record for things\.v1"):
        publisher.flush()
    publisher.close()


def test_a_failed_delivery_goes_to_who_asked_for_it() -> None:
    errors: list[KafkaError | None] = []
    with kafka.Publisher(load({}), AWAY, HASTY) as publisher:
        publisher.publish(TOPIC, "key", b"value", lambda error, _: errors.append(error))
    (error,) = errors
    assert error is not None
    assert error.code() == KafkaError._MSG_TIMED_OUT


def test_who_waits_for_a_report_never_waits_for_room() -> None:
    publisher = kafka.Publisher(load({}), AWAY, HASTY | {"queue.buffering.max.messages": 1})
    publisher.publish(TOPIC, "key", b"value", lambda *_: None)
    with pytest.raises(DependencyAway, match="queue is full"):
        publisher.publish(TOPIC, "key", b"value", lambda *_: None)
    publisher.close()


def test_an_unreachable_kafka_is_named_with_what_to_do() -> None:
    with pytest.raises(DependencyAway, match=r"127.0.0.1:1(.|\n)*VAART_KAFKA__BOOTSTRAP_SERVERS"):
        kafka.wait_until_reachable(load({}), AWAY, within_s=0.3)


def test_raw_settings_pass_through_but_break_no_guarantee() -> None:
    extra = load({"VAART_KAFKA__EXTRA__SECURITY_PROTOCOL": "SSL", "VAART_KAFKA__EXTRA__LINGER_MS": "50"})
    assert kafka.producer_config(extra, AWAY)["linger.ms"] == "50"
    assert kafka.consumer_config(extra, AWAY, "g")["security.protocol"] == "SSL"
    broken = load(
        {"VAART_KAFKA__EXTRA__ISOLATION_LEVEL": "read_uncommitted", "VAART_KAFKA__EXTRA__ACKS": "1"}
    )
    with pytest.raises(ConfigFault, match=r"EXTRA__ACKS\n.*EXTRA__ISOLATION_LEVEL"):
        kafka.producer_config(broken, AWAY)
