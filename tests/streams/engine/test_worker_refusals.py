"""A worker refuses topics that are not what they were, while it runs and when it is started; it says what to do."""

import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from confluent_kafka import Producer, TopicPartition
from confluent_kafka.admin import NewPartitions, NewTopic

from tests.streams.engine.counting import ALSO_COUNTED, COUNTED, event
from tests.streams.engine.proof import CODING, PARTITIONS
from tests.streams.engine.stormy import Storm, load, storming
from vaart.addresses import Addresses
from vaart.errors import ConfigFault

pytestmark = pytest.mark.servers
ENCODE = CODING.encoder(COUNTED, type(event(1)))


@pytest.fixture
def storm(servers: Addresses, prefix: str, tmp_path: Path) -> Iterator[Storm]:
    """A worker that has folded something, of each partition."""
    with storming(servers.kafka, prefix, tmp_path) as made:
        made.start("a")
        made.send(load(400, keys=100, seed=1))
        made.wait_until_settled(keep="a")
        yield made


def test_a_source_that_lost_records_which_were_not_folded(storm: Storm) -> None:
    name = storm.prefix + COUNTED.name

    def truncate() -> None:
        storm.workers["a"].send_signal(signal.SIGSTOP)
        for _ in range(2):
            storm.send(load(400, keys=100, seed=2))
        ends = [
            TopicPartition(name, number, storm.log.bounds(COUNTED.name, number)[1])
            for number in range(PARTITIONS)
        ]
        for deleted in storm.admin.delete_records(ends).values():
            deleted.result()
        storm.workers["a"].send_signal(signal.SIGCONT)

    refuses(storm, truncate, [name, "records are missing", "as a new version"])


def test_a_source_that_was_made_again(storm: Storm) -> None:
    name = storm.prefix + COUNTED.name

    def make_again() -> None:
        storm.admin.delete_topics([name])[name].result()
        new = NewTopic(name, PARTITIONS, 1)
        storm.wait_for(lambda: name not in storm.admin.list_topics().topics)
        storm.admin.create_topics([new])[name].result()
        storm.send(load(400, keys=100, seed=3))

    refuses(storm, make_again, [name, "deleted and made again", "as a new version"])


def test_a_source_that_got_more_partitions(storm: Storm) -> None:
    name = storm.prefix + ALSO_COUNTED.name

    def grow() -> None:
        storm.admin.create_partitions([NewPartitions(name, PARTITIONS + 1)])[name].result()

    refuses(storm, grow, [name, "partitions", f"{PARTITIONS} are configured"])


def test_keys_that_have_moved(storm: Storm) -> None:
    name = storm.prefix + COUNTED.name

    def astray() -> None:
        """As librdkafka does unless it is told otherwise."""
        producer = Producer({"bootstrap.servers": storm.kafka, "partitioner": "consistent_random"})
        for number in range(100):
            producer.produce(name, ENCODE(event(1, event_id=f"astray-{number}")), b"key-%d" % number)
        assert producer.flush(30) == 0

    refuses(storm, astray, [name, "belongs to partition", "murmur2_random", "vaart offsets reset counting"])
    assert "key-" not in storm.said("a", lives=0)


def refuses(storm: Storm, act: Callable[[], None], words: list[str]) -> None:
    """`act` ends the worker, which says what to do; when it is started again it refuses with these words."""
    act()
    assert storm.end_of("a") == ConfigFault.exit_code, storm.said("a")
    assert words[0] in storm.said("a")
    storm.start("a")
    assert storm.end_of("a") == ConfigFault.exit_code, storm.said("a")
    assert all(word in storm.said("a") for word in words), storm.said("a")
