"""`vaart run`: which services there are, and that a file of sources starts what its sources need."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.connectors.drops.conftest import MAPPING, sales
from tests.connectors.gateway.running import wait_until
from vaart.cli.services import every_service, pipeline

SOURCES = """\
sources:
  till-haarlem:
    channel: files
    zone: Europe/Amsterdam
    drop: {folder: dropped, pattern: "*.csv", mapping: mapping.yaml, every_s: 1}
"""
STARTS_WITHIN_S, STOPS_WITHIN_S = 120.0, 60.0


def names(sources: Path | None) -> list[str]:
    return [each.name for each in every_service(sources)]


def written(folder: Path) -> Path:
    (folder / "dropped").mkdir()
    (folder / "mapping.yaml").write_text(MAPPING)
    path = folder / "sources.yaml"
    path.write_text(SOURCES)
    return path


def test_without_sources_there_are_the_gateway_and_the_pipeline() -> None:
    assert names(None) == ["gateway", *(each.name for each in pipeline())]


def test_a_section_brings_its_service_unless_its_source_is_paused(tmp_path: Path) -> None:
    path = written(tmp_path)
    assert names(path)[:3] == ["gateway", "drops", pipeline()[0].name]
    path.write_text(path.read_text() + "    is_paused: true\n")
    assert names(path) == names(None)


@pytest.mark.servers
def test_run_takes_the_files_of_a_drop(environment: dict[str, str], tmp_path: Path) -> None:
    more = {"VAART_GATEWAY__SOURCES": str(written(tmp_path)), "VAART_GATEWAY__PORT": "0"}
    variables = environment | more | {"VAART_IDENTIFIER_SECRET": "secret-of-identifiers"}
    for words in (("topics", "apply", "--yes"), ("schemas", "register", "--yes"), ("db", "upgrade")):
        subprocess.run(
            [sys.executable, "-m", "vaart.cli", *words], env=variables, check=True, capture_output=True
        )
    (tmp_path / "dropped" / "monday.csv").write_text(sales(1, 2))
    run = subprocess.Popen([sys.executable, "-m", "vaart.cli", "run"], env=variables, stdout=subprocess.PIPE)
    try:
        wait_until((tmp_path / "dropped" / "taken" / "monday.csv").exists, STARTS_WITHIN_S)
    finally:
        run.terminate()
        try:
            told, _ = run.communicate(timeout=STOPS_WITHIN_S)
        finally:
            run.kill()  # its services end with it
    assert run.returncode == 0
    assert b"gateway, drops, worker-" in b" ".join(told.split())
