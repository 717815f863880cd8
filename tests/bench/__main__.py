"""`make bench`: everything that is measured, in one run on one machine, as a table and as JSON.

`python -m tests.bench [--output FILE] [--quick] [--only NAME ...]`
"""

import argparse
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from pathlib import Path

from rich.console import Console

from tests.bench import (
    alarms,
    chain,
    codec,
    engine,
    faust_fold,
    gateway,
    page_views,
    postgres_sink,
    producers,
    raw_read,
    restore,
)
from tests.bench.figures import Figure, show, write
from tests.bench.ground import Failed, Ground
from tests.bench.servers import started
from vaart.errors import VaartError

PAGE_VIEWS, PAGE_VIEWS_QUICK = 500_000, 50_000
FAUST_S, FAUST_QUICK_S = 25.0, 10.0
MOVEMENTS, MOVEMENTS_QUICK = 150_000, 20_000
SALES, SALES_QUICK = 80_000, 5_000
PACED_S, PACED_QUICK_S = 18.0, 6.0

console = Console()


@cache
def _page_views(ground: Ground) -> int:
    """How many page views are in Kafka; the first one to ask has them put there."""
    records = PAGE_VIEWS_QUICK if ground.is_quick else PAGE_VIEWS
    page_views.prepare(ground, records)
    return records


BENCHES: dict[str, Callable[[Ground], Iterable[Figure]]] = {
    "read": lambda ground: raw_read.run(ground, _page_views(ground)),
    "pass": lambda ground: [engine.pass_through(ground, _page_views(ground))],
    "fold": lambda ground: [engine.fold(ground, _page_views(ground))],
    "faust": lambda ground: [
        faust_fold.run(ground, _page_views(ground), FAUST_QUICK_S if ground.is_quick else FAUST_S)
    ],
    "alarms": alarms.run,
    "restore": restore.run,
    "producers": producers.run,
    "codec": codec.run,
    "gateway": gateway.run,
    "sink": lambda ground: postgres_sink.run(ground, MOVEMENTS_QUICK if ground.is_quick else MOVEMENTS),
    "latency": lambda ground: (
        chain.run(ground, SALES_QUICK, PACED_QUICK_S)
        if ground.is_quick
        else chain.run(ground, SALES, PACED_S)
    ),
}


def main() -> None:
    """Measures what was asked for; exits 1 when something could not be measured."""
    asked = _arguments()
    console.print("starting Kafka, the registry and Postgres (the first time they are downloaded)")
    with started(asked.quick) as ground:
        figures = list(_measured(ground, asked.only))
    show(console, figures)
    if asked.output:
        write(asked.output, figures)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--output", type=Path, help="write JSON to this file too")
    parser.add_argument(
        "--quick", action="store_true", help="few records: to see that it works, not to quote"
    )
    parser.add_argument("--only", nargs="+", choices=tuple(BENCHES), default=tuple(BENCHES))
    return parser.parse_args()


def _measured(ground: Ground, names: Iterable[str]) -> Iterator[Figure]:
    for name in names:
        console.print(f"measuring: {name}")
        began = time.monotonic()
        for figure in BENCHES[name](ground):
            spent = time.monotonic() - began
            console.print(f"  {figure.bench}: {figure.records_per_second:,.0f} a second ({spent:.0f} s)")
            yield figure


if __name__ == "__main__":
    try:
        main()
    except (Failed, VaartError) as error:
        Console(stderr=True).print(str(error), style="red", markup=False, highlight=False)
        sys.exit(1)
