"""The ground that every bench stands on: servers of our own, cores, topics, and the processes that are measured."""

import os
import subprocess
import sys
import time
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Thread

import psutil
from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from vaart.addresses import Addresses

PARTITIONS = 4
PATIENCE_S = 120.0
ANSWER_S = 15.0
POLL_S = 0.1
STOP_S = 20.0
SAMPLE_S = 0.05

NOT_YET = frozenset(
    {
        KafkaError.NOT_COORDINATOR,
        KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
        KafkaError.COORDINATOR_NOT_AVAILABLE,
    }
)
CORES = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
SERVERS = CORES[:1]
"""Where the servers run; what is measured runs on OURS."""
OURS = CORES[1:2] or CORES[:1]
ASKING = CORES[2:3] or SERVERS
"""Where requests come from: a core of its own where there is a third."""


class Failed(Exception):
    """A bench could not be measured. The text says why."""


class Meter:
    """How much CPU time a process had used at any moment since the meter was made, and its largest memory."""

    def __init__(self, pid: int) -> None:
        self._process = psutil.Process(pid)
        self._samples: list[tuple[float, float]] = []
        self.memory_bytes_max = 0
        self._stopping = Event()
        self._sampling = Thread(target=self._sample, daemon=True)
        self._sampling.start()

    def cpu_s(self, start: float, stop: float) -> float:
        """The CPU seconds that were used between two moments of `time.time()`."""
        return self._used_at(stop) - self._used_at(start)

    def stop(self) -> None:
        """Nothing is looked at any more; what was seen can still be asked."""
        self._stopping.set()
        self._sampling.join()

    def _sample(self) -> None:
        while not self._stopping.wait(SAMPLE_S):
            try:
                times = self._process.cpu_times()
                self.memory_bytes_max = max(self.memory_bytes_max, self._process.memory_info().rss)
            except psutil.NoSuchProcess:
                return
            self._samples.append((time.time(), times.user + times.system))

    def _used_at(self, moment: float) -> float:
        """The newest sample up to then, and the share of the next step that had passed."""
        index = bisect_left(self._samples, (moment, 0.0))
        if index == 0 or index == len(self._samples):
            return self._samples[min(index, len(self._samples) - 1)][1]
        (before, low), (after, high) = self._samples[index - 1 : index + 1]
        return low + (high - low) * (moment - before) / (after - before)


class Service:
    """A process that is measured."""

    def __init__(self, process: "subprocess.Popen[bytes]", log: Path) -> None:
        self._process = process
        self._log = log
        self.meter = Meter(process.pid)

    def require_running(self) -> None:
        """Raises Failed, with its last words, when the process has ended."""
        if self._process.poll() is not None:
            raise Failed(f"{self._log.name} ended early:\n{self._log.read_text(errors='replace')[-2000:]}")

    def stop(self) -> None:
        """The process has ended: drained, or killed when that took too long."""
        self.meter.stop()
        self._process.terminate()
        try:
            self._process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


@dataclass(frozen=True, slots=True)
class Ground:
    """Servers that run, the broker's meter, a folder for what the benches leave behind, whether to measure roughly."""

    addresses: Addresses
    folder: Path
    kafka: Meter
    is_quick: bool = False

    def environment(self, prefix: str, database: str = "") -> dict[str, str]:
        """What a service of ours is told: where the servers are, and its own prefix, database and state folder."""
        others = {name: value for name, value in os.environ.items() if not name.startswith("VAART_")}
        return others | {
            "VAART_KAFKA__BOOTSTRAP_SERVERS": self.addresses.kafka,
            "VAART_KAFKA__TOPIC_PREFIX": prefix,
            "VAART_KAFKA__PARTITIONS": str(PARTITIONS),
            "VAART_REGISTRY__URL": self.addresses.registry,
            "VAART_POSTGRES__DSN": database or self.addresses.postgres,
            "VAART_STATE_DIR": str(self.folder / prefix.strip(".")),
            "VAART_LOG_LEVEL": "warning",
        }

    def create_topics(self, topics: Mapping[str, Mapping[str, str]]) -> None:
        """Each topic exists, with these settings, and is empty."""
        new = [NewTopic(name, PARTITIONS, 1, config=dict(config)) for name, config in topics.items()]
        admin = AdminClient({"bootstrap.servers": self.addresses.kafka})
        for made in admin.create_topics(new).values():
            made.result()


@contextmanager
def on(cores: Iterable[int]) -> Iterator[None]:
    """Threads and processes that are started inside run on `cores`, and so does this thread meanwhile."""
    if len(CORES) < 2:
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


@contextmanager
def running(
    ground: Ground,
    name: str,
    command: Iterable[str],
    environment: Mapping[str, str],
    program: str = sys.executable,
) -> Iterator[Service]:
    """`PROGRAM COMMAND` runs on our core inside, and has ended after. What it prints is in the folder."""
    log = ground.folder / f"{name}.log"
    Path(environment["VAART_STATE_DIR"]).mkdir(parents=True, exist_ok=True)
    with on(OURS), log.open("wb") as printed:
        process = subprocess.Popen(
            [program, *command], stdout=printed, stderr=subprocess.STDOUT, env=dict(environment)
        )
    service = Service(process, log)
    try:
        yield service
    finally:
        service.stop()


def wait_for(
    what: str,
    is_done: Callable[[], bool],
    services: Iterable[Service],
    every_s: float = POLL_S,
    patience_s: float = PATIENCE_S,
) -> None:
    """Returns once `is_done`, asked `every_s`. Raises Failed when a service ends before, or after `patience_s`."""
    deadline = time.monotonic() + patience_s
    while not is_done():
        for service in services:
            service.require_running()
        if time.monotonic() > deadline:
            raise Failed(f"{what}: not done within {patience_s:.0f} s")
        time.sleep(every_s)


class Onlooker:
    """Says how far a group has come in a topic, without being a member.

    AdminClient.list_consumer_group_offsets is no choice: while the group's coordinator is still loading it brings the
    process down (librdkafka 2.16).
    """

    def __init__(self, ground: Ground, group: str, topic: str) -> None:
        config = {"bootstrap.servers": ground.addresses.kafka, "group.id": group, "enable.auto.commit": False}
        self._consumer = Consumer(config)
        self._partitions = [TopicPartition(topic, number) for number in range(PARTITIONS)]

    def committed(self) -> int:
        """How many offsets the group has behind it; 0 while its coordinator is not there yet."""
        try:
            found = self._consumer.committed(self._partitions, timeout=ANSWER_S)
        except KafkaException as error:
            if error.args[0].code() not in NOT_YET:
                raise
            return 0
        return sum(max(0, place.offset) for place in found)

    def end(self) -> int:
        """How many offsets the topic has."""
        bounds = [self._consumer.get_watermark_offsets(each, timeout=ANSWER_S) for each in self._partitions]
        return sum(bound[1] for bound in bounds if bound)

    def close(self) -> None:
        """Nothing is connected any more."""
        self._consumer.close()
