"""The collections of one key: records read through to the store, changes noted for the commit."""

from collections.abc import Iterator, Mapping, MutableMapping
from typing import Any

from streams.engine import records
from streams.engine.stores import LaneStore
from streams.view import Part


class Collection(MutableMapping[Part, Any]):
    """The records of one collection under one key: read through to the store, changes noted."""

    __slots__ = ("_changed", "_decode", "_prefix", "_records", "_store")

    def __init__(self, store: LaneStore, prefix: bytes, decode: records.Decode) -> None:
        self._store = store
        self._prefix = prefix
        self._decode = decode
        self._records: dict[Part, Any] = {}
        self._changed: set[Part] = set()

    def get(self, part: Part, default: Any = None) -> Any:
        if part in self._records:
            found = self._records[part]
        else:
            encoded = self._store.get(self._prefix + records.parts_bytes(part))
            found = self._records[part] = None if encoded is None else self._decode(encoded)
        return default if found is None else found

    def __getitem__(self, part: Part) -> Any:
        found = self.get(part)
        if found is None:
            raise KeyError(part)
        return found

    def __contains__(self, part: object) -> bool:
        return self.get(part) is not None  # type: ignore[arg-type]

    def __setitem__(self, part: Part, record: Any) -> None:
        self._records[part] = record
        self._changed.add(part)

    def __delitem__(self, part: Part) -> None:
        self[part] = None

    def __iter__(self) -> Iterator[Part]:
        start = len(self._prefix)
        stored = {
            records.parts_of(key[start:]): value
            for key, value in self._store.scan(self._prefix, self._prefix + b"\xff\xff\xff")
        }
        for part, value in stored.items():
            if part not in self._records:
                self._records[part] = self._decode(value)
        return iter([part for part, record in self._records.items() if record is not None])

    def __len__(self) -> int:
        return len(list(iter(self)))

    def writes(self) -> Iterator[tuple[bytes, bytes | None]]:
        for part in self._changed:
            record = self._records[part]
            yield (
                self._prefix + records.parts_bytes(part),
                None if record is None else records.record_value(record),
            )


class Collections(dict[str, Collection]):
    """A key's collections, each made when the fold first asks for it."""

    __slots__ = ("_incarnation", "_key", "_known", "_store")

    def __init__(
        self, known: Mapping[str, tuple[int, records.Decode]], store: LaneStore, key: bytes, incarnation: int
    ) -> None:
        self._known = known
        self._store = store
        self._key = key
        self._incarnation = incarnation

    def __missing__(self, name: str) -> Collection:
        number, decode = self._known[name]
        prefix = records.collection_prefix(number, self._key, self._incarnation)
        made = self[name] = Collection(self._store, prefix, decode)
        return made
