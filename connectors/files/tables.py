"""Tables as they come: a CSV or Parquet file or a data frame, read in batches, each row with its number."""

import csv
import gzip
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TextIO

import pyarrow as pa
import pyarrow.parquet as pq

from connectors.files.forms import TableForm
from vaart.errors import UsageFault

BATCH_ROWS = 20_000
ROW = "vaart:row"
"""The line of a CSV file on which a row begins, else the row's number, from 1."""
FAULT = "vaart:fault"
"""What is wrong with a row as a whole; empty when nothing is."""

_ESCAPED = "surrogateescape"
"""Bytes that are no text stay in their row, which alone is refused for them."""
_TORN = (csv.Error, UnicodeError, EOFError, OSError)


class TornFile(UsageFault):
    """A file ends, or breaks, in the middle."""


class Table(Protocol):
    """A table that can be read from its start, as often as wanted."""

    @property
    def name(self) -> str:
        """What to call it in a report."""

    @property
    def unit(self) -> str:
        """What a row's number counts: `line` or `row`."""

    @property
    def columns(self) -> Sequence[str]:
        """The names of its columns."""

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Its rows in order, with ROW and FAULT. Raises TornFile once all that is whole was handed out."""


def open_table(path: Path, form: TableForm) -> Table:
    """The file's table, by its ending: .csv, .csv.gz, .tsv, .txt or .parquet."""
    if path.suffix == ".parquet":
        return ParquetTable(path)
    if path.suffix in (".csv", ".tsv", ".txt") or path.suffixes[-2:] == [".csv", ".gz"]:
        return CsvTable(path, form)
    raise UsageFault(f"{path}: what is it? Name it .csv, .csv.gz, .tsv, .txt or .parquet")


class FrameTable:
    """A pandas data frame or an Arrow table."""

    unit = "row"

    def __init__(self, name: str, frame: Any) -> None:
        self.name = name
        try:
            self._rows = (
                frame if isinstance(frame, pa.Table) else pa.Table.from_pandas(frame, preserve_index=False)
            )
        except (pa.ArrowException, ValueError) as error:
            raise UsageFault(
                f"the data frame {name} has a column of mixed types: {type(error).__name__}"
            ) from None

    @property
    def columns(self) -> Sequence[str]:
        names: list[str] = self._rows.column_names
        return names

    def batches(self) -> Iterator[pa.RecordBatch]:
        yield from _numbered(self._rows.to_batches(max_chunksize=BATCH_ROWS))


class ParquetTable:
    """A Parquet file."""

    unit = "row"

    def __init__(self, path: Path) -> None:
        self.name = str(path)
        self._path = path

    @property
    def columns(self) -> Sequence[str]:
        with self._open() as file:
            names: list[str] = file.schema_arrow.names
            return names

    def batches(self) -> Iterator[pa.RecordBatch]:
        with self._open() as file:
            yield from _numbered(self._read(file))

    def _read(self, file: pq.ParquetFile) -> Iterator[pa.RecordBatch]:
        rows, batches = 0, file.iter_batches(batch_size=BATCH_ROWS)
        while True:
            try:
                batch = next(batches, None)
            except (pa.ArrowException, OSError) as error:
                raise TornFile(_torn(self.name, f"behind row {rows}", type(error).__name__)) from None
            if batch is None:
                return
            rows += len(batch)
            yield batch

    @contextmanager
    def _open(self) -> Iterator[pq.ParquetFile]:
        try:
            file = pq.ParquetFile(self._path)
        except (pa.ArrowException, OSError) as error:
            if not self._path.exists():
                raise UsageFault(f"{self._path} does not exist") from None
            raise TornFile(_torn(self.name, "before its first row", type(error).__name__)) from None
        with file:
            yield file


