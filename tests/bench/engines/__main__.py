"""`make bench-engines`: the same work by each engine, in one run on one machine, as a table and as JSON.

`python -m tests.bench.engines [--output FILE] [--quick] [--only NAME ...]`
"""

import argparse
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from rich.console import Console

from tests.bench.engines import keys, report
from tests.bench.engines.contestants import CONTESTANTS
from tests.bench.engines.keys import Cost
from tests.bench.engines.load import Keyed, Site, encoded, site
from tests.bench.engines.measuring import measure
from tests.bench.engines.report import Row
from tests.bench.ground import Failed, Ground
from tests.bench.servers import started
from vaart.errors import VaartError

RECORDS, RECORDS_QUICK = 1_000_000, 50_000
SLOW_RECORDS, SLOW_RECORDS_QUICK = 50_000, 10_000
"""For an engine that would take minutes over the others' records."""
KEYS = "keys"

console = Console(width=180)


def main() -> None:
    """Measures what was asked for; exits 1 when something could not be measured."""
    asked = _arguments()
    console.print("starting Kafka and the registry (the first time they are downloaded)")
    with started(asked.quick) as ground:
        records = encoded(site(ground, "load."), RECORDS_QUICK if ground.is_quick else RECORDS)
        rows = list(_measured(ground, asked.only, records))
        costs = list(_by_keys(ground, records)) if KEYS in asked.only else []
    if rows:
        report.show(console, rows)
    if costs:
        keys.show(console, costs)
    if asked.output:
        report.write(asked.output, rows)


def _arguments() -> argparse.Namespace:
    names = (*(contestant.name for contestant in CONTESTANTS), KEYS)
    parser = argparse.ArgumentParser(prog="python -m tests.bench.engines", description=__doc__)
    parser.add_argument("--output", type=Path, help="write JSON to this file too")
    parser.add_argument(
        "--quick", action="store_true", help="few records: to see that it works, not to quote"
    )
    parser.add_argument("--only", nargs="+", choices=names, default=names, metavar="NAME")
    return parser.parse_args()


def _measured(ground: Ground, names: Iterable[str], records: Sequence[Keyed]) -> Iterator[Row]:
    slow = SLOW_RECORDS_QUICK if ground.is_quick else SLOW_RECORDS
    for contestant in CONTESTANTS:
        if contestant.name in names:
            console.print(f"measuring: {contestant.name}")
            began = time.monotonic()
            at: Site = site(ground, f"{contestant.name}.")
            row = measure(at, contestant, records[:slow] if contestant.is_slow else records)
            console.print(f"  {row.records_per_second:,.0f} a second ({time.monotonic() - began:.0f} s)")
            yield row


def _by_keys(ground: Ground, records: Sequence[Keyed]) -> Iterator[Cost]:
    console.print(f"measuring: {KEYS}")
    for cost in keys.run(ground, records):
        console.print(f"  {cost.keys:,} keys: {cost.cpu_us_per_record:.1f} µs a record")
        yield cost


if __name__ == "__main__":
    try:
        main()
    except (Failed, VaartError) as error:
        Console(stderr=True).print(str(error), style="red", markup=False, highlight=False)
        sys.exit(1)
