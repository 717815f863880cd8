"""What was measured: figures, their table, and the JSON that machines read."""

import json
import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import psutil
from rich.console import Console
from rich.table import Table

from tests.bench.ground import CORES, OURS, SERVERS


@dataclass(frozen=True, slots=True)
class Figure:
    """One bench's result. CPU times are the measured process's and the broker's. `more` has what is special."""

    bench: str
    records: int
    seconds: float
    how: str
    cpu_us_per_record: float | None = None
    kafka_cpu_us_per_record: float | None = None
    more: Mapping[str, Any] = field(default_factory=dict)

    @property
    def records_per_second(self) -> float:
        """The rate."""
        return self.records / self.seconds


@dataclass(frozen=True, slots=True)
class Ratio:
    """Two figures of the same run compared. `goal` is what we reach for."""

    name: str
    value: float
    goal: float


def ratios(figures: Sequence[Figure]) -> list[Ratio]:
    """Those whose two figures were measured in this run."""
    rates = {figure.bench: figure.records_per_second for figure in figures}
    wanted = [
        ("fold: ours / Faust", "fold", "fold by Faust", 15.0),
        ("Postgres: sink / raw", "Postgres sink", "raw COPY and upsert", 0.6),
    ]
    return [
        Ratio(name, rates[ours] / rates[theirs], goal)
        for name, ours, theirs, goal in wanted
        if ours in rates and theirs in rates
    ]


def show(console: Console, figures: Sequence[Figure]) -> None:
    """The table, and how it was measured, are on the console."""
    table = Table(title="Measured on this machine, in this run", title_justify="left")
    table.add_column("bench")
    for column in ("records", "seconds", "records/s", "CPU µs/record", "Kafka's"):
        table.add_column(column, justify="right")
    for figure in figures:
        table.add_row(
            figure.bench,
            f"{figure.records:,}",
            f"{figure.seconds:.1f}",
            f"{figure.records_per_second:,.0f}",
            _short(figure.cpu_us_per_record),
            _short(figure.kafka_cpu_us_per_record),
        )
    console.print(table)
    for figure in figures:
        console.print(f"[bold]{figure.bench}[/]: {figure.how}", highlight=False)
    for ratio in ratios(figures):
        console.print(f"{ratio.name}: {ratio.value:.2f} (goal {ratio.goal:g})")
    console.print(placement(), style="dim")


def _short(cpu_us: float | None) -> str:
    return "" if cpu_us is None else f"{cpu_us:.1f}"


def placement() -> str:
    """Which process ran where."""
    if len(CORES) < 2:
        return "One core: servers and what is measured share it."
    return (
        f"Kafka, the registry and Postgres ran on core {SERVERS[0]}, everything that is measured on core {OURS[0]}: "
        "one core each, however many there are."
    )


def write(path: Path, figures: Sequence[Figure]) -> None:
    """The file holds every figure, every ratio and the machine."""
    found = {
        "machine": {
            "processor": platform.processor() or platform.machine(),
            "cores": os.cpu_count(),
            "memory_bytes": psutil.virtual_memory().total,
            "system": platform.platform(),
            "python": platform.python_version(),
            "placement": placement(),
        },
        "benches": [_row(figure) for figure in figures],
        "ratios": [asdict(ratio) for ratio in ratios(figures)],
    }
    path.write_text(json.dumps(found, indent=2) + "\n")


def _row(figure: Figure) -> dict[str, Any]:
    row = asdict(figure)
    return {
        **{k: v for k, v in row.items() if k != "more"},
        **figure.more,
        "records_per_second": figure.records_per_second,
    }
