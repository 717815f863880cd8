"""A worker's state folder is deleted, copied, damaged, or its disk is full: what comes out is the same."""

import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.streams.engine.counting import STORMY
from tests.streams.engine.stormy import Storm, load, slices
from tests.torture.conftest import Report
from vaart.errors import StorageFault

pytestmark = [pytest.mark.servers, pytest.mark.torture, pytest.mark.timeout(600)]

EVENTS, KEYS = 8_000, 4_000
SMALL, LARGE = "400k", "256m"
FLIPPED = 200
"""Bytes of each file's middle."""


def folder_of(storm: Storm, name: str) -> Path:
    """Where the worker keeps its lanes' state."""
    return storm.folder / "state" / f"{STORMY.group}-{name}"


def test_a_folder_that_is_deleted(storm: Storm, report: Report) -> None:
    _lived(storm)
    shutil.rmtree(folder_of(storm, "a"))
    report(_goes_on(storm, "a"))


def test_a_folder_that_is_copied_for_another_worker(storm: Storm, report: Report) -> None:
    _lived(storm)
    shutil.copytree(folder_of(storm, "a"), folder_of(storm, "b"))
    report(_goes_on(storm, "a", "b"))


def test_a_folder_that_is_damaged(storm: Storm, report: Report) -> None:
    _lived(storm)
    tables = list(folder_of(storm, "a").rglob("*.sst"))
    assert tables, "nothing was written to the disk"
    for table in tables:
        content = bytearray(table.read_bytes())
        middle = len(content) // 2
        content[middle : middle + FLIPPED] = bytes(each ^ 0xFF for each in content[middle : middle + FLIPPED])
        table.write_bytes(content)
    storm.start("a")
    storm.send(load(EVENTS // 2, KEYS, seed=15))
    assert storm.end_of("a") == StorageFault.exit_code, storm.said("a")
    assert "rebuilt from the changelog" in storm.said("a")
    report(_goes_on(storm, "a"))


def test_a_disk_that_is_full(storm: Storm, report: Report) -> None:
    """The worker says which folder, with an exit code of its own; when there is room again it goes on."""
    with _disk(storm.folder / "state"):
        storm.start("a")
        first, second = slices(load(3 * EVENTS, 3 * KEYS, seed=12), 2)
        storm.send(first)
        storm.wait_until_settled()
        assert storm.kill("a", signal.SIGTERM) == StorageFault.exit_code, storm.said("a")
        assert str(folder_of(storm, "a")) in storm.said("a")
        _mount(storm.folder / "state", f"remount,size={LARGE}")
        storm.start("a")
        storm.send(second)
        report(storm.prove())


def _lived(storm: Storm) -> None:
    storm.start("a")
    storm.send(load(EVENTS // 2, KEYS, seed=11))
    storm.wait_until_settled()
    assert storm.kill("a", signal.SIGTERM) == 0


def _goes_on(storm: Storm, *names: str) -> str:
    for name in names:
        storm.start(name)
    storm.send(load(EVENTS // 2, KEYS, seed=13))
    return storm.prove()


@contextmanager
def _disk(folder: Path) -> Iterator[None]:
    """A disk of its own, which is full soon."""
    folder.mkdir(parents=True)
    if not _mount(folder, f"size={SMALL}"):
        pytest.skip("only root may mount a small disk: run this as root")
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def _mount(folder: Path, options: str) -> bool:
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", options, "vaart", str(folder)], check=False)
    return done.returncode == 0
