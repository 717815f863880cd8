"""A struct straight into Avro bytes: a writer compiled once per struct, four times as fast as fastavro.

Like the reader (reading.py) one Python function, whose text holds only names made up here and attribute names
of our own structs.
"""

from collections.abc import Callable
from typing import Any

from schemas import wire
from schemas.resolution import Schema, Types, Unresolvable, kind_of, unit_of
from schemas.shapes import item_of, members_of, present, under

SOURCE = "<avro writer>"
DEPTH_MAX = 18
"""Python allows twenty nested loops."""

_NAMES: dict[str, Any] = {
    "join": b"".join,
    "size": wire.Kept(wire.varint),
    "amount": wire.Kept(wire.written_amount),
    "instant": wire.written(wire.INSTANT_MIN, wire.INSTANT_MAX),
    "date": wire.written(wire.DATE_MIN, wire.DATE_MAX),
    "int_": wire.written(-wire.INT_END, wire.INT_END - 1),
    "long": wire.written(-wire.LONG_END, wire.LONG_END - 1),
    "boolean": {False: b"\x00", True: b"\x01"},
    "double": wire.written_double,
    "float_": wire.written_float,
}
_TEXT = "size[len(x:={0}.encode())]+x"
_BY_UNIT = {"decimal": "amount[{0}]", "timestamp-micros": "instant[{0}]", "date": "date[{0}]"}
_BY_KIND = {
    "string": _TEXT,
    "bytes": "size[len(x:={0})]+x",
    "int": "int_[{0}]",
    "long": "long[{0}]",
    "boolean": "boolean[{0}]",
    "double": "double({0})",
    "float": "float_({0})",
}


class Writer:
    """`write(struct)` is the record behind `frame`; `paths[n]` is the field that line n + 1 writes."""

    def __init__(self, schema: Schema, struct: type, frame: bytes) -> None:
        """Raises Unresolvable where the schema has what our structs do not."""
        lines = _Lines(Types(schema))
        lines.add("", "def write(s):", 0)
        lines.add("", "if s.__class__ is not struct:other()", 1)
        lines.add("", "o=[frame];a=o.append", 1)
        lines.value(schema, struct, "s", "", 1)
        lines.flush(1)
        lines.add("", "return join(o)", 1)
        names = {**_NAMES, "frame": frame, "struct": struct, "other": _other, "listed": _listed}
        exec(compile("\n".join(lines.text), SOURCE, "exec"), names)  # noqa: S102
        self.write: Callable[[Any], bytes] = names["write"]
        self.paths = lines.paths


class _Lines:
    """The function in the making. Values that need no loop are gathered; `flush` adds them at once."""

    def __init__(self, types: Types) -> None:
        self.text: list[str] = []
        self.paths: list[str] = []
        self._types = types
        self._gathered: list[tuple[str, str]] = []
        self._count = 0

    def add(self, path: str, line: str, depth: int) -> None:
        self.text.append(" " * depth + line)
        self.paths.append(path)

    def flush(self, depth: int) -> None:
        """One line a value, so that a line that fails names its field."""
        if not self._gathered:
            return
        self.add("", "o+=(", depth)
        for path, expression in self._gathered:
            self.add(path, f"{expression},", depth + 1)
        self.add("", ")", depth)
        self._gathered = []

    def value(self, schema: Schema, shape: Any, source: str, path: str, depth: int) -> None:
        """Writes what the expression `source` stands for."""
        if depth > DEPTH_MAX:
            raise Unresolvable(path, "too deep")
        schema = self._types.resolved(schema)
        kind = kind_of(schema)
        if kind == "union":
            self._optional(schema, shape, source, path, depth)
        elif kind == "record":
            self._record(schema, present(shape), source, path, depth)
        elif kind in ("array", "map"):
            self._blocks(schema, shape, source, path, depth)
        else:
            self._gathered.append((path, _scalar(schema, source, path)))

    def _optional(self, schema: Schema, shape: Any, source: str, path: str, depth: int) -> None:
        branches = [self._types.resolved(branch) for branch in schema]
        if len(branches) != 2 or "null" not in branches:
            raise Unresolvable(path, "our unions are null and one type")
        null = branches.index("null")
        absent, there = wire.varint(null), wire.varint(1 - null)
        inner = branches[1 - null]
        if kind_of(inner) not in ("record", "array", "map"):
            scalar = _scalar(inner, "x", path)
            self._gathered.append((path, f"{absent!r} if (x:={source}) is None else {there!r}+{scalar}"))
            return
        self.flush(depth)
        name = self._bound(source, path, depth)
        self.add(path, f"if {name} is None:a({absent!r})", depth)
        self.add(path, "else:", depth)
        self.add(path, f"a({there!r})", depth + 1)
        self.value(inner, shape, name, path, depth + 1)
        self.flush(depth + 1)

    def _record(self, schema: Schema, struct: type, source: str, path: str, depth: int) -> None:
        members = members_of(struct)
        name = source if source.isidentifier() else self._bound(source, path, depth)
        with self._types.inside(schema, path):
            for field in schema["fields"]:
                attribute, shape = members[field["name"]]
                self.value(field["type"], shape, f"{name}.{attribute}", under(path, field["name"]), depth)

    def _blocks(self, schema: Schema, shape: Any, source: str, path: str, depth: int) -> None:
        self.flush(depth)
        is_map = kind_of(schema) == "map"
        name, item = self._bound(source, path, depth), self._new()
        if not is_map:
            self.add(path, f"if {name}.__class__ is not list:listed({name})", depth)
        self.add(path, f"if {name}:", depth)
        self.add(path, f"a(size[len({name})])", depth + 1)
        self.add(path, f"for {f'k,{item} in {name}.items()' if is_map else f'{item} in {name}'}:", depth + 1)
        if is_map:
            self._gathered.append((path, _TEXT.format("k")))
        self.value(schema["values" if is_map else "items"], item_of(shape), item, path, depth + 2)
        self.flush(depth + 2)
        self.add(path, "a(b'\\0')", depth)

    def _bound(self, source: str, path: str, depth: int) -> str:
        name = self._new()
        self.add(path, f"{name}={source}", depth)
        return name

    def _new(self) -> str:
        self._count += 1
        return f"v{self._count}"


def _scalar(schema: Schema, source: str, path: str) -> str:
    kind, unit = kind_of(schema), unit_of(schema)
    if unit == "decimal" and (kind != "bytes" or schema.get("scale") != wire.AMOUNT_SCALE):
        raise Unresolvable(path, f"our amounts are bytes of scale {wire.AMOUNT_SCALE}")
    form = _BY_UNIT.get(unit or "") or (None if unit not in (None, "uuid") else _BY_KIND.get(kind))
    if form is None:
        raise Unresolvable(path, f"our structs hold no {unit or kind}")
    return form.format(source)


def _other() -> None:
    raise wire.Misfit("the writer of another type")


def _listed(value: Any) -> None:
    if not isinstance(value, list | tuple):
        raise wire.Misfit("not a list")
