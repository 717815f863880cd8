"""A broker that dies in the middle of commits leaves some without an end: whoever claims the lane ends them rightly."""

import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from confluent_kafka.admin import AdminClient, NewTopic
from structlog.testing import capture_logs

from schemas.topics import DEAD_LETTERS
from streams.engine.claim import NOTE, claimed
from streams.engine.kafka_log import KafkaLog
from streams.engine.log import LaneLost, Outgoing
from tests.streams.engine.broker import Broker, own_broker
from tests.streams.engine.counting import VIEW
from tests.torture.conftest import Report

pytestmark = [pytest.mark.servers, pytest.mark.torture, pytest.mark.timeout(1_800)]

LANES = 24
KILLS_MAX, ENOUGH = 16, 4
LIVES_S = 4.0
PLACES = (*(topic.name for topic in VIEW.outputs), DEAD_LETTERS.name)


@pytest.fixture
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    with own_broker(tmp_path_factory.mktemp("broker")) as made:
        yield made


class Owner(threading.Thread):
    """Commits one transaction after the other in its lane, each into all of its places, until its broker is gone."""

    def __init__(self, log: KafkaLog, lane: int, life: int, acknowledged: set[str]) -> None:
        super().__init__()
        self._log, self._lane, self._life = log, lane, life
        self._acknowledged = acknowledged

    def run(self) -> None:
        writer = claimed(self._log, VIEW, self._lane)
        number = 0
        try:
            while True:
                name = f"{self._lane}-{self._life}-{number}"
                writer.begin()
                for place in PLACES:
                    writer.send(Outgoing(place, b"k", name.encode(), self._lane))
                writer.commit(Outgoing(VIEW.changelog, name.encode(), b"", self._lane))
                self._acknowledged.add(name)
                number += 1
        except LaneLost:
            return


def test_what_a_dying_broker_left_undecided(broker: Broker, report: Report) -> None:
    there: dict[str, Any] = {"bootstrap.servers": broker.address}
    names = [*PLACES, VIEW.changelog]
    admin = AdminClient(there)
    for made in admin.create_topics([NewTopic(name, LANES, 1) for name in names]).values():
        made.result()
    reading = {
        **there,
        "group.id": "undecided",
        "isolation.level": "read_committed",
        "enable.auto.commit": False,
    }
    log = KafkaLog("", LANES, there, reading, there)
    chance = random.Random(1)
    acknowledged: set[str] = set()
    kills = 0
    with capture_logs() as said:
        while kills < KILLS_MAX and len(undecided(said)) < ENOUGH:
            _live(log, kills, acknowledged, broker, chance)
            kills += 1
        for lane in range(LANES):
            claimed(log, VIEW, lane)
    found = _seen(log)
    assert set(found.values()) == {len(names)}, [each for each in found.items() if each[1] != len(names)]
    ends = Counter(str(line["ends"]) for line in undecided(said))
    assert ends, f"no transaction was left undecided in {kills} deaths: this run proves nothing"
    gone = acknowledged - set(found)
    report(
        f"{kills} deaths of the broker left undecided what was to end as {dict(ends)}; {len(found):,} transactions, "
        f"none in halves; {len(gone)} that were acknowledged are gone in all places"
    )


def undecided(said: list[Any]) -> list[Any]:
    return [line for line in said if line["event"] == "transaction_was_undecided"]


def _live(log: KafkaLog, life: int, acknowledged: set[str], broker: Broker, chance: random.Random) -> None:
    owners = [Owner(log, lane, life, acknowledged) for lane in range(LANES)]
    for owner in owners:
        owner.start()
    time.sleep(LIVES_S + chance.random())
    broker.signal(signal.SIGKILL)
    for owner in owners:
        owner.join()
    broker.start()


def _seen(log: KafkaLog) -> Counter[str]:
    """In how many topics a committed reader sees each transaction."""
    found: Counter[str] = Counter()
    for name in (*PLACES, VIEW.changelog):
        for lane in range(LANES):
            low, high = log.bounds(name, lane)
            assert high == log.end(name, lane), f"{name}[{lane}] is undecided"
            for page in log.read(name, lane, low, high):
                keys = (key if name == VIEW.changelog else value or b"" for key, value in page.records)
                found.update(key.decode() for key in keys if key != NOTE)
    return found
