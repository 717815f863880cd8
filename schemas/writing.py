"""A writing plan as one Python function: what writes records where the compiled codec could not be built.

Like the reader (reading.py) its text holds only names made up here and attribute names of our own structs. It is four
times as fast as fastavro.
"""

from collections.abc import Callable
from typing import Any

from schemas import wire
from schemas.steps import Step, Write

SOURCE = "<avro writer>"

_NAMES: dict[str, Any] = {
    "join": b"".join,
    "size": wire.Kept(wire.varint),
    "amount": wire.Kept(wire.written_amount),
    "boolean": wire.BOOLEANS,
    "double": wire.written_double,
    "float_": wire.written_float,
}
_TEXT = "size[len(x:={0}.encode())]+x"
_FORMS = {
    Write.BOOLEAN: "boolean[{0}]",
    Write.DOUBLE: "double({0})",
    Write.FLOAT: "float_({0})",
    Write.TEXT: _TEXT,
    Write.BYTES: "size[len(x:={0})]+x",
    Write.AMOUNT: "amount[{0}]",
}
_NESTED = frozenset({Write.RECORD, Write.ARRAY, Write.MAP, Write.OPTIONAL})


class PythonWriter:
    """`write(struct)` is the record behind `frame`; `paths[n]` is the field that line n + 1 writes."""

    def __init__(self, plan: Step, frame: bytes) -> None:
        lines = _Lines()
        lines.add("", "def write(s):", 0)
        lines.add("", "if s.__class__ is not struct:other()", 1)
        lines.add("", "o=[frame];a=o.append", 1)
        lines.value(plan, "s", 1)
        lines.flush(1)
        lines.add("", "return join(o)", 1)
        lines.names |= {
            "frame": frame,
            "struct": plan[2],
            "other": _other,
            "listed": _listed,
            "mapped": _mapped,
        }
        exec(compile("\n".join(lines.text), SOURCE, "exec"), lines.names)  # noqa: S102
        self.write: Callable[[Any], bytes] = lines.names["write"]
        self.paths = lines.paths


class _Lines:
    """The function in the making. Values that need no loop are gathered; `flush` adds them at once."""

    def __init__(self) -> None:
        self.text: list[str] = []
        self.paths: list[str] = []
        self.names: dict[str, Any] = dict(_NAMES)
        self._gathered: list[tuple[str, str]] = []
        self._numbers: dict[tuple[int, int], str] = {}
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

    def value(self, step: Step, source: str, depth: int) -> None:
        """Writes what the expression `source` stands for."""
        if step[0] is Write.OPTIONAL:
            self._optional(step, source, depth)
        elif step[0] is Write.RECORD:
            self._record(step, source, depth)
        elif step[0] in _NESTED:
            self._blocks(step, source, depth)
        else:
            self._gathered.append((step[1], self._scalar(step, source)))

    def _scalar(self, step: Step, source: str) -> str:
        if step[0] is not Write.NUMBER:
            return _FORMS[step[0]].format(source)
        bounds = step[2:4]
        if bounds not in self._numbers:
            self._numbers[bounds] = name = f"number{len(self._numbers)}"
            self.names[name] = wire.written(*bounds)
        return f"{self._numbers[bounds]}[{source}]"

    def _optional(self, step: Step, source: str, depth: int) -> None:
        _, path, null, inner = step
        absent, there = wire.varint(null), wire.varint(1 - null)
        if inner[0] not in _NESTED:
            scalar = self._scalar(inner, "x")
            self._gathered.append((path, f"{absent!r} if (x:={source}) is None else {there!r}+{scalar}"))
            return
        self.flush(depth)
        name = self._bound(source, path, depth)
        self.add(path, f"if {name} is None:a({absent!r})", depth)
        self.add(path, "else:", depth)
        self.add(path, f"a({there!r})", depth + 1)
        self.value(inner, name, depth + 1)
        self.flush(depth + 1)

    def _record(self, step: Step, source: str, depth: int) -> None:
        _, path, _, fields = step
        name = source if source.isidentifier() else self._bound(source, path, depth)
        for each, attribute in fields:
            self.value(each, f"{name}.{attribute}", depth)

    def _blocks(self, step: Step, source: str, depth: int) -> None:
        operation, path, inner = step
        self.flush(depth)
        is_map = operation is Write.MAP
        name, item = self._bound(source, path, depth), self._new()
        kind, check = ("dict", "mapped") if is_map else ("list", "listed")
        self.add(path, f"if {name}.__class__ is not {kind}:{check}({name})", depth)
        self.add(path, f"if len({name}):", depth)
        self.add(path, f"a(size[len({name})])", depth + 1)
        self.add(path, f"for {f'k,{item} in {name}.items()' if is_map else f'{item} in {name}'}:", depth + 1)
        if is_map:
            self._gathered.append((path, _TEXT.format("k")))
        self.value(inner, item, depth + 2)
        self.flush(depth + 2)
        self.add(path, "a(b'\\0')", depth)

    def _bound(self, source: str, path: str, depth: int) -> str:
        name = self._new()
        self.add(path, f"{name}={source}", depth)
        return name

    def _new(self) -> str:
        self._count += 1
        return f"v{self._count}"


def _other() -> None:
    raise wire.Misfit("the writer of another type")


def _listed(value: Any) -> None:
    if not isinstance(value, list | tuple):
        raise wire.Misfit("not a list")


def _mapped(value: Any) -> None:
    if not isinstance(value, dict):
        raise wire.Misfit("not a map")
