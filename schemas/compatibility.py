"""What breaks when a schema follows another: field by field, units included, which registries ignore."""

from collections.abc import Iterator
from typing import Any

from schemas.resolution import (
    Schema,
    Types,
    Unresolvable,
    check_kinds,
    check_names,
    kind_of,
    ours_for,
    unit_of,
)
from schemas.shapes import under

BACKWARD = "BACKWARD_TRANSITIVE"
FULL = "FULL_TRANSITIVE"


def faults(older: Schema, newer: Schema, rule: str) -> list[str]:
    """Each field that keeps new readers from old records and, under FULL, old readers from new records."""
    found = [
        f"{path}: readers of the new schema cannot read old records: {why}"
        for path, why in _unreadable(older, newer)
    ]
    if rule == FULL:
        found += [
            f"{path}: readers of the old schema cannot read new records: {why}"
            for path, why in _unreadable(newer, older)
        ]
    return list(dict.fromkeys(found))


def _unreadable(writer: Schema, reader: Schema) -> Iterator[tuple[str, str]]:
    return _Pair(Types(writer), Types(reader)).compare(writer, reader, "")


class _Pair:
    def __init__(self, writers: Types, readers: Types) -> None:
        self._writers = writers
        self._readers = readers

    def compare(self, writer: Schema, reader: Schema, path: str) -> Iterator[tuple[str, str]]:
        """(field, why) for everything that the reader cannot read."""
        w, r = self._writers.resolved(writer), self._readers.resolved(reader)
        if kind_of(w) == "union" or kind_of(r) == "union":
            yield from self._branches(w, r, path)
            return
        try:
            _check(w, r, path)
        except Unresolvable as error:
            yield error.path or "the record", error.why
            return
        if kind_of(w) == "record":
            yield from self._fields(w, r, path)
        for inner in ("items", "values"):
            if isinstance(w, dict) and inner in w:
                yield from self.compare(w[inner], r[inner], path)

    def _branches(self, w: Schema, r: Schema, path: str) -> Iterator[tuple[str, str]]:
        """Each branch that the writer may choose needs one of ours; the nearest one says what is wrong."""
        ours = sorted(r if isinstance(r, list) else [r], key=lambda each: each == "null")
        for branch in w if isinstance(w, list) else [w]:
            tried = [list(self.compare(branch, each, path)) for each in ours]
            yield from min(tried, key=len)

    def _fields(self, w: Schema, r: Schema, path: str) -> Iterator[tuple[str, str]]:
        met = set()
        with self._writers.inside(w, path):
            for field in w["fields"]:
                ours = ours_for(field["name"], r)
                if ours is not None:
                    met.add(ours["name"])
                    yield from self.compare(field["type"], ours["type"], under(path, ours["name"]))
        for field in r["fields"]:
            if field["name"] not in met and "default" not in field:
                yield under(path, field["name"]), "it is missing there and has no default; give it one"


def _check(w: Schema, r: Schema, path: str) -> None:
    if _unit(w) != _unit(r):
        raise Unresolvable(path, f"the unit is {_unit(w)} on one side and {_unit(r)} on the other")
    check_kinds(w, r, path)
    if kind_of(w) in ("record", "enum", "fixed"):
        check_names(w, r, path)
    if kind_of(w) == "enum" and "default" not in r:
        gone = sorted(set(w["symbols"]) - set(r["symbols"]))
        if gone:
            raise Unresolvable(path, f"the symbols {', '.join(gone)} are unknown there and it has no default")


def _unit(schema: Any) -> str:
    unit = unit_of(schema)
    return f"decimal of scale {schema.get('scale', 0)}" if unit == "decimal" else unit or "none"
