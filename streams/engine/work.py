"""One commit's worth of folding: the states it touched, what they publish, what was refused.

A fold changes its state in place, so when it raises, the guilty key alone is loaded again and refolded without the
guilty record; the other keys keep what they have.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from schemas.meta import Snapshot
from schemas.registry import RegistryAway
from schemas.topics import Topic
from streams.engine import records
from streams.engine.parts import Collections
from streams.engine.stores import LaneStore
from streams.view import Output, State, Step, Tick, View
from vaart.errors import VaartError

RINGS_MAX = 10_000
"""How many alarms of one key may go off before one event; more is a view that wakes itself without end."""

NOT_THE_RECORDS_FAULT = (VaartError, RegistryAway)
"""A schema that is not registered, a disk that is full: the worker stops or waits, and no record is put aside."""

Encoders = Callable[[Topic, type], Callable[[Any], bytes]]


class FoldRefused(Exception):
    """A record made the fold raise. The state is as if it had never come; `reason` is the error's class name."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Unsealed:
    """A key whose snapshot holds what its schema does not allow, why, and the events that were folded for it."""

    key: str
    reason: str
    events: list[bytes]


class Sealed:
    """A record ready to be produced. `value` None is a tombstone; `is_local`: into the lane's own partition."""

    __slots__ = ("is_local", "key", "topic", "value")

    def __init__(self, topic: Topic, key: str, value: bytes | None, *, is_local: bool) -> None:
        self.topic = topic
        self.key = key
        self.value = value
        self.is_local = is_local


class _Touched:
    """One key's state while a commit is prepared."""

    __slots__ = ("collections", "history", "sealed", "snapshots", "state", "stored", "wake_at")

    def __init__(self, state: State[Any], collections: Collections, stored: bytes | None) -> None:
        self.state = state
        self.collections = collections
        self.stored = stored
        self.wake_at = None if stored is None else records.wake_of(stored)
        self.sealed: list[Sealed] = []
        self.snapshots: dict[tuple[str, str], Output] | None = None
        self.history: list[tuple[Any, bytes]] = []


