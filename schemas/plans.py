"""What to do with the bytes of a record, one step (steps.py) a value: resolved once per (writer's schema, ours).

The compiled codec (_avro.c) walks plans; without it reading.py and writing.py turn each into one Python function.
"""

from typing import Any

from schemas import wire
from schemas.resolution import (
    Schema,
    Types,
    Unresolvable,
    check_kinds,
    check_names,
    check_units,
    is_empty,
    kind_of,
    ours_for,
    unit_of,
)
from schemas.shapes import default_of, item_of, members_of, present, under
from schemas.steps import Read, Step, Write

DEPTH_MAX = 18
"""How deep values lie in each other; Python allows twenty nested loops."""
STEPS_MAX = 5_000
"""How many values a plan names, thirty times what our largest record has: a type that is used by its name counts each
time, so that a short schema could ask for billions."""

_LONG = (-wire.LONG_END, wire.LONG_END - 1, 1, "a number of more than 64 bits")
_INT = (-wire.INT_END, wire.INT_END - 1, 1, "an int out of range")
_INSTANT = (wire.INSTANT_MIN, wire.INSTANT_MAX, 1, "an instant out of range")
_NUMBERS: dict[str | None, tuple[int, int, int, str]] = {
    "timestamp-micros": _INSTANT,
    "timestamp-millis": (wire.INSTANT_MIN, wire.INSTANT_MAX, 1_000, "an instant out of range"),
    "date": (wire.DATE_MIN, wire.DATE_MAX, 1, "a date out of range"),
}
_FIXED_SIZES = {"boolean": 1, "float": 4, "double": 8}
_PLAIN = {"boolean": Read.BOOLEAN, "double": Read.DOUBLE, "float": Read.FLOAT, "null": Read.NULL}


def read_plan(writer: Schema, reader: Schema, struct: type) -> Step:
    """How records of `writer` become `struct`. Raises Unresolvable, naming the field, where they cannot."""
    reading = _Reading(Types(writer), Types(reader))
    plan = reading.step(writer, reader, struct, "", 1)
    reading.check_size("")
    return plan


def write_plan(schema: Schema, struct: type) -> Step:
    """How `struct` is written. Raises Unresolvable where the schema has what our structs do not."""
    return _Writing(Types(schema)).step(schema, struct, "", 1)


class _Reading:
    def __init__(self, writers: Types, readers: Types) -> None:
        self._writers = writers
        self._readers = readers
        self._steps = 0

    def check_size(self, path: str) -> None:
        """Raises Unresolvable once the plan has too many steps, also where a union has gone on without the rest."""
        if self._steps > STEPS_MAX:
            raise Unresolvable(path, f"a record of more than {STEPS_MAX} values")

    def step(self, writer: Schema, ours: Schema | None, shape: Any, path: str, depth: int) -> Step:
        """Without `ours` the value is only passed over."""
        self._steps += 1
        self.check_size(path)
        if depth > DEPTH_MAX:
            raise Unresolvable(path, "too deep")
        w, r = self._writers.resolved(writer), self._readers.resolved(ours)
        if kind_of(w) == "union":
            return self._union(w, r, shape, path, depth)
        if r is not None and kind_of(r) == "union":
            return self._into_union(w, r, shape, path, depth)
        if kind_of(w) == "record":
            return self._record(w, r, present(shape), path, depth)
        if kind_of(w) in ("array", "map"):
            return self._blocks(w, r, shape, path, depth)
        return _passed(w, path) if r is None else _scalar(w, r, path)

    def _union(self, w: Schema, r: Schema | None, shape: Any, path: str, depth: int) -> Step:
        steps: list[Step] = []
        why: Unresolvable | None = None
        for branch in w:
            try:
                steps.append(self.step(branch, r, shape, path, depth + 1))
            except Unresolvable as error:
                why = error
                steps.append((Read.REFUSED, path, "a kind of value that our schema does not have here"))
        if why and all(step[0] is Read.REFUSED for step in steps):
            raise why
        return (Read.UNION, path, tuple(steps))

    def _into_union(self, w: Schema, r: Schema, shape: Any, path: str, depth: int) -> Step:
        """The first of our branches that can hold the writer's value."""
        why = Unresolvable(path, "our union has no branch")
        for branch in r:
            try:
                return self.step(w, branch, shape, path, depth)
            except Unresolvable as error:
                why = error
        raise why

    def _record(self, w: Schema, r: Schema | None, struct: Any, path: str, depth: int) -> Step:
        if r is not None:
            check_kinds(w, r, path)
            check_names(w, r, path)
        members = members_of(struct) if r is not None else {}
        steps: list[tuple[Step, str | None]] = []
        found = set()
        with self._writers.inside(w, path):
            for field in w["fields"]:
                ours = ours_for(field["name"], r) if r is not None else None
                name = ours["name"] if ours else field["name"]
                attribute, shape = members[name] if ours else (None, None)
                step = self.step(field["type"], ours and ours["type"], shape, under(path, name), depth)
                steps.append((step, attribute))
                found.add(attribute)
        lacking = [field for field in (r["fields"] if r else ()) if members[field["name"]][0] not in found]
        defaults = tuple(self._default(field, members, path) for field in lacking)
        return (Read.RECORD, path, struct if r is not None else None, tuple(steps), defaults)

    def _default(self, field: Schema, members: Any, path: str) -> tuple[str, Any]:
        attribute, shape = members[field["name"]]
        if "default" not in field:
            raise Unresolvable(
                under(path, field["name"]), "the writer does not have this field and ours has no default"
            )
        return attribute, default_of(field["default"], field["type"], shape, self._readers)

    def _blocks(self, w: Schema, r: Schema | None, shape: Any, path: str, depth: int) -> Step:
        if r is not None:
            check_kinds(w, r, path)
        is_map = kind_of(w) == "map"
        inner = "values" if is_map else "items"
        item = item_of(shape) if r is not None else None
        step = self.step(w[inner], r and r[inner], item, path, depth + 2)
        if not is_map and is_empty(w[inner], self._writers):
            raise Unresolvable(path, "nothing bounds an array of empty items")
        return (Read.MAP if is_map else Read.ARRAY, path, step)


