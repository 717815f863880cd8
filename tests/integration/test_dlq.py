"""Dead letters of a real view with the real codec, and what an operator does with them by `vaart dlq`."""

import json
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import msgspec
import pytest
from confluent_kafka import Producer
from typer.testing import CliRunner

from schemas import wire
from schemas.avsc import schema_of
from schemas.codec import Codec, subject_of
from schemas.events.dead_letters import DeadLettered
from schemas.events.stock import StockCounted
from schemas.topic import MAX_RECORD_BYTES, Topic
from schemas.topics import DEAD_LETTERS, LEVELS, SETTLED_LETTERS, STOCK
from streams.engine.kafka_log import log_of
from streams.engine.log import Outgoing
from streams.views.stock import VIEW
from tests.integration.test_worker_faults import PATIENCE_S, counted, read, worker
from vaart import addresses, kafka
from vaart.admin import Topics, Wanted
from vaart.cli import schemas
from vaart.cli.main import app
from vaart.cli.settling import ATTEMPTS_MAX, WRITER
from vaart.errors import UsageFault
from vaart.settings import Settings

pytestmark = pytest.mark.servers
SECRET = "plum"
"""What a record says, and nobody else may."""
LETTERS = (
    (DEAD_LETTERS, DEAD_LETTERS.events),
    (SETTLED_LETTERS, SETTLED_LETTERS.events),
    (STOCK, (StockCounted,)),
)


class House:
    """A deployment with topics and schemas, and the command."""

    def __init__(self, settings: Settings, environment: dict[str, str], codec: Codec) -> None:
        self.settings, self.codec = settings, codec
        self._runner = CliRunner(env=environment)
        producing = kafka.producer_config(settings, addresses.resolve(settings))
        self._producer = Producer({**producing, "message.max.bytes": 2 * MAX_RECORD_BYTES})

    def produce(self, topic: str, value: bytes, key: bytes | None) -> None:
        self._producer.produce(kafka.topic_name(self.settings, topic), value, key)
        assert self._producer.flush(30) == 0

    def letter(self, **changes: Any) -> DeadLettered:
        """A letter that the stock view has written about a good record, which it could not read then."""
        good = self.codec.encoder(STOCK, StockCounted)(counted(SECRET, 7))
        found = DeadLettered(
            service=VIEW.group,
            stage="decode",
            reason="unknown_schema_id",
            detail="the registry has no schema of this id",
            source_topic=STOCK.name,
            partition=0,
            offset=3,
            key=SECRET.encode(),
            value=good,
            first_seen_at=1,
            service_version="0",
        )
        found = msgspec.structs.replace(found, **changes)
        self.produce(DEAD_LETTERS.name, self.codec.encoder(DEAD_LETTERS, DeadLettered)(found), b"a key")
        return found

    def letters(self, count: int) -> list[DeadLettered]:
        return read(self.settings, self.codec, DEAD_LETTERS, count)

    def dlq(self, *words: str) -> Any:
        """What the command answers in JSON. It says nothing of what a record says."""
        result = self._runner.invoke(app, ["dlq", *words, "--output", "json"])
        if result.exception is not None:
            raise result.exception
        assert "--payload" in words or SECRET not in result.output
        return json.loads(result.output)


@pytest.fixture
def house(settings: Settings, environment: dict[str, str]) -> Iterator[House]:
    """With all that the worker of the stock view needs."""
    outputs = [(topic, topic.carries) for topic in VIEW.outputs]
    changelog = Topic(VIEW.changelog, (), cleanup="compact")
    sources = [(topic, ()) for topic in VIEW.sources if topic is not STOCK]
    with deployed(settings, environment, *LETTERS, *sources, *outputs, (changelog, ())) as made:
        yield made


@pytest.fixture
def office(settings: Settings, environment: dict[str, str]) -> Iterator[House]:
    """With letters alone, and the one event that they are about."""
    with deployed(settings, environment, *LETTERS) as made:
        yield made


