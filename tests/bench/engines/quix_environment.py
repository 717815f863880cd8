"""Quix Streams in an environment of its own: its libraries need not fit with ours."""

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

from tests.bench.ground import Failed
from vaart.local import downloads

LOCK = Path(__file__).parent / "quix.lock"
INSTALL_S_MAX = 600


def python() -> str:
    """The interpreter that has what `quix.lock` names; installed now if it was not."""
    text = LOCK.read_text() + sys.version
    folder = downloads.cache() / f"bench-quix-{hashlib.sha256(text.encode()).hexdigest()[:12]}"
    if not (folder / "ready").exists():
        shutil.rmtree(folder, ignore_errors=True)
        _run(sys.executable, "-m", "venv", str(folder))
        _run(
            str(folder / "bin" / "python"), "-m", "pip", "install", "-q", "--require-hashes", "-r", str(LOCK)
        )
        (folder / "ready").touch()
    return str(folder / "bin" / "python")


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, timeout=INSTALL_S_MAX, check=False)
    if done.returncode != 0:
        raise Failed(f"Quix Streams cannot be installed:\n{done.stdout}{done.stderr}".rstrip())
