"""What the comparison of engines computes from what it saw. The engines themselves run in `make bench-engines`."""

import json
from collections import Counter
from itertools import islice
from math import isclose
from pathlib import Path

from tests.bench.engines import report, restores
from tests.bench.engines.contestants import CONTESTANTS
from tests.bench.engines.keys import SIZES, SPREAD, drawn
from tests.bench.engines.measuring import latencies
from tests.bench.engines.report import Row
from tests.bench.engines.tail import Seen


def row(name: str, rate: float) -> Row:
    (contestant,) = (each for each in CONTESTANTS if each.name == name)
    return Row(contestant, rate, 10.0, 1.0, 0.5, 100.0, 1_000.0, [(1.0, 1.0), (3.0, 2.0)])


def test_an_output_tells_the_latency_of_every_record_that_it_counts() -> None:
    stamps = {"a": [10.0, 10.5, 12.0], "b": [11.0]}
    seen = [
        Seen(at=11.0, taken_at=10.75, key="a", before=5, after=7),
        Seen(at=12.5, taken_at=12.25, key="a", before=7, after=8),
        Seen(at=11.25, taken_at=11.0, key="b", before=0, after=1),
    ]
    found = latencies(seen, stamps, {"a": 5}, since=10.25)
    assert list(found) == [(500.0, 250.0), (500.0, 250.0), (250.0, 0.0)]


def test_zipf_draws_each_rank_as_often_as_it_should() -> None:
    size, draws = 1_000, 400_000
    counts = Counter(islice(drawn(size), draws))
    harmonic = sum(1 / rank for rank in range(1, size + 1))
    for rank in (1, 2, 10, 100):
        expected = draws / rank / harmonic
        assert isclose(counts[f"k{rank * SPREAD % size}"], expected, abs_tol=3 * expected**0.5)
    assert set(counts) <= {f"k{key}" for key in range(size)}


def test_ranks_are_spread_over_all_keys() -> None:
    assert all(SPREAD % prime for prime in (2, 5)), "sizes are powers of ten"
    assert max(SIZES) < SPREAD


def test_ours_is_compared_with_the_rows_that_the_goals_name() -> None:
    rows = [
        row("vaart-rocksdb", 80_000),
        row("vaart-memory", 999_999),
        row("faust", 2_000),
        row("quix-at-least-once", 1),
        row("quix-exactly-once", 20_000),
        row("streams-exactly-once-v2-cache-on", 100_000),
        row("streams-exactly-once-v2-cache-off", 1),
    ]
    assert [line.rsplit(": ")[1].split()[0] for line in report.ratios(rows)] == ["40.00", "4.00", "0.80"]


def test_the_file_holds_a_list_of_rows(tmp_path: Path) -> None:
    report.write(tmp_path / "engines.json", [row("faust", 2_000)])
    (found,) = json.loads((tmp_path / "engines.json").read_text())
    assert list(found) == [
        "engine", "guarantee", "store", "cache", "records_per_second", "cpu_us_per_record", "peak_mb",
        "recovery_per_second", "p50_ms", "p99_ms",
    ]  # fmt: skip
    assert (found["cache"], found["p50_ms"]) == (None, 2.0)


def test_each_engine_says_how_long_its_restore_took() -> None:
    assert restores.ours('{"event": "x"}\n{"lanes": [0], "restore_s": 1.5, "event": "lanes_ready"}\n') == 1.5
    first = "[2026-01-01 00:00:00,250] [INFO] Beginning recovery check...\n"
    last = "[2026-01-01 00:00:02,000] [INFO] Recovery process complete! Resuming normal processing...\n"
    assert restores.quix(first) is None
    assert restores.quix(first + first.replace(":00,", ":01,") + last) == 1.75
    assert restores.streams("restored 9 1000 2000\n" * 3) is None
    assert restores.streams("restored 9 1000 2000\n" * 3 + "restored 9 1500 4000\n") == 3.0
