"""The words in which a live view is written: View, State, Step, Output, Tick.

A view is a pure fold over the events of its sources. The engine owns everything else: it hands over the state of
one key, applies what the fold returns, and commits outputs, state and offset in one Kafka transaction.
"""

from collections.abc import Callable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Generic, TypeVar

import msgspec

from schemas.meta import Entry, Event, Snapshot
from schemas.topic import Topic

Part = tuple[str, ...]
"""The key of a record in a collection: one or more ids, each of any text."""


class Record(msgspec.Struct, gc=False, array_like=True):
    """A head or a collection's record as the engine keeps it (msgpack behind a version byte).

    Records are arrays of their fields in order: a field is added at the end, with a default. For any other change raise
    `version` and let `upgrade` read what older versions wrote.
    """

    version: ClassVar[int] = 1

    @classmethod
    def upgrade(cls, version: int, encoded: bytes) -> "Record":
        """The record that `encoded` of an older `version` stands for."""
        raise ValueError(f"{cls.__name__} has no converter from version {version}")


H = TypeVar("H", bound=Record)


class State(Generic[H]):
    """What is known of one key: a head (None while the key is unknown) and its collections.

    A collection reads through to the store. Writing `state["shelves"][part] = record` keeps a record, `del` removes
    it. A record that was read and then changed in place must be assigned again, else the change is lost.
    """

    __slots__ = ("_collections", "head", "key")

    def __init__(
        self,
        key: str,
        head: H | None = None,
        collections: Mapping[str, MutableMapping[Part, Any]] | None = None,
    ) -> None:
        self.key = key
        self.head = head
        self._collections = {} if collections is None else collections

    def __getitem__(self, collection: str) -> MutableMapping[Part, Any]:
        return self._collections[collection]


class Tick(msgspec.Struct, frozen=True, gc=False):
    """The alarm that a key asked for by `wake_at` went off. `at` is the moment asked for, in microseconds UTC."""

    at: int


class Output(msgspec.Struct, frozen=True, gc=False):
    """One record to publish. `event` None is a tombstone.

    A Snapshot or a tombstone is sent once per topic, key and commit: the last one wins; the engine stamps `seq`.
    The partition follows from the key, or is the lane's own with `is_local` (a shelf stays in its product's partition).
    An event that is passed on unchanged is not encoded again.
    """

    topic: Topic
    key: str
    event: Event | Snapshot | Entry | None
    is_local: bool = False


class Step(msgspec.Struct, gc=False):
    """What a fold decided: the head to keep (None forgets the key), outputs, and when to be woken.

    `wake_at` (microseconds UTC) replaces any earlier alarm of the key; None means no alarm. It must lie after the
    Tick that is being folded. `skipped` is one word for an event that changed nothing ("duplicate", "late"); it is
    counted under that name.
    """

    head: Record | None
    outputs: Sequence[Output] = ()
    wake_at: int | None = None
    skipped: str | None = None


Fold = Callable[[Any, Any], Step]
"""`fold(state: State[H], event: Event | Tick) -> Step`."""


@dataclass(frozen=True, slots=True)
class View:
    """A live view: which topics it reads, what it keeps per key, what it publishes.

    The state key is the record key of the sources. All sources have the same partition count. `version` names the
    consumer group, the changelog and the transactional ids; `epoch` goes up with it, is never less, and orders sequence
    numbers.
    `commit_interval_ms` is the least between two transactions of a lane; under load they are up to 100 ms apart.
    `is_time_ordered`: in a replay, events are folded in the order of their own times, whatever their order of arrival.
    """

    name: str
    sources: tuple[Topic, ...]
    outputs: tuple[Topic, ...]
    head: type[Record]
    fold: Fold
    collections: Mapping[str, type[Record]] = field(default_factory=dict)
    version: int = 1
    epoch: int = 1
    commit_interval_ms: int = 20
    is_time_ordered: bool = False

    def __post_init__(self) -> None:
        if not 1 <= self.version <= self.epoch:
            raise ValueError(
                f"version {self.version} of {self.name} needs an epoch of {self.version} or more"
            )

    @property
    def group(self) -> str:
        """The consumer group, without the deployment's prefix."""
        return f"vaart.{self.name}.v{self.version}"

    @property
    def changelog(self) -> str:
        """The changelog topic, without the deployment's prefix."""
        return f"{self.group}.changelog"
