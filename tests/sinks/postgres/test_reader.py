"""What the reader makes of what Kafka hands over, and of what it does not."""

from dataclasses import dataclass
from typing import Any

import pytest
from confluent_kafka import KafkaError

from schemas.codec import Reason, Undecodable
from schemas.events.states import StockLevel
from schemas.registry import RegistryAway
from sinks.postgres.changes import Source
from sinks.postgres.reader import Reader, Stopped
from sinks.projections import stock_levels
from vaart.errors import ConfigFault, VaartError

LEVEL = StockLevel(seq=1, sku="dress", location_id="haarlem")
KEY = b'["dress","haarlem","own"]'


@dataclass
class Message:
    """A record, or an error, as confluent_kafka hands it over."""

    at: int
    bytes_: bytes | None = b"level"
    fault: KafkaError | None = None
    name: bytes | None = KEY

    def topic(self) -> str:
        return "stock.levels.v1"

    def partition(self) -> int:
        return 0

    def offset(self) -> int:
        return self.at

    def key(self) -> bytes | None:
        return self.name

    def value(self) -> bytes | None:
        return self.bytes_

    def error(self) -> KafkaError | None:
        return self.fault


class Consumer:
    def __init__(self, *messages: Message) -> None:
        self.messages = list(messages)

    def consume(self, _count: int, _seconds: float) -> list[Message]:
        return self.messages


def decode(value: bytes | None) -> Any:
    if value == b"level":
        return LEVEL
    raise Undecodable(Reason.TRUNCATED, "cut", 7)


def reader(*messages: Message, decoded: Any = decode, wait: Any = lambda _: None) -> Reader:
    consumer: Any = Consumer(*messages)
    source = Source("stock.levels.v1", decoded, (stock_levels.PROJECTION,), True)
    return Reader(consumer, {"stock.levels.v1": source}, wait)


def test_the_end_of_a_partition_moves_it_past_the_marks_of_transactions() -> None:
    batch = reader(Message(4), Message(9, fault=KafkaError(KafkaError._PARTITION_EOF))).read({})
    assert batch is not None
    assert batch.ends == {("stock.levels.v1", 0): 9}


def test_nothing_new_is_no_batch() -> None:
    assert reader().read({}) is None


def test_what_cannot_be_read_becomes_a_letter_with_its_bytes_and_the_rest_goes_on() -> None:
    batch = reader(Message(1), Message(2, b"junk"), Message(3, name=None), Message(4)).read({})
    assert batch is not None
    assert [record.offset for record in batch.records] == [1, 4]
    assert [(letter.offset, letter.reason, letter.value) for letter in batch.unreadable] == [
        (2, "truncated", b"junk"),
        (3, "invalid_key", b"level"),
    ]
    assert batch.ends == {("stock.levels.v1", 0): 5}


def test_while_the_registry_is_away_it_waits_and_then_reads_the_same_record() -> None:
    answers: list[Any] = [RegistryAway(), RegistryAway(), LEVEL]
    waited: list[float] = []

    def decoded(_value: bytes | None) -> Any:
        answer = answers.pop(0)
        if isinstance(answer, RegistryAway):
            raise answer
        return answer

    batch = reader(Message(1), decoded=decoded, wait=waited.append).read({})
    assert batch is not None
    assert [record.event for record in batch.records] == [LEVEL]
    assert len(waited) == 2


def test_it_can_be_stopped_while_the_registry_is_away() -> None:
    def decoded(_value: bytes | None) -> Any:
        raise RegistryAway

    def wait(_seconds: float) -> None:
        raise Stopped

    with pytest.raises(Stopped):
        reader(Message(1), decoded=decoded, wait=wait).read({})


@pytest.mark.parametrize(
    ("code", "fault", "text"),
    [
        (KafkaError._AUTO_OFFSET_RESET, VaartError, "ops.sink_offsets"),
        (KafkaError.UNKNOWN_TOPIC_OR_PART, ConfigFault, "vaart topics apply"),
        (KafkaError.TOPIC_AUTHORIZATION_FAILED, ConfigFault, "grant Read"),
    ],
)
def test_it_never_reads_on_where_that_would_skip_records(
    code: int, fault: type[Exception], text: str
) -> None:
    with pytest.raises(fault, match=text):
        reader(Message(1, fault=KafkaError(code))).read({})
