"""The storm over the sample view: each seed is a run, and a failing one can be run again."""

import os
import subprocess
import sys

import pytest

from streams.engine import pages
from streams.engine.testing.storm import storm

SEEDS = int(os.environ.get("SEEDS", "300"))
GROUPS = 10
POINTS = (
    "before_begin", "after_outputs", "before_commit", "after_commit", "after_store", "during_restore", "during_revoke",
)  # fmt: skip


@pytest.mark.parametrize("group", range(GROUPS))
def test_no_storm_breaks_a_promise(group: int) -> None:
    for seed in range(group, SEEDS, GROUPS):
        storm(seed)


def test_storms_have_all_that_can_go_wrong() -> None:
    trace: list[str] = []
    for seed in range(60):
        storm(seed, trace)
    seen = {line.strip() for line in trace}
    assert {f"crashed {point}" for point in POINTS} <= seen
    assert {f"fault at {step}" for step in ("begin", "send", "commit", "committed")} <= seen
    assert {f"a died, folder {fate}" for fate in ("kept", "older", "lost")} <= seen
    assert {"meanwhile", "registry away", "lost: fenced", "compact", "expire"} <= seen


def test_a_seed_is_a_run_in_every_process() -> None:
    command = [sys.executable, "-m", "streams.engine.testing", "--seed", "7", "--trace"]
    runs = [
        subprocess.run(
            command, capture_output=True, text=True, check=True, env={**os.environ, "PYTHONHASHSEED": seed}
        ).stdout
        for seed in ("1", "2")
    ]
    assert runs[0] == runs[1]
    assert "seed 7: " in runs[0]


def test_a_failing_run_says_how_to_run_it_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "publish_kept", lambda ledger: 1 / 0)
    with pytest.raises(ZeroDivisionError) as failed:
        storm(3)
    assert "--seed 3 --trace" in failed.value.__notes__[0]
