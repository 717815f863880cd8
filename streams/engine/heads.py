"""The heads of a lane's keys, read through a bounded cache.

The cache holds encoded values as they were committed, never the objects that a fold changes. It keeps two generations:
when the young one is full it becomes the old one, and what is asked for again moves over.
"""

from collections.abc import Iterable, Mapping

from streams.engine.stores import LaneStore

YOUNG_BYTES_MAX = 4 << 20
ENTRY_BYTES = 150
"""What an entry costs beside its key and value, about."""


class Heads:
    """`get(key)` is the head that was committed last; None where the key is unknown."""

    def __init__(self, store: LaneStore) -> None:
        self._store = store
        self._young: dict[bytes, bytes | None] = {}
        self._old: dict[bytes, bytes | None] = {}
        self._young_bytes = 0

    def prefetch(self, keys: Iterable[bytes]) -> None:
        """After this `get` finds each of `keys` in memory, if the cache is large enough for them."""
        young, old = self._young, self._old
        unknown = sorted({key for key in keys if key not in young and key not in old})
        for key, value in zip(unknown, self._store.get_many(unknown), strict=True):
            self._keep(key, value)

    def get(self, key: bytes) -> bytes | None:
        """The encoded head at `key` (streams.engine.records.head_key)."""
        if key in self._young:
            return self._young[key]
        value = self._old.pop(key) if key in self._old else self._store.get(key)
        self._keep(key, value)
        return value

    def note(self, changed: Mapping[bytes, bytes | None]) -> None:
        """After this what is cached is as in `changed`, which the store was just given."""
        for key, value in changed.items():
            if key in self._young:
                self._young[key] = value
            elif key in self._old:
                self._old[key] = value

    def _keep(self, key: bytes, value: bytes | None) -> None:
        self._young[key] = value
        self._young_bytes += len(key) + len(value or b"") + ENTRY_BYTES
        if self._young_bytes > YOUNG_BYTES_MAX:
            self._old, self._young, self._young_bytes = self._young, {}, 0
