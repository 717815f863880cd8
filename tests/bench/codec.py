"""Reading and writing the page view: the compiled codec, the Python functions in its place, and fastavro."""

import io
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from fastavro import parse_schema, schemaless_reader, schemaless_writer

from schemas.avsc import schema_of
from schemas.codec import frame
from schemas.coders import FRAME_BYTES, Reader, Writer
from schemas.events.activity import PageViewed
from schemas.plans import read_plan, write_plan
from schemas.reading import PythonReader
from schemas.writing import PythonWriter
from tests.bench.figures import Figure
from tests.bench.ground import Ground
from tests.bench.page_views import page_views, without_units

RECORDS = 5_000
ROUNDS = 20
SCHEMA = schema_of(PageViewed)


def run(_: Ground) -> Iterator[Figure]:
    """Six figures: the best of ROUNDS for each way."""
    events = [event for _, event in page_views(RECORDS)]
    write, read = Writer(SCHEMA, PageViewed, frame(1)).write, Reader(SCHEMA, SCHEMA, PageViewed).read
    plain = parse_schema(without_units(SCHEMA))
    values = [write(event) for event in events]
    rows = [_by_fastavro(plain, value) for value in values]
    python_read = PythonReader(read_plan(SCHEMA, SCHEMA, PageViewed), FRAME_BYTES).read
    python_write = PythonWriter(write_plan(SCHEMA, PageViewed), frame(1)).write
    yield _timed("codec: read", read, values, "Avro bytes into structs")
    yield _timed("codec: write", write, events, "structs into Avro bytes")
    yield _timed("codec in Python: read", python_read, values, "the same by the Python function")
    yield _timed("codec in Python: write", python_write, events, "the same by the Python function")
    yield _timed(
        "fastavro: read", lambda value: _by_fastavro(plain, value), values, "into dicts, no logical types"
    )
    yield _timed(
        "fastavro: write", lambda row: _to_fastavro(plain, row), rows, "from dicts, no logical types"
    )


def _timed(name: str, call: Callable[[Any], Any], values: Sequence[Any], how: str) -> Figure:
    rounds = []
    for _ in range(ROUNDS):
        began = time.process_time()
        for value in values:
            call(value)
        rounds.append(time.process_time() - began)
    best = min(rounds)
    return Figure(name, len(values), best, how, cpu_us_per_record=best / len(values) * 1e6)


def _by_fastavro(schema: Any, value: bytes) -> Any:
    return schemaless_reader(io.BytesIO(value[FRAME_BYTES:]), schema)


def _to_fastavro(schema: Any, row: Any) -> bytes:
    written = io.BytesIO()
    schemaless_writer(written, schema, row)
    return written.getvalue()
