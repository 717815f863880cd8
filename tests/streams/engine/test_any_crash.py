"""Any events, crashes at any points, restarts: what comes out is what comes out of the same run without a crash."""

from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.meta import Snapshot
from schemas.topics import DEAD_LETTERS
from streams.engine.lane import Lane
from streams.engine.testing.coding import Plain
from streams.engine.testing.driver import Seen, log_for, seen, surroundings
from streams.engine.testing.machine import FATES, Machine
from streams.engine.testing.sample import DAY_US, FORGETS, MOVED, RAISES, VIEW, Moved, moved
from streams.engine.testing.weather import Crashed
from vaart.failpoint import hooked

CODING = Plain()
LONG_US = 1_000 * DAY_US
KEYS = ("pear", "plum", "fig")

events = st.tuples(
    st.sampled_from(KEYS),
    st.integers(1, 20 * DAY_US),
    st.sampled_from([*range(1, 9), FORGETS, RAISES]),
    st.sampled_from("ab"),
)
steps = st.lists(st.lists(events, min_size=1, max_size=12) | st.integers(0, 25 * DAY_US), max_size=8)
"""Batches of events, and moments up to which alarms go off."""

Crashes = dict[int, str]
"""The crash points at which the process dies, by how many were passed before, and what becomes of its folder."""


class Run:
    """A lane that goes through steps and all alarms; when its process dies it starts again, with the step it was at."""

    def __init__(self, steps: list[Any], crashes: Crashes) -> None:
        self.passed = 0
        self._crashes = crashes
        self._log = log_for(VIEW)
        self._around = surroundings(VIEW, self._log, CODING, lambda: 0)
        self._machine = Machine("a")
        self._survive(self._open)
        for number, step in enumerate([*steps, LONG_US]):
            if isinstance(step, list):
                self._send(number, step)
                self._survive(self._fold)
            else:
                self._survive(partial(self._wake, step))

    def end(self) -> tuple[Counter[Any], dict[Any, Any], list[Seen]]:
        """Events and letters out, last snapshots, states: all but what numbers the commits."""
        said: Counter[Any] = Counter()
        snapshots = {}
        for topic in (*VIEW.outputs, DEAD_LETTERS):
            decode = CODING.decoder(topic)
            for each in self._log.committed(topic.name, 0):
                record = None if each.value is None else decode(each.value)
                if isinstance(record, Snapshot):
                    record.seq = 0
                if record is None or isinstance(record, Snapshot):
                    snapshots[each.key] = record
                else:
                    said[(topic.name, each.key, each.value)] += 1
        store = self._machine.store.lane(0)
        return said, snapshots, [seen(VIEW, store, key.encode()) for key in KEYS]

    def _send(self, number: int, batch: list[Any]) -> None:
        for index, (key, *rest) in enumerate(batch):
            event = moved(f"e{number}-{index}", *rest)
            self._log.append(MOVED.name, key.encode(), CODING.encoder(MOVED, Moved)(event))

    def _survive(self, act: Callable[[], object]) -> None:
        try:
            with hooked(self._point):
                act()
        except Crashed:
            self._machine.die(self._crashes[self.passed])
            self._survive(self._open)
            self._survive(act)
        self._machine.keep([0])

    def _open(self) -> None:
        self._lane = Lane(0, self._around, self._machine.store.lane(0))
        self._lane.open(lambda: True)

    def _fold(self) -> None:
        for source in VIEW.sources:
            found = self._log.committed(source.name, 0, self._lane.next_offsets[source.name])
            if found:
                self._lane.fold({source.name: found})

    def _wake(self, until: int) -> None:
        while self._lane.wake(until) or self._lane.tidy():
            pass

    def _point(self, name: str) -> None:
        self.passed += 1
        if self.passed in self._crashes:
            raise Crashed


@settings(max_examples=150, deadline=None)
@given(steps, st.data())
def test_a_run_with_crashes_ends_as_one_without(steps: list[Any], data: st.DataObject) -> None:
    plain = Run(steps, {})
    points = st.integers(1, plain.passed + 5)
    crashes = data.draw(st.dictionaries(points, st.sampled_from(FATES), min_size=1, max_size=3))
    assert Run(steps, crashes).end() == plain.end()
