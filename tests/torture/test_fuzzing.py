"""The Avro readers and every channel under a fuzzer that is led by the lines it reaches: FUZZ_S seconds each."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.torture.conftest import Report

pytest.importorskip("atheris", reason="atheris has no wheel for this machine")

FUZZ_S = int(os.environ.get("FUZZ_S", "300"))
SLOW_S, MEMORY_MB_MAX = 20, 3_000
"""One input that takes longer, or makes more of memory, is a finding."""

pytestmark = [pytest.mark.torture, pytest.mark.timeout(2 * FUZZ_S + 120)]


@pytest.mark.parametrize("target", ["records", "requests"])
def test_nothing_that_is_thought_up_breaks_it(target: str, tmp_path: Path, report: Report) -> None:
    limits = (f"-max_total_time={FUZZ_S}", f"-timeout={SLOW_S}", f"-rss_limit_mb={MEMORY_MB_MAX}")
    found = subprocess.run(
        [sys.executable, "-m", "tests.torture.fuzzing", target, *limits, f"-artifact_prefix={tmp_path}/"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert found.returncode == 0, found.stderr[-4_000:]
    told = re.search(r"Done (\d+) runs", found.stderr)
    assert told is not None
    assert int(told[1]) > 0
    report(f"{target}: {int(told[1]):,} inputs in {FUZZ_S} s")
