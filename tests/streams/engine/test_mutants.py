"""The storm notices every way of breaking the engine that we know of. Those of a real Kafka are in tests/torture."""

import subprocess
import sys

import pytest

from tests.streams.engine.mutants import MUTANTS

SEEDS = "300"


def storm_on(name: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "tests.streams.engine.mutants", name, SEEDS]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("name", [name for name, mutant in MUTANTS.items() if mutant.storms])
def test_the_storm_notices(name: str) -> None:
    ended = storm_on(name)
    assert ended.returncode == 1, f"{name} went unnoticed\n{ended.stderr}"
    assert "does not hold exactly once" not in ended.stderr
    assert "Violated" in ended.stdout, ended.stdout + ended.stderr[-2000:]
