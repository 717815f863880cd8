"""Rows in another order than they came: those of a group together, and groups by time, whatever the table's size.

DuckDB sorts, within a bound of memory and beyond it on disk.
"""

import tempfile
from collections.abc import Iterator, Sequence

import duckdb
import pyarrow as pa

from connectors.files.tables import BATCH_ROWS, ROW
from vaart.errors import StorageFault, VaartError

MEMORY = "256MB"
DISK = "100GB"
AT = "vaart:at"
"""When a row's event happened, in microseconds; empty where that cannot be said."""

_TIMES = {"min": f'min("{AT}")', "max": f'max("{AT}")', "first": f'arg_min("{AT}", "{ROW}")'}


def arranged(batches: Iterator[pa.RecordBatch], key: Sequence[str], by: str) -> Iterator[pa.RecordBatch]:
    """The same rows: a group's together, in their order.

    Groups come by their first row (`by` is `row`), by their `key`, which is the quickest, or by their time:
    the `min`, the `max` or the `first` AT of their rows. Raises StorageFault when the disk is full.
    """
    first = next(batches, None)
    if first is None:
        return
    ours: list[VaartError] = []
    reader = pa.RecordBatchReader.from_batches(first.schema, _from(first, batches, ours))
    with tempfile.TemporaryDirectory(prefix="vaart-sort-") as folder, _sorter(folder) as sorter:
        try:
            sorter.register("unsorted", reader)
            batched: Iterator[pa.RecordBatch] = sorter.sql(_query(key, by)).to_arrow_reader(BATCH_ROWS)
            yield from batched
        except (duckdb.Error, pa.ArrowException, VaartError) as error:
            raise _what(error, ours) from None


def _from(
    first: pa.RecordBatch, rest: Iterator[pa.RecordBatch], ours: list[VaartError]
) -> Iterator[pa.RecordBatch]:
    """Notes what goes wrong in the reading, which DuckDB would turn into an error of its own."""
    yield first
    try:
        yield from rest
    except VaartError as error:
        ours.append(error)
        raise


def _what(error: Exception, ours: list[VaartError]) -> Exception:
    if ours:
        return ours[0]
    if isinstance(error, duckdb.IOException | duckdb.OutOfMemoryException):
        return StorageFault(
            f"sorting needs more disk than {tempfile.gettempdir()} has ({type(error).__name__})"
        )
    return error


def _sorter(folder: str) -> duckdb.DuckDBPyConnection:
    config: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": MEMORY,
        "temp_directory": folder,
        "max_temp_directory_size": DISK,
        "threads": 2,
    }
    return duckdb.connect(":memory:", config=config)


def _query(key: Sequence[str], by: str) -> str:
    return f"SELECT * FROM unsorted ORDER BY {', '.join([*_orders(key, by), _quoted(ROW)])}"  # noqa: S608


def _orders(key: Sequence[str], by: str) -> list[str]:
    names = ", ".join(_quoted(name) for name in key)
    first_row = f"min({_quoted(ROW)}) OVER (PARTITION BY {names})"
    if by == "key":
        return [_quoted(name) for name in key]
    if by == "row":
        return [first_row] if key else []
    if not key:
        return [f"{_quoted(AT)} NULLS FIRST"]
    return [f"{_TIMES[by]} OVER (PARTITION BY {names}) NULLS FIRST", first_row]


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
