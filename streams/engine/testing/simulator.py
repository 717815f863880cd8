"""A seeded storm: workers that die at any crash point, lose their folders, are overtaken and do not notice.

Everything runs in one thread on the log in memory with a clock of its own, so a run is its seed: the same seed takes
the same steps. After every step the promises of the engine are checked; a broken one raises Violated.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from schemas.registry import RegistryAway
from schemas.topics import DEAD_LETTERS
from streams.engine.lane import Lane
from streams.engine.log import LaneLost
from streams.engine.testing.coding import Plain
from streams.engine.testing.driver import log_for, surroundings
from streams.engine.testing.machine import FATES, Machine
from streams.engine.testing.promises import Promises
from streams.engine.testing.reference import Violated
from streams.engine.testing.sample import Sent
from streams.engine.testing.tracing import traced
from streams.engine.testing.weather import Crashed, Wavering, Weather
from streams.engine.work import time_of
from streams.view import View
from vaart.failpoint import failpoint, hooked

STEPS = 250
WORKERS = 3
PARTITIONS = 2
LONG_US = 10**13
SECOND_US = 1_000_000
CHANCES = {
    "produce": 30,
    "deliver": 40,
    "wake": 10,
    "tidy": 4,
    "pass time": 10,
    "keep folder": 5,
    "rebalance": 5,
    "crash": 2,
    "start": 5,
    "compact": 1,
    "expire": 1,
}


class Simulation:
    """One run over `load` for a view. `trace` says in words what happened."""

    def __init__(self, view: View, load: Sequence[Sent], seed: int, trace: list[str] | None = None) -> None:
        self.view = traced(view)
        self.trace: list[str] = [] if trace is None else trace
        self._load = list(load)
        self._weather = Weather(seed, self.trace.append)
        self._chance = self._weather.chance
        self._coding = Plain()
        self._log = log_for(self.view, PARTITIONS)
        self._log.fault = self._weather.fault
        self._now = 0
        coding = Wavering(self._coding, self._weather.registry)
        self._around = surroundings(self.view, self._log, coding, lambda: self._now)
        self._workers = [Machine(name) for name in "abcdefgh"[:WORKERS]]
        self._owners: dict[int, Machine] = {}
        self._opened: dict[int, Lane] = {}
        self._generation = 0
        self._busy: list[Machine] = []
        self._promises = Promises(view, self.view, self._log, self._coding)
        self._steps = {name: getattr(self, f"_{name.replace(' ', '_')}") for name in CHANCES}

    def run(self) -> str:
        """The hash of all that happened and of all that a committed reader sees. Raises Violated."""
        self._rebalance()
        for _ in range(STEPS):
            self._step()
        self._calm_down()
        return hashlib.sha256("\n".join([*self.trace, *self._said()]).encode()).hexdigest()

    def _step(self) -> None:
        (name,) = self._chance.choices(list(self._steps), list(CHANCES.values()))
        self.trace.append(name)
        self._steps[name]()
        self._promises.check()

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
            self.trace.append(f"  {sent.topic.name}[{partition}]@{offset} {sent.key} {sent.event}")

    def _deliver(self) -> None:
        self._on_some_lane(self._deliver_to)

    def _deliver_to(self, lane: Lane) -> None:
        """Some of what is there, perhaps of one source only, perhaps with what was there before."""
        batches = {}
        for source in self.view.sources:
            if self._chance.random() < 0.7:
                again = self._chance.choice((0, 0, 0, 2))
                start = max(0, lane.next_offsets[source.name] - again)
                found = self._log.committed(source.name, lane.number, start)
                batches[source.name] = found[: self._chance.randint(1, 12)]
        batches = {source: found for source, found in batches.items() if found}
        self.trace += [
            f"  {source}[{lane.number}] {found[0].offset}-{found[-1].offset}"
            for source, found in batches.items()
        ]
        lane.fold(batches)

    def _wake(self) -> None:
        self._on_some_lane(lambda lane: self._wake_until(lane, self._clock_of(lane)))

    def _wake_until(self, lane: Lane, now: int) -> bool:
        self._promises.note_clock(lane.number, now)
        return lane.wake(now)

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
        """The clock may be set back, too."""
        self._now += self._chance.choice(
            (1_000, 40_000, 90_000 * SECOND_US, -5 * SECOND_US, -3_600 * SECOND_US)
        )

    def _keep_folder(self) -> None:
        """What a disk would hold after a loss of power: all lanes as they were at one moment."""
        self._chance.choice(self._workers).keep(range(PARTITIONS))

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

    def _revoke(self, worker: Machine, number: int) -> None:
        failpoint("during_revoke")
        worker.lanes.pop(number, None)

    def _open(self, worker: Machine, number: int) -> None:
        generation = self._generation
        lane = Lane(number, replace(self._around, turn=worker.turn), worker.store.lane(number))

        def opening() -> None:
            self.trace.append(f"  {worker.name} opens {number}")
            self._opened[number] = lane
            lane.open(lambda: self._generation == generation)
            worker.lanes[number] = lane

        self._as(worker, opening)

    def _crash(self) -> None:
        alive = [worker for worker in self._workers if worker.is_alive]
        if alive:
            self._kill(self._chance.choice(alive))

    def _kill(self, worker: Machine) -> None:
        fate = self._chance.choice(FATES)
        self.trace.append(f"  {worker.name} died, folder {fate}")
        worker.die(fate)

    def _start(self) -> None:
        for worker in self._workers:
            worker.is_alive = True
        self._rebalance()

    def _compact(self) -> None:
        self._log.compact(self.view.changelog)

    def _expire(self) -> None:
        """Retention takes what every owner has folded for good."""
        for source, lane, offset in self._promises.standings():
            self._log.truncate(source, lane, offset)

    def _on_some_lane(self, act: Callable[[Lane], Any]) -> None:
        running = [(worker, number) for worker in self._workers for number in worker.lanes]
        if running:
            worker, number = self._chance.choice(running)
            self._act(worker, number, act)

    def _act(self, worker: Machine, number: int, act: Callable[[Lane], Any]) -> None:
        lane = worker.lanes[number]
        self.trace.append(f"  {worker.name} on {number}")
        self._as(worker, lambda: act(lane), number)
        self._promises.check_store(worker.store.lane(number), number)
        if worker.lanes.get(number) is lane and self._opened[number] is lane:
            self._promises.check_level(worker.store.lane(number), number)

    def _as(self, worker: Machine, act: Callable[[], Any], number: int | None = None) -> None:
        """`act` in the worker's process, which may die of it."""
        self._busy.append(worker)
        self._weather.begin()
        try:
            with hooked(lambda name: self._weather.point(name, self._meanwhile)):
                act()
        except Crashed:
            self._kill(worker)
        except RegistryAway:
            self.trace.append("registry away")
        except LaneLost as lost:
            self._lose(worker, number, lost)
        finally:
            self._busy.remove(worker)

    def _lose(self, worker: Machine, number: int | None, lost: LaneLost) -> None:
        """The worker opens the lane again where it is still its own, or where it has not noticed that it is not."""
        self.trace.append(f"lost: {lost}")
        if not self._weather.is_stormy:
            raise Violated(f"a lane was lost while nothing failed: {lost}")
        if number is not None:
            worker.lanes.pop(number, None)
            if self._owners.get(number) is worker or self._chance.random() < 0.3:
                self._open(worker, number)

    def _meanwhile(self) -> None:
        """Another worker acts, too; the one that stands at a crash point goes on afterwards."""
        others = [(each, number) for each in self._workers if each not in self._busy for number in each.lanes]
        if others:
            worker, number = self._chance.choice(others)
            self.trace.append("meanwhile")
            self._as(worker, lambda: self._deliver_to(worker.lanes[number]), number)

    def _calm_down(self) -> None:
        """Nothing fails any more: all that was sent is folded, and all that is due goes off."""
        self._weather.is_stormy = False
        for worker in self._workers:
            worker.is_alive, worker.lanes = True, {}
        self._owners.clear()
        self._rebalance()
        self._now += LONG_US
        for number, owner in self._owners.items():
            self._act(owner, number, self._finish)
            self._promises.check_end(owner.store.lane(number), number, self._now)
        self._promises.check_outputs()

    def _finish(self, lane: Lane) -> None:
        lane.fold(
            {
                each.name: self._log.committed(each.name, lane.number, lane.next_offsets[each.name])
                for each in self.view.sources
            }
        )
        while self._wake_until(lane, self._now) or lane.tidy():
            pass

    def _said(self) -> list[str]:
        return [
            f"{topic.name}[{number}]@{each.offset} {each.key!r} {each.value!r}"
            for topic in (*self.view.outputs, DEAD_LETTERS)
            for number in range(PARTITIONS)
            for each in self._log.committed(topic.name, number)
        ]
