"""What our engine spends on a record, and on a key that a commit touched, as the number of keys grows.

The store holds every key before the clock starts: each was sent once. Then records come whose keys are drawn by Zipf
with exponent 1: the key of rank r is r times as rare as the first.
"""

import math
import random
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import cycle

from rich.console import Console
from rich.table import Table

from streams.engine.heads import YOUNG_BYTES_MAX
from streams.engine.intake import BATCH_RECORDS_MAX
from streams.engine.rocks_store import BLOCK_CACHE_BYTES, WRITE_BUFFER_BYTES
from tests.bench.engines.contestants import CONTESTANTS
from tests.bench.engines.load import Keyed, clear, site
from tests.bench.engines.tail import Tail
from tests.bench.ground import OURS, Ground, Onlooker, on, running, wait_for
from tests.bench.outputs import warm
from tests.bench.page_views import SEED, publish

SIZES = (10_000, 100_000, 1_000_000, 10_000_000)
QUICK_SIZES = (10_000, 100_000)
SPREAD = 2_654_435_761
"""A prime above every size: rank r is key r * SPREAD modulo the size, so that frequent keys are not neighbours."""
GOAL = 1.5
PATIENCE_S = 1_200.0


@dataclass(frozen=True, slots=True)
class Cost:
    """What one size came to, after the warm-up. Outputs are touched (key, commit) pairs."""

    keys: int
    records: int
    outputs: int
    seconds: float
    cpu_us_per_record: float
    peak_mb: float

    @property
    def cpu_us_per_output(self) -> float:
        """The process's CPU time per touched key and commit."""
        return self.cpu_us_per_record * self.records / self.outputs


def run(ground: Ground, records: Sequence[Keyed]) -> Iterator[Cost]:
    """The cost at each size, over as many records as are given; of those only the values are used."""
    for size in QUICK_SIZES if ground.is_quick else SIZES:
        yield _cost(ground, size, records)


def show(console: Console, costs: Sequence[Cost]) -> None:
    """The table, and how far the dearest size is from the cheapest."""
    table = Table(title="Ours, by number of keys (Zipf, exponent 1)", title_justify="left")
    for name in ("keys", "records/s", "touched/record", "CPU µs/record", "CPU µs/touched", "peak MB"):
        table.add_column(name, justify="right")
    for cost in costs:
        table.add_row(
            f"{cost.keys:,}",
            f"{cost.records / cost.seconds:,.0f}",
            f"{cost.outputs / cost.records:.2f}",
            f"{cost.cpu_us_per_record:.1f}",
            f"{cost.cpu_us_per_output:.1f}",
            f"{cost.peak_mb:.0f}",
        )
    console.print(table)
    each = [cost.cpu_us_per_output for cost in costs]
    console.print(f"dearest / cheapest touched key: {max(each) / min(each):.2f} (goal {GOAL:g})")
    console.print(
        f"batches of at most {BATCH_RECORDS_MAX:,} records; heads cached in {2 * YOUNG_BYTES_MAX >> 20} MB a lane; "
        f"RocksDB: {BLOCK_CACHE_BYTES >> 20} MB of block cache, buffers of {WRITE_BUFFER_BYTES >> 20} MB",
        highlight=False,
    )


def _cost(ground: Ground, size: int, records: Sequence[Keyed]) -> Cost:
    at = site(ground, f"keys-{size}.")
    process = CONTESTANTS[0].process(at)
    values = [value for _, value in records]
    with on(OURS):
        publish(ground, at.input, zip((f"k{key}" for key in range(size)), cycle(values), strict=False))
    with (
        running(ground, f"keys-{size}", process.command, process.environment) as service,
        closing(Onlooker(ground, process.group, at.input)) as group,
    ):
        wait_for("loading", lambda: group.committed() >= size, [service], patience_s=PATIENCE_S)
        with closing(Tail(ground, process.output, already=1)) as tail:
            publish(ground, at.input, zip(drawn(size), values, strict=False))
            until = size + len(values)
            wait_for("folding", lambda: group.committed() >= until, [service], patience_s=PATIENCE_S)
            seen = tail.follow(lambda: tail.totals.counted >= len(values), PATIENCE_S)
        stretch = warm([(round(each.taken_at * 1_000), each.after - each.before) for each in seen])
        outputs = sum(each.taken_at >= stretch.start for each in seen)
        cpu_us, peak = stretch.cpu_us(service.meter), service.meter.memory_bytes_max / 1e6
    clear(at)
    return Cost(size, stretch.records, outputs, stretch.seconds, cpu_us, peak)


def drawn(size: int) -> Iterator[str]:
    """Keys by Zipf with exponent 1, exactly: rejection-inversion (Hörmann and Derflinger, 1996), where H is ln."""
    chance = random.Random(SEED)
    low, high = math.log(1.5) - 1, math.log(size + 0.5)
    while True:
        drawn = chance.uniform(low, high)
        rank = min(size, max(1, round(math.exp(drawn))))
        if drawn >= math.log(rank + 0.5) - 1 / rank:
            yield f"k{rank * SPREAD % size}"
