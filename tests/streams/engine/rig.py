"""Runs the counting view on the real Kafka: topics, records, worker processes, and what a committed reader sees."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping
from itertools import count, islice
from pathlib import Path
from typing import Any

from confluent_kafka import Consumer, KafkaError, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from schemas.events.clock import ClockAdvanced
from schemas.topics import DEAD_LETTERS, SETTLED_LETTERS
from streams.engine import position
from streams.engine.kafka_log import KafkaLog
from streams.engine.lookup import lane_of
from streams.view import View
from tests.streams.engine import counting

PARTITIONS = 4
MURMUR2 = {"partitioner": "murmur2_random"}
TOPICS = (counting.COUNTED, counting.LEVELS, counting.PASSED, DEAD_LETTERS, SETTLED_LETTERS)
PATIENCE_S = 90


def keys_of(lane: int, number: int) -> list[str]:
    """So many keys that belong into the lane."""
    keys = (f"key-{each}" for each in count())
    return list(islice((key for key in keys if lane_of(key.encode(), PARTITIONS) == lane), number))


class Rig:
    """One prefix of topics on one broker, and the workers that this test started."""

    def __init__(
        self,
        kafka: str,
        prefix: str,
        folder: Path,
        views: Iterable[View] = (counting.VIEW,),
        credentials: Mapping[str, str] | None = None,
    ) -> None:
        self.kafka, self.prefix, self.folder = kafka, prefix, folder
        self._there: dict[str, Any] = {"bootstrap.servers": kafka, **(credentials or {})}
        self.workers: dict[str, subprocess.Popen[bytes]] = {}
        changelogs = [view.changelog for view in views]
        names = [*(topic.name for topic in TOPICS), *changelogs]
        admin = AdminClient(self._there)
        compact = {"cleanup.policy": "compact"}
        made = admin.create_topics(
            [
                NewTopic(prefix + name, PARTITIONS, 1, config=compact if name in changelogs else {})
                for name in names
            ]
        )
        for future in made.values():
            future.result()
        self.producer = Producer({**MURMUR2, **self._there, "enable.idempotence": True})

    def send(self, events: Iterable[tuple[str, object]], topic: str = counting.COUNTED.name) -> None:
        for key, event in events:
            value = event if isinstance(event, bytes) else counting.encode(event)
            self.producer.produce(self.prefix + topic, value, key.encode())
            self.producer.poll(0)
        assert self.producer.flush(30) == 0

    def log_of(self) -> KafkaLog:
        """The log, as engine and commands read it."""
        there = self._there
        reading = {
            "group.id": self.prefix + "ask",
            "isolation.level": "read_committed",
            "auto.offset.reset": "error",
            "enable.auto.commit": False,
        }
        return KafkaLog(self.prefix, PARTITIONS, {**there, **MURMUR2}, {**there, **reading}, there)

    def advance(self, until: int) -> None:
        """The replay's clock stands at `until`, behind all that was sent."""
        clock = ClockAdvanced(until=until, writer=position.REPLAY, lane=0, lanes=1)
        for number in range(PARTITIONS):
            self.producer.produce(
                self.prefix + counting.COUNTED.name, counting.encode(clock), b"clock", number
            )
        assert self.producer.flush(30) == 0

    def start(self, name: str, **environment: str) -> None:
        settings = {
            "VAART_KAFKA__BOOTSTRAP_SERVERS": self.kafka,
            "VAART_KAFKA__TOPIC_PREFIX": self.prefix,
            "VAART_KAFKA__PARTITIONS": str(PARTITIONS),
            "VAART_REGISTRY__URL": "http://127.0.0.1:1",
            "VAART_POSTGRES__DSN": "postgresql://127.0.0.1:1/none",
            "VAART_STATE_DIR": str(self.folder),
            "INSTANCE": name,
        }
        log = (self.folder / f"{name}.log").open("ab")
        self.workers[name] = subprocess.Popen(
            [sys.executable, "-m", "tests.streams.engine.run_counting"],
            stdout=log,
            stderr=log,
            env={**os.environ, **settings, **environment},
        )
        log.close()

    def kill(self, name: str, number: int = signal.SIGKILL) -> int:
        worker = self.workers.pop(name)
        worker.send_signal(number)
        return worker.wait(30)

    def close(self) -> None:
        for worker in self.workers.values():
            worker.kill()
            worker.wait()

    def log(self, name: str) -> str:
        return (self.folder / f"{name}.log").read_text()

    def wait_for(self, topic: str, count: int) -> list[tuple[str, object, int]]:
        """What a committed reader sees of `topic`, once there are `count` records; more are returned too."""
        deadline = time.monotonic() + PATIENCE_S
        found = self.read(topic)
        while len(found) < count:
            assert time.monotonic() < deadline, f"{len(found)} of {count} records on {topic}\n{self._logs()}"
            for name, worker in self.workers.items():
                assert worker.poll() is None, f"{name} ended\n{self.log(name)[-3000:]}"
            time.sleep(0.2)
            found = self.read(topic)
        return found

    def read(self, topic: str) -> list[tuple[str, object, int]]:
        """Every committed record of `topic`: key, record, partition."""
        consumer = Consumer(
            {
                **self._there,
                "group.id": self.prefix + "reader",
                "isolation.level": "read_committed",
                "enable.partition.eof": True,
                "enable.auto.commit": False,
            }
        )
        consumer.assign([TopicPartition(self.prefix + topic, number, 0) for number in range(PARTITIONS)])
        found: list[tuple[str, object, int]] = []
        ended: set[int] = set()
        while len(ended) < PARTITIONS:
            messages: list[Any] = consumer.consume(2000, 1.0)
            for message in messages:
                error = message.error()
                if error is None:
                    found.append(
                        (message.key().decode(), counting.decode(message.value()), message.partition())
                    )
                else:
                    assert error.code() == KafkaError._PARTITION_EOF, error
                    ended.add(message.partition())
        consumer.close()
        return found

    def _logs(self) -> str:
        return "\n".join(f"--- {path.name}\n{path.read_text()[-2500:]}" for path in self.folder.glob("*.log"))
