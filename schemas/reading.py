"""Avro bytes straight into a struct: a reader compiled once per pair of writer's schema and struct.

Each pair becomes one Python function without intermediate dicts: more than twice as fast as fastavro and
msgspec.convert. Its text holds only names made up here and attribute names of our own structs, nothing from a
writer's schema.
"""

import copy
from collections.abc import Callable
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

SOURCE = "<avro reader>"
START = 5
"""The record begins behind the framing: a zero and four bytes of schema id."""
DEPTH_MAX = 18
"""Python allows twenty nested loops."""
_SIZES = {"boolean": 1, "float": 4, "double": 8}
_NUMBERS: dict[str | None, Callable[[bytes, int], tuple[int, int]]] = {
    "timestamp-micros": wire.read_instant,
    "timestamp-millis": wire.bounded(wire.INSTANT_MIN, wire.INSTANT_MAX, "an instant", 1000),
    "date": wire.read_date,
}


class Reader:
    """`read(value)` is the struct in a framed record; `paths[n]` is the field that line n + 1 reads."""

    def __init__(self, writer: Schema, reader: Schema, struct: type) -> None:
        """Raises Unresolvable, naming the field, where the writer's schema cannot be read as the reader's."""
        lines = _Lines(Types(writer), Types(reader))
        lines.add("", "def read(b):", 0)
        lines.add("", f"p={START}", 1)
        result = lines.value(writer, reader, struct, "", 1)
        lines.add("", "if p!=len(b):ended(b,p)", 1)
        lines.add("", f"return {result}", 1)
        exec(compile("\n".join(lines.text), SOURCE, "exec"), lines.names)  # noqa: S102
        self.read: Callable[[bytes | None], Any] = lines.names["read"]
        self.paths = lines.paths