@contextmanager
def deployed(
    settings: Settings, environment: dict[str, str], *parts: tuple[Topic, tuple[type, ...]]
) -> Iterator[House]:
    """Topics, and the schemas that a test needs on each."""
    prefix, there = settings.kafka.topic_prefix, addresses.resolve(settings)
    partitions = settings.kafka.partitions
    wanted = [Wanted(prefix + topic.name, partitions, 1, topic.config()) for topic, _ in parts]
    Topics(kafka.admin(settings, there), there.kafka).create(wanted)
    with schemas.registry_of(settings) as registry:
        for topic, kinds in parts:
            for kind in kinds:
                registry.register(subject_of(topic, kind, prefix), schema_of(kind), "NONE")
        yield House(settings, environment, Codec(registry, prefix))


def until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.2)


def varint(value: int) -> bytes:
    """Avro's long."""
    value, found = value << 1, bytearray()
    while value > 0x7F:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*found, value])


def rubbish(good: bytes) -> list[tuple[str, str, bytes, bytes]]:
    """Stage, reason, key and value of what a view meets and cannot take."""
    text, moment = b"location-of-it", varint(1_764_000_000_000_000)
    assert text in good
    assert moment in good
    return [
        ("decode", "invalid_text", b"k", good.replace(text, b"\xed\xa0\x80" + text[3:])),
        ("decode", "invalid_value", b"k", good.replace(moment, varint(wire.INSTANT_MAX + 1))),
        ("decode", "truncated", b"k", good[: good.index(text)]),
        ("decode", "invalid_key", b"k" * 1_025, good),
        ("decode", "invalid_key", b"\xff\xfe", good),
        ("decode", "wrong_magic", b"k", b"\7" + random.Random(1).randbytes(MAX_RECORD_BYTES - 150)),
        ("fold", "fold_raised", b"k", good.replace(b"\x1c" + text, varint(900_000) + b"x" * 900_000)),
    ]


def test_bad_records_become_a_letter_each_with_their_bytes(house: House, environment: dict[str, str]) -> None:
    told = msgspec.structs.replace(
        counted(SECRET, 7), location_id="location-of-it", as_of=1_764_000_000_000_000
    )
    good = house.codec.encoder(STOCK, StockCounted)(told)
    bad = rubbish(good)
    for _, _, key, value in bad:
        house.produce(STOCK.name, value, key)
    house.produce(STOCK.name, good, SECRET.encode())
    with worker(environment, "stock") as running:
        letters = house.letters(len(bad))
        (level,) = read(house.settings, house.codec, LEVELS, 1)
    assert level.available == 7
    assert sorted((each.stage, each.reason, each.key, each.value) for each in letters) == sorted(bad)
    assert SECRET not in (running.stdout.read() if running.stdout else "")
    assert [each for each in letters if SECRET in each.detail] == []


def test_a_letter_is_replayed_once_however_often_it_is_asked_for(
    house: House, environment: dict[str, str]
) -> None:
    house.letter()
    house.letter(value=b"not a record", offset=4)
    before = house.dlq("list", "--view", "stock")
    assert [each["state"] for each in before["letters"]] == ["open", "open"]
    planned = house.dlq("replay", "--view", "stock", "--dry-run")
    assert (len(planned["letters"]), planned["settled"]) == (2, 0)
    assert house.dlq("list") == before

    half_way = log_of(house.settings, addresses.resolve(house.settings), "test").writer(WRITER)
    half_way.begin()
    half_way.send(Outgoing(SETTLED_LETTERS.name, b"0-0", b"cut off", 0))
    assert house.dlq("replay", "--view", "stock", "--yes")["settled"] == 2
    again = house.dlq("replay", *planned["letters"], "--yes")
    assert (again["letters"], again["refused"], again["settled"]) == ([], {"already replayed": 2}, 0)
    assert {each["state"] for each in house.dlq("list")["letters"]} == {"replayed"}

    with worker(environment, "stock") as running:
        _, _, failed = house.letters(3)
        (level,) = read(house.settings, house.codec, LEVELS, 1)
        assert (level.available, failed.attempt, failed.value, failed.offset) == (7, 2, b"not a record", 4)
        until(lambda: len(house.dlq("list", "--reason", "wrong_magic")["letters"]) == 1)
        assert house.dlq("replay", "--since", "1h", "--yes")["settled"] == 1
        assert [each.attempt for each in house.letters(4)].count(3) == 1
    assert len(read(house.settings, house.codec, LEVELS, 1)) == 1
    assert SECRET not in (running.stdout.read() if running.stdout else "")


