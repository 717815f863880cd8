"""One commit's worth of folding: the states it touched, what they publish, what was refused.

A fold changes its state in place, so when it raises, the guilty key alone is loaded again and refolded without the
guilty record; the other keys keep what they have.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from schemas.meta import Snapshot
from schemas.registry import RegistryAway
from schemas.topic import Topic
from streams.engine import records
from streams.engine.heads import Heads
from streams.engine.log import ANY_PARTITION, Outgoing
from streams.engine.parts import Collections
from streams.engine.stores import LaneStore
from streams.view import Output, State, Step, Tick, View
from vaart.errors import VaartError

RINGS_MAX = 10_000
"""How many alarms of one key may go off before one event; more is a view that wakes itself without end."""
VALUE_BYTES_MAX = 900_000
"""Kafka takes records of 1 MB; a larger one would stop the lane for ever."""

NOT_THE_RECORDS_FAULT = (VaartError, RegistryAway)
"""A schema that is not registered, a disk that is full: the worker stops or waits, and no record is put aside."""

Decode = Callable[[bytes], Any]
Encoders = Callable[[Topic, type], Callable[[Any], bytes]]


class FoldRefused(Exception):
    """A record or an alarm made the fold raise. The state is as if it had never come.

    `reason` is the error's class name, `alarm_at` the moment of the alarm where it was one.
    """

    def __init__(self, reason: str, alarm_at: int | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.alarm_at = alarm_at


class TooLarge(ValueError):
    """A record of state or an output is larger than Kafka takes."""


class Kinds:
    """How the records of `view` are read: made once, used by every Work."""

    def __init__(self, view: View) -> None:
        self.head = records.head_decoder(view.head)
        self.collections: Mapping[str, tuple[int, records.Decode]] = {
            name: (number, records.record_decoder(kind))
            for number, (name, kind) in enumerate(view.collections.items())
        }


class Touched(msgspec.Struct, gc=False):
    """One key's state while a commit is prepared. `stored` is its head as it was before, `stored_wake_at` its alarm.

    `forgotten` is the incarnation whose collection records are to be deleted, if the key was forgotten here; `ringing`
    the alarm that went off last.
    """

    key: bytes
    head_key: bytes
    state: State[Any]
    collections: Collections | None
    stored: bytes | None
    stored_wake_at: int | None
    wake_at: int | None
    incarnation: int
    forgotten: int | None = None
    ringing: int = 0
    outgoing: list[Outgoing] = []
    snapshots: dict[tuple[str, str], Output] = {}
    history: list[tuple[Decode, bytes]] = []


class Work:
    """Folds events into states that are read through `heads` and `store`, and gathers what one commit must write.

    `seq` is stamped on every snapshot; `lane` is the partition of outputs that are local. Nothing is written here.
    """

    def __init__(
        self,
        view: View,
        kinds: Kinds,
        heads: Heads,
        store: LaneStore,
        encoders: Encoders,
        seq: int,
        lane: int,
    ) -> None:
        self._fold = view.fold
        self._kinds = kinds
        self._heads = heads
        self._store = store
        self._encoders = encoders
        self._seq = seq
        self._lane = lane
        self.touched: dict[bytes, Touched] = {}
        self.skipped: Counter[str] = Counter()

    def fold(self, key: bytes, event: Any, raw: bytes, decode: Decode) -> None:
        """After this the state of `key` reflects its due alarms up to the event's time, then the event.

        `raw` is the event as it came, for outputs that pass it on; `decode` reads it again if the key must be folded
        anew. Raises FoldRefused.
        """
        touched = self.touched.get(key) or self._load(key)
        try:
            if touched.wake_at is not None:
                self._ring(touched, time_of(event))
            self._apply(touched, self._fold(touched.state, event), event, raw)
        except NOT_THE_RECORDS_FAULT:
            raise
        except Exception as error:
            self._refold(touched)
            raise FoldRefused(type(error).__name__) from error
        touched.history.append((decode, raw))

    def ring(self, key: bytes, until: int) -> None:
        """After this no alarm of `key` up to `until` is left. A hint that no longer holds changes nothing.

        Raises FoldRefused when an alarm makes the fold raise; that alarm is gone then, those before it have gone off.
        """
        touched = self.touched.get(key) or self._load(key)
        try:
            self._ring(touched, until)
        except NOT_THE_RECORDS_FAULT:
            raise
        except Exception as error:
            at = touched.ringing
            self._refold(touched)
            again = self.touched[key]
            self._ring(again, at - 1)
            again.wake_at = None
            raise FoldRefused(type(error).__name__, at) from error

    def ring_again(self, key: bytes, at: int) -> bool:
        """After this an alarm that was refused has gone off. False where the key has another by now, or is forgotten.

        Raises FoldRefused.
        """
        touched = self.touched.get(key) or self._load(key)
        if touched.state.head is None or touched.wake_at is not None:
            return False
        touched.wake_at = at
        try:
            self._ring(touched, at)
        except NOT_THE_RECORDS_FAULT:
            raise
        except Exception as error:
            self._refold(touched)
            raise FoldRefused(type(error).__name__, at) from error
        return True

    def snapshot(self, output: Output) -> Outgoing:
        """A snapshot or a tombstone as it is sent. Raises ValueError where it holds what its schema does not allow."""
        snapshot = output.event
        if snapshot is None:
            return self._sealed(output, None)
        assert isinstance(snapshot, Snapshot)
        snapshot.seq = self._seq
        return self._sealed(output, self._encoders(output.topic, type(snapshot))(snapshot))

    def reload(self, key: bytes) -> None:
        """After this the state of `key` is as it was stored: nothing was folded."""
        self._load(key)

    def _load(self, key: bytes) -> Touched:
        head_key = records.head_key(key)
        stored = self._heads.get(head_key)
        head, wake_at, incarnation, collections = None, None, 0, None
        if stored is not None:
            head = self._kinds.head(stored)
            wake_at, incarnation = records.life_of(stored)
        if self._kinds.collections:
            if stored is None:
                incarnation = self._next_incarnation(key)
            collections = self._collections_of(key, incarnation)
        state: State[Any] = State(key.decode(), head, collections)
        touched = Touched(key, head_key, state, collections, stored, wake_at, wake_at, incarnation)
        self.touched[key] = touched
        return touched

    def _next_incarnation(self, key: bytes) -> int:
        """0 unless records of an earlier life of the key are still there."""
        forgotten = self._store.get(records.forgotten_key(key))
        return 0 if forgotten is None else records.forgotten_incarnation(forgotten) + 1

    def _collections_of(self, key: bytes, incarnation: int) -> Collections:
        return Collections(self._kinds.collections, self._store, key, incarnation)

    def _ring(self, touched: Touched, until: int) -> None:
        rings = 0
        while touched.wake_at is not None and touched.wake_at <= until:
            at = touched.ringing = touched.wake_at
            self._apply(touched, self._fold(touched.state, Tick(at)), None, b"")
            rings += 1
            if (touched.wake_at is not None and touched.wake_at <= at) or rings > RINGS_MAX:
                raise ValueError("the fold asks to be woken at or before the Tick that it folds")

    def _apply(self, touched: Touched, step: Step, event: Any, raw: bytes) -> None:
        head = step.head
        touched.state.head = head
        touched.wake_at = None if head is None else step.wake_at
        for output in step.outputs:
            if output.event is None or isinstance(output.event, Snapshot):
                touched.snapshots[(output.topic.name, output.key)] = output
            else:
                touched.outgoing.append(self._sealed(output, self._value_of(output, event, raw)))
        if head is None and touched.collections is not None:
            self._forget(touched)
        if step.skipped is not None:
            self.skipped[step.skipped] += 1

    def _value_of(self, output: Output, event: Any, raw: bytes) -> bytes | None:
        if output.event is event:
            return raw
        return self._encoders(output.topic, type(output.event))(output.event)

    def _sealed(self, output: Output, value: bytes | None) -> Outgoing:
        if value is not None and len(value) > VALUE_BYTES_MAX:
            raise TooLarge(f"a record for {output.topic.name} has more than {VALUE_BYTES_MAX} bytes")
        partition = self._lane if output.is_local else ANY_PARTITION
        return Outgoing(output.topic.name, output.key.encode(), value, partition)

    def _forget(self, touched: Touched) -> None:
        """What comes under this key from now on has nothing of what was there before."""
        if touched.stored is not None and touched.forgotten is None:
            touched.forgotten = touched.incarnation
            touched.incarnation += 1
        touched.collections = self._collections_of(touched.key, touched.incarnation)
        touched.state = State(touched.state.key, None, touched.collections)

    def _refold(self, touched: Touched) -> None:
        """The key again as the store has it, with this commit's good events folded anew."""
        again = self._load(touched.key)
        for decode, raw in touched.history:
            event = decode(raw)
            if again.wake_at is not None:
                self._ring(again, time_of(event))
            self._apply(again, self._fold(again.state, event), event, raw)
        again.history = touched.history


def time_of(event: Any) -> int:
    """When `event` happened, in microseconds; a snapshot's is its `updated_at`."""
    meta = getattr(event, "meta", None)
    at: int = event.updated_at if meta is None else meta.occurred_at
    return at
