"""Readers and writers of records: the compiled codec where it was built, one Python function each where not."""

from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any

from schemas.plans import read_plan, write_plan
from schemas.reading import PythonReader
from schemas.resolution import Schema
from schemas.writing import PythonWriter

compiled: Any
try:
    compiled = import_module("schemas._avro")
except ImportError:
    compiled = None

FRAME_BYTES = 5
"""A record begins behind its framing: a zero and four bytes of schema id."""

KIND = "Python (no working C compiler was found when vaart was installed)" if compiled is None else "compiled"
"""Which codec runs, in words."""


class Reader:
    """`read(value)` is the struct in a framed record. What it raises has a `path`, or a line that `paths` tells."""

    paths: Sequence[str] = ()

    def __init__(self, writer: Schema, reader: Schema, struct: type) -> None:
        """Raises Unresolvable, naming the field, where the writer's schema cannot be read as the reader's."""
        plan = read_plan(writer, reader, struct)
        self.read: Callable[[Any], Any]
        if compiled is not None:
            self.read = compiled.Reader(plan, FRAME_BYTES).read
            return
        made = PythonReader(plan, FRAME_BYTES)
        self.read, self.paths = made.read, made.paths


class Writer:
    """`write(struct)` is the record behind `frame`. What it raises has a `path`, or a line that `paths` tells."""

    paths: Sequence[str] = ()

    def __init__(self, schema: Schema, struct: type, frame: bytes) -> None:
        """Raises Unresolvable where the schema has what our structs do not."""
        plan = write_plan(schema, struct)
        self.write: Callable[[Any], bytes]
        if compiled is not None:
            self.write = compiled.Writer(plan, frame).write
            return
        made = PythonWriter(plan, frame)
        self.write, self.paths = made.write, made.paths