def test_what_cannot_be_replayed_is_refused_with_what_to_do(office: House) -> None:
    office.letter(attempt=ATTEMPTS_MAX)
    office.letter(service="sink-postgres")
    office.letter(service="vaart.stock.v0", stage="fold")
    office.letter(left_out_bytes=2_000_000, key=None, value=None)
    office.letter(source_topic="", stage="encode", value=None)
    found = office.dlq("replay", "--yes")
    assert (found["letters"], sum(found["refused"].values()), found["settled"]) == ([], 5, 0)
    words = " | ".join(found["refused"])
    for word in (
        f"tried {ATTEMPTS_MAX} times",
        "sink-postgres",
        "of vaart.stock.v0",
        "too many to be kept",
        "alarm",
    ):
        assert word in words


def test_letters_are_filtered_skipped_and_purged(office: House) -> None:
    for reason in ("truncated", "truncated", "json"):
        office.letter(reason=reason, service="sink-postgres")
    (chosen,) = office.dlq("list", "--reason", "json")["letters"]
    assert len(office.dlq("list", "--topic", STOCK.name, "--limit", "2")["letters"]) == 2
    assert office.dlq("list", "--limit", "1")["more"] == 2
    assert office.dlq("list", "--view", "orders")["letters"] == []
    assert office.dlq("skip", "--reason", "truncated", "--limit", "1", "--dry-run")["settled"] == 0
    assert office.dlq("skip", "--reason", "truncated", "--limit", "1", "--yes")["settled"] == 1
    assert office.dlq("skip", chosen["id"], "--yes")["settled"] == 1
    states = Counter(each["state"] for each in office.dlq("list")["letters"])
    assert states == {"skipped": 2, "open": 1}
    assert office.dlq("purge", "--before", "2026-01-01T00:00Z", "--yes")["offsets"] == 0
    soon = "2126-01-01T00:00Z"
    assert office.dlq("purge", "--before", soon, "--dry-run") == {
        "before": soon,
        "offsets": 3,
        "purged": False,
    }
    assert office.dlq("purge", "--before", soon, "--yes")["purged"]
    assert office.dlq("list")["letters"] == []


def test_a_payload_is_shown_only_when_it_is_asked_for(office: House) -> None:
    office.letter()
    (row,) = office.dlq("list")["letters"]
    found = office.dlq("show", row["id"])
    assert (found["key_bytes"], "key" in found, "value" in found) == (len(SECRET), False, False)
    assert office.dlq("show", row["id"], "--payload")["key"] == {"text": SECRET}
    for wrong in ("0-99", "999-0", "some letter"):
        with pytest.raises(UsageFault, match="vaart dlq list"):
            office.dlq("show", wrong)


@contextmanager
def refused(match: str) -> Iterator[None]:
    with pytest.raises(UsageFault, match=match):
        yield


def test_wrong_words_are_refused_before_anything_happens(office: House) -> None:
    with refused("there is no view"):
        office.dlq("list", "--view", "nobody")
    with refused("is no time"):
        office.dlq("list", "--since", "yesterday")
    with refused("lacks its zone"):
        office.dlq("purge", "--before", "2026-01-01T00:00")
    office.letter()
    with refused("add --yes"):
        office.dlq("replay")
    with refused("there is no lane 99"):
        office.dlq("resume", "stock", "--lane", "99")
