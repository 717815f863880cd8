"""A seeded storm: workers that die at any crash point, lose their folders, are overtaken and do not notice.

Everything runs in one thread on the log in memory with a clock of its own, so a run is its seed: the same seed takes
the same steps. After every step the promises of the engine are checked; a broken one raises Violated with the seed.
"""

import hashlib
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from threading import Lock
from typing import Any

from schemas.registry import RegistryAway
from schemas.topics import DEAD_LETTERS, SETTLED_LETTERS, Topic
from streams.engine.lane import Lane
from streams.engine.log import LaneLost
from streams.engine.stores import MemoryStore
from streams.engine.testing.coding import Plain
from streams.engine.testing.driver import surroundings
from streams.engine.testing.memory_log import MemoryLog
from streams.engine.testing.promises import Promises
from streams.engine.testing.reference import Violated
from streams.engine.testing.tracing import TRACE, traced
from streams.engine.work import time_of
from streams.view import View
from vaart.failpoint import failpoint, hooked

STEPS = 250
WORKERS = 3
PARTITIONS = 2
CRASH = 0.08
FAULT = 0.01
AWAY = 0.01
LONG_US = 10**13
MEANWHILE = 0.02
"""How often another worker acts while one stands at a crash point."""
CHANCES = {
    "produce": 30,
    "deliver": 40,
    "wake": 10,
    "tidy": 4,
    "pass_time": 10,
    "keep_folder": 5,
    "rebalance": 5,
    "crash": 2,
    "start": 5,
    "compact": 1,
}


class Crashed(BaseException):
    """The process of a simulated worker is gone."""


@dataclass(frozen=True, slots=True)
class Sent:
    """A record that someone produces: an event, or bytes that are none."""

    topic: Topic
    key: str
    event: Any


@dataclass
class Worker:
    """A simulated process and its folder."""

    store: MemoryStore = field(default_factory=MemoryStore)
    kept: dict[int, dict[bytes, bytes | None]] = field(default_factory=dict)
    lanes: dict[int, Lane] = field(default_factory=dict)
    is_alive: bool = True
    turn: Lock = field(default_factory=Lock)