class _Lines:
    """The function in the making. `value` adds the lines that read one value; its answer names the result."""

    def __init__(self, writers: Types, readers: Types) -> None:
        self.text: list[str] = []
        self.paths: list[str] = []
        self._writers = writers
        self._readers = readers
        self.names: dict[str, Any] = {
            "L": wire.LENGTHS,
            "Z": wire.LONGS,
            "B": {0: False, 1: True},
            "length": wire.read_length,
            "block": wire.read_block,
            "ended": _ended,
            "refuse": _refuse,
            "deepcopy": copy.deepcopy,
        }
        self._count = 0

    def add(self, path: str, line: str, depth: int) -> None:
        self.text.append(" " * depth + line)
        self.paths.append(path)

    def value(self, writer: Schema, ours: Schema | None, shape: Any, path: str, depth: int) -> str:
        """Without `ours` the value is only passed over."""
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
        if r is None:
            return self._passed(w, path, depth)
        return self._scalar(w, r, path, depth)

    def _union(self, w: Schema, r: Schema | None, shape: Any, path: str, depth: int) -> str:
        target, fits, why = self._new(), 0, None
        for index, branch in enumerate(w):
            self.add(path, f"{'elif' if index else 'if'} b[p]=={2 * index}:", depth)
            mark = len(self.text)
            self.add(path, "p+=1", depth + 1)
            try:
                found = self.value(branch, r, shape, path, depth + 1)
            except Unresolvable as error:
                why = error
                del self.text[mark:], self.paths[mark:]
                found = "refuse('a kind of value that our schema does not have here')"
            else:
                fits += 1
            self.add(path, f"{target}={found}", depth + 1)
        if why and not fits:
            raise why
        self.add(path, "else:refuse('a branch that the union does not have')", depth)
        return target

    def _into_union(self, w: Schema, r: Schema, shape: Any, path: str, depth: int) -> str:
        """The first of our branches that can hold the writer's value."""
        why = Unresolvable(path, "our union has no branch")
        for branch in r:
            mark = len(self.text)
            try:
                return self.value(w, branch, shape, path, depth)
            except Unresolvable as error:
                why = error
                del self.text[mark:], self.paths[mark:]
        raise why

    def _record(self, w: Schema, r: Schema | None, struct: Any, path: str, depth: int) -> str:
        if r is not None:
            check_kinds(w, r, path)
            check_names(w, r, path)
        members = members_of(struct) if r is not None else {}
        read: dict[str, str] = {}
        with self._writers.inside(w, path):
            for field in w["fields"]:
                ours = ours_for(field["name"], r) if r is not None else None
                name = ours["name"] if ours else field["name"]
                shape = members[name][1] if ours else None
                found = self.value(field["type"], ours and ours["type"], shape, under(path, name), depth)
                read[name] = found
        if r is None:
            return "None"
        target = self._new()
        arguments = ",".join(self._argument(field, members, read, path) for field in r["fields"])
        self.add(path, f"{target}={self._constant(struct)}({arguments})", depth)
        return target

    def _argument(self, field: Schema, members: Any, read: dict[str, str], path: str) -> str:
        attribute, shape = members[field["name"]]
        found = read.get(field["name"])
        return f"{attribute}={found or self._default(field, shape, under(path, field['name']))}"

    def _default(self, field: Schema, shape: Any, path: str) -> str:
        if "default" not in field:
            raise Unresolvable(path, "the writer does not have this field and ours has no default")
        value = default_of(field["default"], field["type"], shape, self._readers)
        name = self._constant(value)
        return f"deepcopy({name})" if isinstance(value, list | dict) else name

    def _blocks(self, w: Schema, r: Schema | None, shape: Any, path: str, depth: int) -> str:
        if r is not None:
            check_kinds(w, r, path)
        is_map = kind_of(w) == "map"
        inner = "values" if is_map else "items"
        if not is_map and is_empty(w[inner], self._writers):
            raise Unresolvable(path, "nothing bounds an array of empty items")
        target = self._new()
        self.add(path, f"{target}={'{}' if is_map else '[]'}", depth)
        self.add(path, "while True:", depth)
        self.add(path, "n=L[b[p]];p+=1", depth + 1)
        self.add(path, "if n<0:n,p=block(b,p-1)", depth + 1)
        self.add(path, "if not n:break", depth + 1)
        self.add(path, "for _ in range(n):", depth + 1)
        key = self._text(path, depth + 2) if is_map else ""
        item = item_of(shape) if r is not None else None
        found = self.value(w[inner], r and r[inner], item, path, depth + 2)
        self.add(path, f"{target}[{key}]={found}" if is_map else f"{target}.append({found})", depth + 2)
        return target

    def _passed(self, w: Schema, path: str, depth: int) -> str:
        kind = kind_of(w)
        if kind in ("string", "bytes"):
            self._length(path, depth)
            self.add(path, "p+=n", depth)
        elif kind in ("int", "long", "enum"):
            self.add(path, f"_,p={self._constant(wire.read_long)}(b,p)", depth)
        elif kind != "null":
            self.add(path, f"p+={_SIZES.get(kind) or w['size']}", depth)
        return "None"

    def _scalar(self, w: Schema, r: Schema, path: str, depth: int) -> str:
        check_kinds(w, r, path)
        check_units(w, r, path)
        if unit_of(r) == "decimal":
            return self._amount(w, r, path, depth)
        kind = kind_of(w)
        if kind in ("string", "bytes"):
            return self._text(path, depth, "" if kind_of(r) == "bytes" else ".decode()")
        if kind in ("int", "long"):
            return self._number(w, r, path, depth)
        if kind == "enum":
            return self._symbol(w, r, path, depth)
        return self._fixed_size(w, r, path, depth)

    def _amount(self, w: Schema, r: Schema, path: str, depth: int) -> str:
        if r.get("scale", 0) != wire.AMOUNT_SCALE:
            raise Unresolvable(path, f"our amounts have scale {wire.AMOUNT_SCALE}")
        if kind_of(w) == "fixed":
            self.add(path, f"n={w['size']}", depth)
        else:
            self._length(path, depth)
        target = self._new()
        self.add(path, f"{target}={self._constant(wire.amounts(w.get('scale', 0)))}[b[p:(p:=p+n)]]", depth)
        return target

    def _text(self, path: str, depth: int, decode: str = ".decode()") -> str:
        target = self._new()
        self._length(path, depth)
        self.add(path, f"{target}=b[p:(p:=p+n)]{decode}", depth)
        return target

    def _length(self, path: str, depth: int) -> None:
        self.add(path, "n=L[b[p]];p+=1", depth)
        self.add(path, "if n<0:n,p=length(b,p-1)", depth)

    def _number(self, w: Schema, r: Schema, path: str, depth: int) -> str:
        read = _NUMBERS.get(unit_of(r) and unit_of(w)) or (
            wire.read_int if kind_of(w) == "int" else wire.read_long
        )
        target = self._new()
        if kind_of(r) in ("float", "double"):
            self.add(path, f"{target},p={self._constant(read)}(b,p);{target}=float({target})", depth)
            return target
        if unit_of(w) == "timestamp-millis":
            self.add(path, f"{target},p={self._constant(read)}(b,p)", depth)
            return target
        self.add(path, f"{target}=Z[b[p]];p+=1", depth)
        self.add(path, f"if {target} is None:{target},p={self._constant(read)}(b,p-1)", depth)
        return target

    def _symbol(self, w: Schema, r: Schema, path: str, depth: int) -> str:
        check_names(w, r, path)
        known = {
            i: symbol if symbol in r["symbols"] else r.get("default") for i, symbol in enumerate(w["symbols"])
        }
        known = {i: symbol for i, symbol in known.items() if symbol is not None}
        target = self._new()
        self.add(path, f"{target},p={self._constant(wire.read_long)}(b,p)", depth)
        self.add(path, f"{target}={self._constant(known)}[{target}]", depth)
        return target

    def _fixed_size(self, w: Schema, r: Schema, path: str, depth: int) -> str:
        kind = kind_of(w)
        if kind == "null":
            return "None"
        target = self._new()
        if kind == "boolean":
            self.add(path, f"{target}=B[b[p]];p+=1", depth)
        elif kind == "fixed":
            check_names(w, r, path)
            self.add(path, f"{target}=b[p:p+{w['size']}];p+={w['size']}", depth)
        else:
            read = wire.read_double if kind == "double" else wire.read_float
            self.add(path, f"{target},p={self._constant(read)}(b,p)", depth)
        return target

    def _new(self) -> str:
        self._count += 1
        return f"v{self._count}"

    def _constant(self, value: Any) -> str:
        """A name that stands for the value inside the function."""
        self._count += 1
        name = f"c{self._count}"
        self.names[name] = value
        return name


def _ended(b: bytes, p: int) -> None:
    if p > len(b):
        raise wire.Cut("the bytes end before the record does")
    raise wire.Trailing("bytes follow the record")


def _refuse(what: str) -> None:
    raise wire.Misfit(what)
