"""Rows that do not fit their mapping: each told once with its reason, kept to be mended, and too many stop the run."""

import csv
import json
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from vaart.errors import StorageFault, UsageFault

REJECTS_MAX = 1_000
REASON_COLUMNS = ("rejected_event", "rejected_where", "rejected_column", "rejected_reason")


@dataclass(frozen=True, slots=True)
class Reject:
    """A row of which no event was made. `values` are the row's own, and may name a person: log the rest only."""

    table: str
    source: str
    row: int
    unit: str
    event: str
    column: str
    reason: str
    values: Mapping[str, Any]

    @property
    def where(self) -> str:
        """`sales.csv line 17`."""
        return f"{self.source} {self.unit} {self.row}"

    def __str__(self) -> str:
        return f"{self.where}: {self.event}: {self.column + ' ' if self.column else ''}{self.reason}"

    def as_json(self) -> bytes:
        """The row's own values."""
        return json.dumps(self.values, default=str, ensure_ascii=False).encode()


Rejected = Callable[[Reject], None]


class TooManyRejects(UsageFault):
    """So many rows do not fit that the mapping or the file must be wrong."""


class Rejects:
    """Counts rejects and passes them on; raises TooManyRejects with the last one over the limit."""

    def __init__(self, rejects_max: int, *tell: Rejected) -> None:
        self.count = 0
        self.reasons: Counter[str] = Counter()
        self._max = rejects_max
        self._tell = tell

    def __call__(self, reject: Reject) -> None:
        for tell in self._tell:
            tell(reject)
        self.count += 1
        self.reasons[f"{reject.event}: {reject.column} {reject.reason}"] += 1
        if self.count > self._max:
            raise TooManyRejects(
                f"more than {self._max} rows do not fit; the last:\n  {reject}\n"
                "Mend the mapping or the file, or allow more with --rejects-max."
            )


class RejectFiles:
    """One CSV a table in a folder: the rows' own columns, to be mended and sent again, and why they were refused."""

    def __init__(self, folder: Path) -> None:
        self.paths: dict[str, Path] = {}
        self._folder = folder
        self._writers: dict[str, Any] = {}
        self._open = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.close()

    def __call__(self, reject: Reject) -> None:
        """Afterwards the row stands in its table's file. Raises StorageFault."""
        try:
            writer = self._writers.get(reject.table) or self._started(reject)
            writer.writerow(
                [*reject.values.values(), reject.event, reject.where, reject.column, reject.reason]
            )
        except OSError as error:
            raise StorageFault(f"{self._folder} cannot be written: {error.strerror}") from None

    def _started(self, reject: Reject) -> Any:
        """The file is for its owner's eyes: the rows may name people."""
        self._folder.mkdir(parents=True, exist_ok=True)
        path = self._folder / f"{reject.table}.csv"
        path.unlink(missing_ok=True)
        path.touch(mode=0o600)
        writer = csv.writer(self._open.enter_context(path.open("w", newline="", encoding="utf-8")))
        writer.writerow([*reject.values, *REASON_COLUMNS])
        self._writers[reject.table], self.paths[reject.table] = writer, path
        return writer
