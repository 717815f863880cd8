"""The plainest fold there is, one key after another: what an engine's run must be equal to."""

import copy
from collections import Counter
from collections.abc import Callable
from typing import Any

import msgspec

from schemas.meta import Snapshot
from schemas.topic import Topic
from streams.engine.testing.driver import Seen
from streams.engine.work import time_of
from streams.view import State, Tick, View


class Violated(AssertionError):
    """The engine did what it promises never to do."""


class Reference:
    """Folds what the engine says that it folded, in its order, and holds it against what the view asked for."""

    def __init__(self, view: View, encode: Callable[[Topic, Any], bytes]) -> None:
        self._view = view
        self._encode = encode
        self._states: dict[str, State[Any]] = {}
        self.wake_at: dict[str, int] = {}
        self.events: Counter[tuple[str, str, bytes | None]] = Counter()
        """Topic, key and bytes of every event out, with how often it came."""
        self.snapshots: dict[tuple[str, str], bytes | None] = {}
        """The last snapshot per topic and key, its `seq` 0; None for a tombstone."""

    def fold(self, key: str, event: Any) -> None:
        """After this `event` is folded. Raises Violated where an alarm should have gone off before."""
        due = self.wake_at.get(key)
        if due is not None and due <= time_of(event):
            raise Violated(f"{key}: the alarm of {due} did not go off before the event of {time_of(event)}")
        self._apply(key, event)

    def ring(self, key: str, at: int) -> None:
        """After this the alarm of `at` is folded. Raises Violated where the key had not asked for it, or had it."""
        if self.wake_at.get(key) != at:
            raise Violated(f"{key}: the alarm of {at} went off, the one asked for is {self.wake_at.get(key)}")
        self._apply(key, Tick(at))

    def refuse(self, key: str, at: int) -> None:
        """After this the alarm of `at`, which made the fold raise, is gone. Raises Violated as `ring` does."""
        asked_for = self.wake_at.pop(key, None)
        if asked_for != at:
            raise Violated(f"{key}: the alarm of {at} was put aside, the one asked for is {asked_for}")
        if not self.refuses(key, Tick(at)):
            raise Violated(f"{key}: the alarm of {at} was put aside, and nothing is wrong with it")

    def refuses(self, key: str, event: Any) -> bool:
        """Whether `event` makes the fold raise, as the state of `key` is now."""
        try:
            self._view.fold(copy.deepcopy(self._states.get(key) or self._fresh(key)), event)
        except Exception:
            return True
        return False

    def seen(self, key: str) -> Seen:
        """What is kept of a key."""
        state = self._states.get(key)
        if state is None or state.head is None:
            return Seen(None, None, {})
        collections: dict[str, Any] = {name: dict(state[name]) for name in self._view.collections}
        return Seen(state.head, self.wake_at.get(key), collections)

    @property
    def keys(self) -> list[str]:
        """Every key that was ever folded."""
        return list(self._states)

    def _apply(self, key: str, event: Any) -> None:
        state = self._states.setdefault(key, self._fresh(key))
        step = self._view.fold(state, event)
        state.head = step.head
        self.wake_at.pop(key, None)
        if step.head is None:
            self._states[key] = self._fresh(key)
        elif step.wake_at is not None:
            self.wake_at[key] = step.wake_at
        for output in step.outputs:
            place = (output.topic.name, output.key)
            if output.event is None:
                self.snapshots[place] = None
            elif isinstance(output.event, Snapshot):
                plain = copy.copy(output.event)
                plain.seq = 0
                self.snapshots[place] = self._encode(output.topic, plain)
            else:
                self.events[(*place, self._encode(output.topic, output.event))] += 1

    def _fresh(self, key: str) -> State[Any]:
        return State(key, None, {name: {} for name in self._view.collections})


def same(found: Seen, expected: Seen) -> bool:
    """Whether both are equal, byte for byte."""
    return msgspec.msgpack.encode(_plain(found)) == msgspec.msgpack.encode(_plain(expected))


def _plain(seen: Seen) -> Any:
    collections = {
        name: sorted((list(part), msgspec.to_builtins(record)) for part, record in found.items())
        for name, found in seen.collections.items()
        if found
    }
    return [
        None if seen.head is None else msgspec.to_builtins(seen.head),
        seen.wake_at,
        sorted(collections.items()),
    ]