class Work:
    """Folds events into states that are read from `store`, and gathers what one commit must write and publish.

    `seq` is stamped on every snapshot. Nothing is written: whoever holds the work commits `writes()` and `sealed()`.
    """

    def __init__(self, view: View, store: LaneStore, encoders: Encoders, seq: int) -> None:
        self._fold = view.fold
        self._store = store
        self._encoders = encoders
        self._seq = seq
        self._decode_head = records.head_decoder(view.head)
        self._collections = {
            name: (number, records.record_decoder(kind))
            for number, (name, kind) in enumerate(view.collections.items())
        }
        self._none = Collections({}, store, "")
        self._touched: dict[str, _Touched] = {}
        self.skipped: Counter[str] = Counter()

    def fold(self, key: str, event: Any, raw: bytes) -> None:
        """After this the state of `key` reflects its due alarms up to the event's time, then the event.

        `raw` is the event as it came, for outputs that pass it on. Raises FoldRefused.
        """
        touched = self._touched.get(key) or self._load(key)
        try:
            self._fold_one(touched, event, raw)
        except NOT_THE_RECORDS_FAULT:
            raise
        except Exception as error:
            self._forget(touched)
            raise FoldRefused(type(error).__name__) from error
        touched.history.append((event, raw))

    def ring(self, key: str, until: int) -> None:
        """After this no alarm of `key` up to `until` is left. A hint that no longer holds changes nothing.

        Raises FoldRefused when an alarm makes the fold raise; that alarm is gone then.
        """
        touched = self._touched.get(key) or self._load(key)
        try:
            self._ring(touched, until)
        except NOT_THE_RECORDS_FAULT:
            raise
        except Exception as error:
            self._forget(touched)
            self._touched[key].wake_at = None
            raise FoldRefused(type(error).__name__) from error

    def seal(self) -> list[Unsealed]:
        """After this every snapshot is encoded, in its last value. A key whose snapshot cannot be is as it was stored.

        Returns those keys with their events. Call it once, before `sealed`, `writes` and `index`.
        """
        refused = []
        for key, touched in self._touched.items():
            try:
                touched.sealed += [
                    self._seal_snapshot(output) for output in (touched.snapshots or {}).values()
                ]
            except ValueError as error:
                raws = [raw for _, raw in touched.history]
                refused.append(Unsealed(key, type(error).__name__, raws))
        for unsealed in refused:
            self._load(unsealed.key)
        return refused

    def sealed(self) -> Iterator[Sealed]:
        """What is to be published: per key in the order of its folds, snapshots last."""
        for touched in self._touched.values():
            yield from touched.sealed

    def writes(self) -> dict[bytes, bytes | None]:
        """The records that changed, for the changelog and the store."""
        found: dict[bytes, bytes | None] = {}
        for key, touched in self._touched.items():
            head = touched.state.head
            value = None if head is None else records.head_value(head, touched.wake_at)
            if value != touched.stored:
                found[records.head_key(key)] = value
            for collection in touched.collections.values():
                found.update(collection.writes())
            if head is None and touched.stored is not None:
                found.update(dict.fromkeys(self._all_collection_keys(key)))
        return found

    def index(self) -> dict[bytes, bytes | None]:
        """What changes in the due index, which lies in the store only."""
        found: dict[bytes, bytes | None] = {}
        for key, touched in self._touched.items():
            before = None if touched.stored is None else records.wake_of(touched.stored)
            if before == touched.wake_at:
                continue
            if before is not None:
                found[records.due_key(before, key)] = None
            if touched.wake_at is not None:
                found[records.due_key(touched.wake_at, key)] = b""
        return found

    def _load(self, key: str) -> _Touched:
        stored = self._store.get(records.head_key(key))
        head = None if stored is None else self._decode_head(stored)
        collections = Collections(self._collections, self._store, key) if self._collections else self._none
        touched = _Touched(State(key, head, collections), collections, stored)
        self._touched[key] = touched
        return touched

    def _fold_one(self, touched: _Touched, event: Any, raw: bytes) -> None:
        if touched.wake_at is not None:
            self._ring(touched, time_of(event))
        self._apply(touched, self._fold(touched.state, event), event, raw)

    def _ring(self, touched: _Touched, until: int) -> None:
        rings = 0
        while touched.wake_at is not None and touched.wake_at <= until:
            at = touched.wake_at
            self._apply(touched, self._fold(touched.state, Tick(at)), None, b"")
            rings += 1
            if (touched.wake_at is not None and touched.wake_at <= at) or rings > RINGS_MAX:
                raise ValueError("the fold asks to be woken at or before the Tick that it folds")

    def _apply(self, touched: _Touched, step: Step, event: Any, raw: bytes) -> None:
        touched.state.head = step.head
        touched.wake_at = None if step.head is None else step.wake_at
        for output in step.outputs:
            if isinstance(output.event, Snapshot):
                if touched.snapshots is None:
                    touched.snapshots = {}
                touched.snapshots[(output.topic.name, output.key)] = output
            else:
                touched.sealed.append(self._seal(output, event, raw))
        if step.skipped is not None:
            self.skipped[step.skipped] += 1

    def _seal(self, output: Output, event: Any, raw: bytes) -> Sealed:
        value: bytes | None
        if output.event is None:
            value = None
        elif output.event is event:
            value = raw
        else:
            value = self._encoders(output.topic, type(output.event))(output.event)
        return Sealed(output.topic, output.key, value, is_local=output.is_local)

    def _seal_snapshot(self, output: Output) -> Sealed:
        snapshot = output.event
        if not isinstance(snapshot, Snapshot):
            raise TypeError("only snapshots are sealed late")
        snapshot.seq = self._seq
        value = self._encoders(output.topic, type(snapshot))(snapshot)
        return Sealed(output.topic, output.key, value, is_local=output.is_local)

    def _forget(self, touched: _Touched) -> None:
        """The key again as the store has it, with this commit's good events folded anew."""
        again = self._load(touched.state.key)
        for event, raw in touched.history:
            self._fold_one(again, event, raw)
            again.history.append((event, raw))

    def _all_collection_keys(self, key: str) -> Iterator[bytes]:
        for number, _ in self._collections.values():
            prefix = records.collection_prefix(number, key)
            for found, _ in self._store.scan(prefix, prefix + b"\xff\xff\xff"):
                yield found


def time_of(event: Any) -> int:
    """When `event` happened, in microseconds; a snapshot's is its `updated_at`."""
    meta = getattr(event, "meta", None)
    at: int = event.updated_at if meta is None else meta.occurred_at
    return at
