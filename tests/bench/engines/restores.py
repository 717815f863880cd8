"""How long an engine says that its restore took, from the first record it asked for to readiness."""

import json
import re
from datetime import UTC, datetime

from tests.bench.ground import PARTITIONS

STAMPED = re.compile(r"\[(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3})\]")
RESTORED = re.compile(r"^restored \d+ (\d+) (\d+)$", re.MULTILINE)


def ours(printed: str) -> float | None:
    """Seconds of the first assignment, which opens every lane: its log line `lanes_ready`. None until it is there."""
    for line in printed.splitlines():
        if '"lanes_ready"' in line:
            return float(json.loads(line)["restore_s"])
    return None


def faust(printed: str) -> float | None:
    """Seconds between two of its log lines."""
    return _between(printed, "Restoring state from changelog topics", "Done reading from changelog topics")


def quix(printed: str) -> float | None:
    """Seconds between two of its log lines."""
    return _between(printed, "Beginning recovery check", "Recovery process complete")


def streams(printed: str) -> float | None:
    """Seconds from the first partition's begin to the last one's end, as its StateRestoreListener was told."""
    found = [(int(began), int(ended)) for began, ended in RESTORED.findall(printed)]
    if len(found) < PARTITIONS:
        return None
    return (max(ended for _, ended in found) - min(began for began, _ in found)) / 1_000


def _between(printed: str, first: str, last: str) -> float | None:
    begins, ends = _moments(printed, first), _moments(printed, last)
    return (ends[-1] - begins[0]).total_seconds() if begins and ends else None


def _moments(printed: str, phrase: str) -> list[datetime]:
    return [
        datetime.strptime(found[1], "%Y-%m-%d %H:%M:%S,%f").replace(tzinfo=UTC)
        for line in printed.splitlines()
        if phrase in line and (found := STAMPED.search(line))
    ]