@dataclass(frozen=True)
class CsvTable:
    """A text file with a header and one record a row; a field in double quotes may hold anything."""

    path: Path
    form: TableForm
    unit = "line"

    @property
    def name(self) -> str:
        return str(self.path)

    @property
    def columns(self) -> Sequence[str]:
        with self._open() as file:
            return self._header(csv.reader(file, delimiter=self.form.delimiter, strict=True))

    def batches(self) -> Iterator[pa.RecordBatch]:
        with self._open() as file:
            reader = csv.reader(file, delimiter=self.form.delimiter, strict=True)
            header = self._header(reader)
            yield from self._batches(file, reader, header)

    def _batches(self, file: TextIO, reader: Any, header: list[str]) -> Iterator[pa.RecordBatch]:
        lines: list[int] = []
        rows: list[list[str]] = []
        torn = None
        while torn is None:
            line = reader.line_num + 1
            try:
                row = next(reader, None)
            except _TORN as error:
                torn = _torn(self.name, f"in the row that begins on line {line}", _why(error))
                break
            if row is None:
                break
            if not row:
                continue
            lines.append(line)
            rows.append(row)
            if len(rows) == BATCH_ROWS:
                yield _batch(header, lines, rows, self.form.encoding)
                lines, rows = [], []
        if torn is None and rows and len(rows[-1]) < len(header) and not self._ends_with_newline():
            torn = _torn(self.name, f"in line {lines.pop()}", f"{len(rows.pop())} of {len(header)} columns")
        yield _batch(header, lines, rows, self.form.encoding)
        if torn:
            raise TornFile(torn)

    def _ends_with_newline(self) -> bool:
        if self.path.suffix == ".gz":
            return True
        with self.path.open("rb") as file:
            file.seek(-1, 2)
            return file.read(1) in (b"\n", b"\r")

    def _header(self, reader: Any) -> list[str]:
        try:
            header: list[str] | None = next(reader, None)
        except _TORN as error:
            raise TornFile(_torn(self.name, "in its header", _why(error))) from None
        if not header:
            raise UsageFault(f"{self.path} is empty: the first line holds the names of the columns")
        twice = sorted({name for name in header if header.count(name) > 1})
        if twice:
            raise UsageFault(f"{self.path}:1: these columns are there twice: {', '.join(twice)}")
        return header

    @contextmanager
    def _open(self) -> Iterator[TextIO]:
        opened = gzip.open if self.path.suffix == ".gz" else open
        try:
            file: Any = opened(self.path, "rt", encoding=self.form.encoding, newline="", errors=_ESCAPED)
        except LookupError:
            raise UsageFault(
                f"tables: {self.form.encoding} is no encoding: write it like utf-8 or cp1252"
            ) from None
        except OSError as error:
            raise UsageFault(f"{self.path} cannot be read: {error.strerror}") from None
        with file:
            yield file


def _batch(header: list[str], lines: list[int], rows: list[list[str]], encoding: str) -> pa.RecordBatch:
    """A row of another length is filled up, or cut, and marked; so is one with bytes that are no text."""
    width = len(header)
    faults = [
        None if len(row) == width else f"has {len(row)} columns, and the header has {width}" for row in rows
    ]
    fitted = [row if len(row) == width else (row + [""] * width)[:width] for row in rows]
    try:
        arrays = _columns(fitted, width)
    except UnicodeEncodeError:
        for index, row in enumerate(fitted):
            readable = [value.encode("utf-8", "replace").decode() for value in row]
            if readable != row:
                fitted[index] = readable
                faults[index] = (
                    f"holds bytes that are no {encoding}: set the table's encoding, such as cp1252"
                )
        arrays = _columns(fitted, width)
    arrays += [pa.array(lines, pa.int64()), pa.array(faults, pa.string())]
    return pa.RecordBatch.from_arrays(arrays, names=[*header, ROW, FAULT])


def _columns(rows: list[list[str]], width: int) -> list[pa.Array]:
    return [pa.array(column, pa.string()) for column in zip(*rows, strict=True)] or [
        pa.array([], pa.string())
    ] * width


def _numbered(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    done = 0
    for batch in batches:
        numbers = pa.array(range(done + 1, done + 1 + len(batch)), pa.int64())
        done += len(batch)
        arrays = [*batch.columns, numbers, pa.nulls(len(batch), pa.string())]
        yield pa.RecordBatch.from_arrays(arrays, names=[*batch.schema.names, ROW, FAULT])


def _why(error: Exception) -> str:
    return str(error) if isinstance(error, csv.Error) else type(error).__name__


def _torn(name: str, where: str, why: str) -> str:
    return (
        f"{name} is cut or damaged {where} ({why}).\n"
        "Get the whole file and send it again: a repeat does no harm, since the same row has the same event id."
    )
