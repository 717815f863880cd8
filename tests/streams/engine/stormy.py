"""The stormy view on a real Kafka: two sources, alarms, collections, forgetting, rubbish, and a trace of all it folds.

Worker processes run it (run_stormy.py) while tests kill, stop and move them; proof.py holds what came of it against a
plain fold of the same events.
"""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic

from schemas.topics import DEAD_LETTERS, SETTLED_LETTERS
from streams.engine.kafka_log import KafkaLog
from streams.engine.testing.sample import Sent
from streams.engine.testing.tracing import traced
from tests.streams.engine.counting import ALSO_COUNTED, COUNTED, DAY, STORMY, event
from tests.streams.engine.proof import PARTITIONS, Proof, encoded

VIEW = traced(STORMY)
TOPICS = (*VIEW.sources, *VIEW.outputs, DEAD_LETTERS, SETTLED_LETTERS)
PATIENCE_S = 120
LOOK_S = 0.3
STOP_S_MAX = 25
READY = "lanes_ready"


def load(count: int, keys: int, seed: int) -> list[Sent]:
    """Events of the last day. A tenth of the keys have alarms that go off within the next half minute."""
    chance = random.Random(seed)
    now = time.time_ns() // 1_000
    found = []
    for number in range(count):
        topic = chance.choice((COUNTED, ALSO_COUNTED))
        key = chance.randrange(keys)
        at = now - DAY + chance.randrange(30_000_000) if key % 10 == 0 else now - chance.randrange(DAY // 2)
        units = 0 if chance.random() < 0.01 else 666 if chance.random() < 0.002 else chance.randrange(1, 9)
        made: object = event(units, at=at, place=chance.choice("abc"), event_id=f"{seed}-{number}")
        rubbish = chance.random() < 0.002
        found.append(Sent(topic, f"key-{key}", b"rubbish %d" % number if rubbish else made))
    return found


def slices(events: Sequence[Sent], count: int) -> list[Sequence[Sent]]:
    """`events` in `count` parts."""
    size = -(-len(events) // count)
    return [events[start : start + size] for start in range(0, len(events), size)]


class Storm:
    """Topics of one prefix, the workers that were started, and the proof of what they do."""

    def __init__(self, kafka: str, prefix: str, folder: Path) -> None:
        self.kafka, self.prefix, self.folder = kafka, prefix, folder
        self.workers: dict[str, subprocess.Popen[bytes]] = {}
        self._said: dict[str, int] = {}
        there: dict[str, Any] = {"bootstrap.servers": kafka}
        self.admin = AdminClient(there)
        self._create_topics()
        self._producer = Producer({**there, "partitioner": "murmur2_random", "enable.idempotence": True})
        reading = {
            "group.id": prefix + "proof",
            "isolation.level": "read_committed",
            "enable.auto.commit": False,
        }
        self.log = KafkaLog(prefix, PARTITIONS, there, {**there, **reading}, there)
        self.proof = Proof(STORMY, self.log)

    def send(self, events: Iterable[Sent], rate: float = 0) -> None:
        """After this Kafka has all of them; at `rate` a second where one is given."""
        began = time.monotonic()
        for number, each in enumerate(events):
            value = self.proof.expect(each)
            self._producer.produce(self.prefix + each.topic.name, value, each.key.encode())
            self._producer.poll(0)
            if rate and number % 50 == 0:
                time.sleep(max(0.0, began + number / rate - time.monotonic()))
        assert self._producer.flush(60) == 0

    def give_up(self, events: Iterable[Sent]) -> None:
        """Kafka has all of them in a transaction that was aborted."""
        producer = Producer(
            {
                "bootstrap.servers": self.kafka,
                "partitioner": "murmur2_random",
                "transactional.id": self.prefix,
            }
        )
        producer.init_transactions()
        producer.begin_transaction()
        for each in events:
            producer.produce(self.prefix + each.topic.name, encoded(each), each.key.encode())
        assert producer.flush(60) == 0
        producer.abort_transaction()

    def start(self, name: str, **environment: str) -> None:
        """A worker runs under this instance name."""
        settings = {
            "VAART_KAFKA__BOOTSTRAP_SERVERS": self.kafka,
            "VAART_KAFKA__TOPIC_PREFIX": self.prefix,
            "VAART_KAFKA__PARTITIONS": str(PARTITIONS),
            "VAART_KAFKA__SESSION_TIMEOUT_S": "6",
            "VAART_REGISTRY__URL": "http://127.0.0.1:1",
            "VAART_POSTGRES__DSN": "postgresql://127.0.0.1:1/none",
            "VAART_STATE_DIR": str(self.folder),
            "VAART_MANAGEMENT__PORT": "0",
            "INSTANCE": name,
        }
        path = self._path(name)
        self._said[name] = path.stat().st_size if path.exists() else 0
        with path.open("ab") as log:
            self.workers[name] = subprocess.Popen(
                [sys.executable, "-m", "tests.streams.engine.run_stormy"],
                stdout=log,
                stderr=log,
                env={**os.environ, **settings, **environment},
            )

    def kill(self, name: str, number: int = signal.SIGKILL) -> int:
        """The worker has ended; returns its exit code."""
        worker = self.workers.pop(name)
        worker.send_signal(number)
        return worker.wait(STOP_S_MAX)

    def end_of(self, name: str, patience_s: float = PATIENCE_S) -> int:
        """The worker has ended by itself; returns its exit code."""
        worker = self.workers[name]
        deadline = time.monotonic() + patience_s
        while worker.poll() is None:
            assert time.monotonic() < deadline, f"{name} does not end\n{self.last_words()}"
            time.sleep(0.05)
        return self.workers.pop(name).returncode

    def end_under(self, name: str, parts: Iterator[Sequence[Sent]], rate: float = 200) -> int:
        """The worker has ended by itself, while it was sent parts of a load; returns its exit code.

        A worker that dies at a point of its work needs work: others may have folded all there was before it had lanes.
        """
        deadline = time.monotonic() + PATIENCE_S
        while self.workers[name].poll() is None:
            assert time.monotonic() < deadline, f"{name} does not end\n{self.last_words()}"
            self.send(next(parts), rate)
        return self.end_of(name)

    def ended(self) -> dict[str, int]:
        """The workers that have ended by themselves since the last time, with their exit codes; they are forgotten."""
        codes = {name: worker.poll() for name, worker in self.workers.items()}
        found = {name: code for name, code in codes.items() if code is not None}
        for name in found:
            del self.workers[name]
        return found

    def said(self, name: str, lives: int = 1) -> str:
        """What the worker has logged in its newest life; with `lives` 0 in all of them."""
        text = self._path(name).read_bytes()
        return text[self._said[name] if lives else 0 :].decode(errors="replace")

    def wait_for(self, is_so: Callable[[], bool], patience_s: float = PATIENCE_S) -> None:
        """It is so."""
        deadline = time.monotonic() + patience_s
        while not is_so():
            assert time.monotonic() < deadline, self.last_words()
            time.sleep(0.1)

    def wait_until_said(self, name: str, words: str = READY, patience_s: float = PATIENCE_S) -> None:
        """The worker has logged `words` in its newest life; as a rule, that it has its lanes."""
        deadline = time.monotonic() + patience_s
        while words not in self.said(name):
            assert time.monotonic() < deadline, f"{name} does not say {words}\n{self.last_words()}"
            assert self.workers[name].poll() is None, f"{name} ended\n{self.said(name)[-3000:]}"
            time.sleep(0.1)

    def wait_until_settled(self, patience_s: float = PATIENCE_S, keep: Iterable[str] = ()) -> float:
        """Everything sent is folded or a dead letter; returns how long it took, in seconds. `keep` must live on."""
        began = time.monotonic()
        while (open_ := self.proof.unsettled()) > 0:
            spent = time.monotonic() - began
            assert spent < patience_s, f"{open_} are not settled after {spent:.0f} s\n{self.last_words()}"
            for name in keep:
                assert self.workers[name].poll() is None, f"{name} ended\n{self.said(name)[-3000:]}"
            time.sleep(LOOK_S)
        return time.monotonic() - began

    def prove(self) -> str:
        """Nothing was lost, doubled or folded out of order; states and outputs are a plain fold's. Says what there was.

        Ends the workers: what they do while they are asked to stop belongs to the proof.
        """
        self.wait_until_settled()
        deadline = time.monotonic() + PATIENCE_S
        while due := self.proof.silent_alarms():
            assert time.monotonic() < deadline, f"{due} alarms are due and silent\n{self.last_words()}"
            time.sleep(LOOK_S)
        for name in self.workers:
            self.wait_until_said(name)
        ends = {name: self.kill(name, signal.SIGTERM) for name in list(self.workers)}
        assert set(ends.values()) <= {0}, ends
        return self.proof.hold()

    def last_words(self) -> str:
        """The ends of all logs."""
        return "\n".join(f"--- {path.name}\n{path.read_text()[-1500:]}" for path in self.folder.glob("*.log"))

    def close(self) -> None:
        """No worker is left."""
        for worker in self.workers.values():
            worker.kill()
            worker.wait()

    def _path(self, name: str) -> Path:
        return self.folder / f"{name}.log"

    def _create_topics(self) -> None:
        names: dict[str, dict[str, str]] = {topic.name: {} for topic in TOPICS}
        names[VIEW.changelog] = {"cleanup.policy": "compact"}
        new = [NewTopic(self.prefix + name, PARTITIONS, 1, config=config) for name, config in names.items()]
        for made in self.admin.create_topics(new).values():
            made.result()


@contextmanager
def storming(kafka: str, prefix: str, folder: Path) -> Iterator[Storm]:
    """A storm that leaves no worker behind."""
    storm = Storm(kafka, prefix, folder)
    try:
        yield storm
    finally:
        storm.close()