def _passed(w: Schema, path: str) -> Step:
    kind = kind_of(w)
    if kind in ("string", "bytes"):
        return (Read.PASS_BYTES, path)
    if kind in ("int", "long", "enum"):
        return (Read.PASS_NUMBER, path)
    if kind == "null":
        return (Read.NULL, path)
    return (Read.PASS_FIXED, path, _FIXED_SIZES.get(kind) or w["size"])


def _scalar(w: Schema, r: Schema, path: str) -> Step:
    check_units(w, r, path)
    check_kinds(w, r, path)
    kind = kind_of(w)
    if unit_of(r) == "decimal":
        return _amount(w, r, path)
    if kind in ("string", "bytes"):
        return (Read.BYTES if kind_of(r) == "bytes" else Read.TEXT, path)
    if kind in ("int", "long"):
        return _number(w, r, path)
    if kind in ("enum", "fixed"):
        check_names(w, r, path)
        return (Read.FIXED, path, w["size"]) if kind == "fixed" else (Read.SYMBOL, path, _symbols(w, r))
    return (_PLAIN[kind], path)


def _amount(w: Schema, r: Schema, path: str) -> Step:
    if r.get("scale", 0) != wire.AMOUNT_SCALE:
        raise Unresolvable(path, f"our amounts have scale {wire.AMOUNT_SCALE}")
    scale = w.get("scale", 0)
    size = w["size"] if kind_of(w) == "fixed" else -1
    return (Read.AMOUNT, path, scale, size, wire.amounts(scale))


def _number(w: Schema, r: Schema, path: str) -> Step:
    bounds = _NUMBERS.get(unit_of(r) and unit_of(w)) or (_INT if kind_of(w) == "int" else _LONG)
    operation = Read.WHOLE_DOUBLE if kind_of(r) in ("float", "double") else Read.NUMBER
    return (operation, path, *bounds)


def _symbols(w: Schema, r: Schema) -> tuple[str | None, ...]:
    return tuple(symbol if symbol in r["symbols"] else r.get("default") for symbol in w["symbols"])


class _Writing:
    def __init__(self, types: Types) -> None:
        self._types = types

    def step(self, schema: Schema, shape: Any, path: str, depth: int) -> Step:
        if depth > DEPTH_MAX:
            raise Unresolvable(path, "too deep")
        schema = self._types.resolved(schema)
        kind = kind_of(schema)
        if kind == "union":
            return self._optional(schema, shape, path, depth)
        if kind == "record":
            return self._record(schema, present(shape), path, depth)
        if kind in ("array", "map"):
            inner = schema["values" if kind == "map" else "items"]
            step = self.step(inner, item_of(shape), path, depth + 2)
            return (Write.MAP if kind == "map" else Write.ARRAY, path, step)
        return _written(schema, path)

    def _optional(self, schema: Schema, shape: Any, path: str, depth: int) -> Step:
        branches = [self._types.resolved(branch) for branch in schema]
        if len(branches) != 2 or "null" not in branches:
            raise Unresolvable(path, "our unions are null and one type")
        null = branches.index("null")
        return (Write.OPTIONAL, path, null, self.step(branches[1 - null], shape, path, depth + 1))

    def _record(self, schema: Schema, struct: type, path: str, depth: int) -> Step:
        members = members_of(struct)
        with self._types.inside(schema, path):
            steps = tuple(
                (
                    self.step(field["type"], members[field["name"]][1], under(path, field["name"]), depth),
                    members[field["name"]][0],
                )
                for field in schema["fields"]
            )
        return (Write.RECORD, path, struct, steps)


_WRITTEN: dict[str, Step] = {
    "int": (Write.NUMBER, *_INT[:2]),
    "long": (Write.NUMBER, *_LONG[:2]),
    "boolean": (Write.BOOLEAN,),
    "double": (Write.DOUBLE,),
    "float": (Write.FLOAT,),
    "string": (Write.TEXT,),
    "bytes": (Write.BYTES,),
    "timestamp-micros": (Write.NUMBER, *_INSTANT[:2]),
    "date": (Write.NUMBER, wire.DATE_MIN, wire.DATE_MAX),
    "decimal": (Write.AMOUNT,),
}


def _written(schema: Schema, path: str) -> Step:
    kind, unit = kind_of(schema), unit_of(schema)
    if unit == "decimal" and (kind != "bytes" or schema.get("scale") != wire.AMOUNT_SCALE):
        raise Unresolvable(path, f"our amounts are bytes of scale {wire.AMOUNT_SCALE}")
    found = _WRITTEN.get(kind if unit in (None, "uuid") else unit)
    if found is None:
        raise Unresolvable(path, f"our structs hold no {unit or kind}")
    return (found[0], path, *found[1:])