class Simulation:
    """One run over `load` for a view. `run` returns the hash of all that happened."""

    def __init__(self, view: View, load: Sequence[Sent], seed: int) -> None:
        self.seed = seed
        self.view = traced(view)
        self.trace: list[str] = []
        self._chance = random.Random(seed)  # noqa: S311
        self._load = list(load)
        self._coding = Plain()
        self._log = MemoryLog(PARTITIONS)
        topics = (*self.view.sources, *self.view.outputs, DEAD_LETTERS, SETTLED_LETTERS)
        self._log.create(*dict.fromkeys(topic.name for topic in topics), self.view.changelog)
        self._now = 0
        self._around = surroundings(
            self.view, self._log, _Wavering(self._coding, self._wavers), lambda: self._now
        )
        self._workers = [Worker() for _ in range(WORKERS)]
        self._owners: dict[int, Worker] = {}
        self._generation = 0
        self._is_stormy = True
        self._crash_in = 0
        self._busy: list[Worker] = []
        self._promises = Promises(view, self.view, self._log, self._coding)
        self._log.fault = self._fault

    def run(self) -> str:
        """Raises Violated, with the seed, where a promise was broken."""
        try:
            self._rebalance()
            while len(self.trace) < STEPS or self._load:
                self._step()
            self._calm_down()
        except Violated as violated:
            raise Violated(f"seed {self.seed}, step {len(self.trace)}: {violated}") from violated
        return hashlib.sha256("\n".join(self.trace).encode()).hexdigest()

    def _step(self) -> None:
        (name,) = self._chance.choices(list(CHANCES), list(CHANCES.values()))
        self.trace.append(name)
        getattr(self, f"_{name}")()
        self._promises.check(self._now)

    def _produce(self) -> None:
        for _ in range(min(len(self._load), self._chance.randint(1, 4))):
            sent = self._load.pop(0)
            is_raw = isinstance(sent.event, bytes)
            value = sent.event if is_raw else self._coding.encoder(sent.topic, type(sent.event))(sent.event)
            if not is_raw:
                self._now = max(self._now, time_of(sent.event))
                self._log.now = time_of(sent.event) // 1_000
            partition, offset = self._log.append(sent.topic.name, sent.key.encode(), value)
            self._promises.note_sent(sent.topic, sent.key, sent.event, partition, offset)

    def _deliver(self) -> None:
        self._on_some_lane(self._deliver_to)

    def _deliver_to(self, lane: Lane) -> None:
        batches = {}
        for source in self.view.sources:
            if self._chance.random() < 0.7:
                again = self._chance.choice((0, 0, 0, 2))
                start = max(0, lane.next_offsets[source.name] - again)
                found = self._log.committed(source.name, lane.number, start)
                batches[source.name] = found[: self._chance.randint(1, 12)]
        lane.fold({source: found for source, found in batches.items() if found})

    def _wake(self) -> None:
        self._on_some_lane(lambda lane: lane.wake(self._clock_of(lane)))

    def _clock_of(self, lane: Lane) -> int:
        """As a worker's: the wall clock where a source is drained, else the time folded last; of all the least."""
        moments = [
            self._now if self._is_drained(lane, source.name) else lane.newest.get(source.name, 0)
            for source in self.view.sources
        ]
        return min(moments)

    def _is_drained(self, lane: Lane, source: str) -> bool:
        return not self._log.committed(source, lane.number, lane.next_offsets[source])

    def _tidy(self) -> None:
        self._on_some_lane(lambda lane: lane.tidy())

    def _pass_time(self) -> None:
        self._now += self._chance.choice((1_000, 40_000_000_000, 90_000_000_000, -5_000_000))

    def _keep_folder(self) -> None:
        """What a disk would hold after a loss of power: all lanes as they were at one moment."""
        worker = self._chance.choice(self._workers)
        worker.kept = {number: _content(worker.store, number) for number in range(PARTITIONS)}

    def _rebalance(self) -> None:
        """Each lane has an owner among the living. Who lost a lane may not have noticed."""
        self._generation += 1
        alive = [worker for worker in self._workers if worker.is_alive]
        if not alive:
            return
        for number in range(PARTITIONS):
            owner = self._chance.choice(alive)
            before, self._owners[number] = self._owners.get(number), owner
            if before is not None and before is not owner and self._chance.random() < 0.6:
                self._as(before, partial(self._revoke, before, number))
            if owner.is_alive and number not in owner.lanes:
                self._open(owner, number)

    def _revoke(self, worker: Worker, number: int) -> None:
        failpoint("during_revoke")
        worker.lanes.pop(number, None)

    def _open(self, worker: Worker, number: int) -> None:
        generation = self._generation
        lane = Lane(number, replace(self._around, turn=worker.turn), worker.store.lane(number))

        def opening() -> None:
            lane.open(lambda: self._generation == generation)
            worker.lanes[number] = lane

        self._as(worker, opening)

    def _crash(self) -> None:
        alive = [worker for worker in self._workers if worker.is_alive]
        if alive:
            self._kill(self._chance.choice(alive))

    def _kill(self, worker: Worker) -> None:
        worker.is_alive = False
        worker.lanes.clear()
        fate = self._chance.choice(("kept", "kept", "older", "lost"))
        self.trace.append(f"died, folder {fate}")
        if fate != "kept":
            worker.store = MemoryStore()
        if fate == "older":
            for number, content in worker.kept.items():
                worker.store.lane(number).write(content)
        if fate == "lost":
            worker.kept = {}

    def _start(self) -> None:
        for worker in self._workers:
            worker.is_alive = True
        self._rebalance()

    def _compact(self) -> None:
        self._log.compact(self.view.changelog)

    def _on_some_lane(self, act: Callable[[Lane], Any]) -> None:
        running = [(worker, number) for worker in self._workers for number in worker.lanes]
        if running:
            worker, number = self._chance.choice(running)
            self._as(worker, lambda: act(worker.lanes[number]), number)
            self._promises.check_store(worker.store.lane(number), number)

    def _as(self, worker: Worker, act: Callable[[], Any], number: int | None = None) -> None:
        """`act` in the worker's process, which may die of it."""
        self._busy.append(worker)
        self._crash_in = (
            self._chance.randint(1, 8) if self._is_stormy and self._chance.random() < CRASH else 0
        )
        try:
            with hooked(self._point):
                act()
        except Crashed:
            self._kill(worker)
        except RegistryAway:
            self.trace.append("registry away")
        except LaneLost as lost:
            self._lose(worker, number, lost)
        finally:
            self._busy.remove(worker)

    def _lose(self, worker: Worker, number: int | None, lost: LaneLost) -> None:
        """The worker opens the lane again where it is still its own, or where it has not noticed that it is not."""
        self.trace.append(f"lost: {lost}")
        if not self._is_stormy:
            raise Violated(f"a lane was lost while nothing failed: {lost}")
        if number is not None:
            worker.lanes.pop(number, None)
            if self._owners.get(number) is worker or self._chance.random() < 0.3:
                self._open(worker, number)

    def _point(self, name: str) -> None:
        self._crash_in -= 1
        if self._crash_in == 0:
            self.trace.append(f"crashed {name}")
            raise Crashed
        if self._is_stormy and self._chance.random() < MEANWHILE:
            self._meanwhile()

    def _meanwhile(self) -> None:
        """Another worker acts, too; the one that stands at a crash point goes on afterwards."""
        crash_in = self._crash_in
        others = [(each, number) for each in self._workers if each not in self._busy for number in each.lanes]
        if others:
            worker, number = self._chance.choice(others)
            self.trace.append("meanwhile")
            self._as(worker, lambda: self._deliver_to(worker.lanes[number]), number)
        self._crash_in = crash_in

    def _fault(self, step: str) -> None:
        if self._is_stormy and self._chance.random() < FAULT:
            self.trace.append(f"fault at {step}")
            raise LaneLost(step)

    def _wavers(self) -> None:
        if self._is_stormy and self._chance.random() < AWAY:
            raise RegistryAway("no answer")

    def _calm_down(self) -> None:
        """Nothing fails any more: all that was sent is folded, and all that is due goes off."""
        self._is_stormy = False
        for worker in self._workers:
            worker.is_alive, worker.lanes = True, {}
        self._owners.clear()
        self._rebalance()
        self._now += LONG_US
        for number, owner in self._owners.items():
            self._as(owner, partial(self._finish, owner.lanes[number]), number)
            self._promises.check(self._now)
            self._promises.check_store(owner.store.lane(number), number)
            self._promises.check_end(owner.store.lane(number), number, self._now)
        self._promises.check_outputs()

    def _finish(self, lane: Lane) -> None:
        lane.fold({each.name: self._log.committed(each.name, lane.number) for each in self.view.sources})
        while lane.wake(self._now) or lane.tidy():
            pass


class _Wavering:
    """A codec whose registry is away now and then."""

    def __init__(self, coding: Plain, wavers: Callable[[], None]) -> None:
        self._coding = coding
        self._wavers = wavers

    def decoder(self, topic: Topic) -> Callable[[bytes], Any]:
        return self._coding.decoder(topic)

    def encoder(self, topic: Topic, struct: type) -> Callable[[Any], bytes]:
        encode = self._coding.encoder(topic, struct)

        def wavering(record: Any) -> bytes:
            if topic is not TRACE:
                self._wavers()
            return encode(record)

        return wavering


def _content(store: MemoryStore, number: int) -> dict[bytes, bytes | None]:
    return dict(store.lane(number).scan(b"", b"\xff"))
