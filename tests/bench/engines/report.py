"""What was measured of the engines: the table, the ratios, and the JSON that machines read."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import quantiles
from typing import Any, NamedTuple

from rich.console import Console
from rich.table import Table

from tests.bench.engines.contestants import (
    CACHE_ON,
    EXACTLY,
    EXACTLY_V2,
    FAUST,
    OURS,
    QUIX,
    ROCKSDB,
    STREAMS,
    Contestant,
)
from tests.bench.figures import placement


@dataclass(frozen=True, slots=True)
class Row:
    """One contestant's figures. `late`: per record, ms until a committed reader had its effect, and the broker."""

    contestant: Contestant
    records_per_second: float
    cpu_us_per_record: float
    kafka_us_per_record: float
    outputs_per_record: float
    peak_mb: float
    recovery_per_second: float
    late: Sequence[tuple[float, float]]

    def percentile(self, percent: int, column: int = 0) -> float:
        """Of the time to a committed reader, or (column 1) to the broker, in ms."""
        return quantiles([late[column] for late in self.late], n=100)[percent - 1]

    def figures(self) -> dict[str, Any]:
        """As in the JSON file."""
        return {
            "engine": self.contestant.engine,
            "guarantee": self.contestant.guarantee,
            "store": self.contestant.store,
            "cache": self.contestant.cache,
            "records_per_second": round(self.records_per_second),
            "cpu_us_per_record": round(self.cpu_us_per_record, 2),
            "peak_mb": round(self.peak_mb),
            "recovery_per_second": round(self.recovery_per_second),
            "p50_ms": round(self.percentile(50), 1),
            "p99_ms": round(self.percentile(99), 1),
        }


class Comparison(NamedTuple):
    """Ours against a peer's row: what we reach for, and what is the least."""

    name: str
    engine: str
    guarantee: str | None
    cache: str | None
    goal: float
    floor: float


COMPARISONS = (
    Comparison("ours / Faust", FAUST, None, None, 40, 20),
    Comparison("ours / Quix Streams exactly once", QUIX, EXACTLY, None, 3, 2),
    Comparison("ours / Kafka Streams exactly once v2, cache on", STREAMS, EXACTLY_V2, CACHE_ON, 1, 0.5),
)
COLUMNS = (
    "records/s",
    "CPU µs/record",
    "Kafka's",
    "outputs/record",
    "peak MB",
    "recovery/s",
    "p50 ms",
    "p99 ms",
    "appended p50",
    "p99",
)


def show(console: Console, rows: Sequence[Row]) -> None:
    """The table, how each engine was set up, and the ratios are on the console."""
    table = Table(title="The same work by each engine, in this run", title_justify="left")
    for name in ("engine", "guarantee", "store", "cache"):
        table.add_column(name)
    for name in COLUMNS:
        table.add_column(name, justify="right")
    for row in rows:
        table.add_row(*_cells(row))
    console.print(table)
    for row in rows:
        console.print(f"[bold]{row.contestant.name}[/]: {row.contestant.how}", highlight=False)
    for line in ratios(rows):
        console.print(line)
    console.print(placement(), style="dim")


def ratios(rows: Iterable[Row]) -> list[str]:
    """Those whose two rows were measured in this run."""
    found = list(rows)
    ours = [row for row in found if (row.contestant.engine, row.contestant.store) == (OURS, ROCKSDB)]
    return [
        f"{each.name}: {mine.records_per_second / row.records_per_second:.2f} "
        f"(goal {each.goal:g}, floor {each.floor:g})"
        for each in COMPARISONS
        for mine in ours
        for row in found
        if _is_meant(each, row.contestant)
    ]


def write(path: Path, rows: Iterable[Row]) -> None:
    """The file holds a list of one object a row."""
    path.write_text(json.dumps([row.figures() for row in rows], indent=2) + "\n")


def _is_meant(wanted: Comparison, peer: Contestant) -> bool:
    return (
        peer.engine == wanted.engine
        and wanted.guarantee in (None, peer.guarantee)
        and wanted.cache in (None, peer.cache)
    )


def _cells(row: Row) -> list[str]:
    peer = row.contestant
    return [
        peer.engine,
        peer.guarantee,
        peer.store,
        peer.cache or "",
        f"{row.records_per_second:,.0f}",
        f"{row.cpu_us_per_record:.1f}",
        f"{row.kafka_us_per_record:.1f}",
        f"{row.outputs_per_record:.2f}",
        f"{row.peak_mb:.0f}",
        f"{row.recovery_per_second:,.0f}",
        *(f"{row.percentile(percent, column):,.0f}" for column in (0, 1) for percent in (50, 99)),
    ]
