"""The demo as its user runs it, while every one of its services is killed once."""

import os
import signal
import time
from collections.abc import Iterator

import psutil
import pytest

from connectors.files.complete_journey import Period
from connectors.files.replay import Progress
from deploy.demo import run
from deploy.demo.run import Run
from vaart.cli.services import pipeline
from vaart.settings import Settings

pytestmark = pytest.mark.servers


@pytest.fixture
def prepared(settings: Settings) -> Iterator[Run]:
    made = run.prepare(settings)
    yield made
    run.discard(made)


class Killer:
    """Watches a run, and kills its services one by one: three while events are sent, the rest while tables fill."""

    def __init__(self) -> None:
        self.left = [service.name for service in pipeline()]
        self.killed: list[str] = []
        self._next_at = 0.0

    def stage(self, text: str) -> None: ...

    def sent(self, progress: Progress) -> None:
        if progress.events > 40_000:
            self._kill_one()

    def level(self, reached: int, records: int, behind: int) -> None:
        if records:
            self._kill_one()

    def note(self, text: str) -> None:
        self.killed.append(text.split()[0])

    def _kill_one(self) -> None:
        if not self.left or time.monotonic() < self._next_at:
            return
        kind, _, name = self.left[0].partition("-")
        for child in psutil.Process().children():
            if child.cmdline()[3:5] == [kind, name]:
                os.kill(child.pid, signal.SIGKILL)
                self.left.pop(0)
                self._next_at = time.monotonic() + 1.0


def test_killing_every_service_changes_no_figure(prepared: Run) -> None:
    killer = Killer()
    report = run.perform(prepared, Period(1, 2), killer)
    assert {finding.name: finding.differences for finding in report.findings if finding.differences} == {}
    assert report.totals["baskets"] == 3_301
    assert len(killer.killed) >= 5, killer.killed
