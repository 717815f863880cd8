"""The long proofs: `make torture` runs them, `make test` passes over them. What they measured is printed at the end."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.streams.engine.stormy import Storm, storming
from vaart.addresses import Addresses

FIGURES: list[str] = []

Report = Callable[[str], None]


@pytest.fixture
def storm(servers: Addresses, prefix: str, tmp_path: Path) -> Iterator[Storm]:
    with storming(servers.kafka, prefix, tmp_path) as made:
        yield made


@pytest.fixture
def report(request: pytest.FixtureRequest) -> Report:
    """Notes a line for the page of figures."""

    def note(line: str) -> None:
        FIGURES.append(f"{request.node.name}: {line}")

    return note


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if not FIGURES:
        return
    terminalreporter.section("figures")
    for line in FIGURES:
        terminalreporter.write_line(line)
    if os.environ.get("OUT"):
        Path(os.environ["OUT"]).write_text("\n".join(FIGURES) + "\n")
