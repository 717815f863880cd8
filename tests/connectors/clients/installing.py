"""The vendors' own clients, fetched once into a folder beside other caches: for Python, for node, for browsers."""

import asyncio
import fcntl
import os
import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import NoReturn

import pytest

HERE = Path(__file__).parent
SENDERS = HERE / "senders"
NODE_FILES = (HERE / "package.json", HERE / "package-lock.json", HERE / ".npmrc")
PYTHON_FILES = (HERE / "requirements.txt",)
DONE = "done"
REQUIRED = "CLIENTS_REQUIRED"
"""Where this variable is set, a test that cannot run fails."""
FETCHED_WITHIN_S, RUN_WITHIN_S = 240, 60
CHROMIUM = ("--headless=new", "--no-sandbox", "--disable-gpu", "--dump-dom")
VIRTUAL_MS = 60_000
"""Of the page's own time: waiting between attempts costs none of ours."""


@dataclass(frozen=True, slots=True)
class Clients:
    """Runs scripts of `senders/` with the clients that they need."""

    python: Path
    node_modules: Path

    async def python_sends(self, script: str, *told: str) -> str:
        """What the script prints."""
        return await run([str(self.python), str(SENDERS / script), *told])

    async def node_sends(self, script: str, *told: str) -> str:
        """What the script prints. It is run beside the clients, where node looks for them."""
        shutil.copy(SENDERS / script, self.node_modules.parent / script)
        return await run([needed("node"), script, *told], self.node_modules.parent)

    async def bundled(self, script: str) -> str:
        """The script and the clients that it imports as one for a browser."""
        shutil.copy(SENDERS / script, self.node_modules.parent / script)
        asked = [script, "--bundle", "--format=iife", "--log-level=error"]
        return await run([str(self.node_modules / ".bin" / "esbuild"), *asked], self.node_modules.parent)


async def browse(url: str, folder: Path) -> str:
    """The page as it stands when its script has nothing more to do."""
    asked = [*CHROMIUM, f"--user-data-dir={folder}", f"--virtual-time-budget={VIRTUAL_MS}", url]
    return await run([needed("chromium", "chromium-browser", "google-chrome"), *asked])


async def fetched() -> Clients:
    """The clients. Skips the test where the machine has not what it takes, or cannot reach the registries."""
    node, python = _folder("node", NODE_FILES), _folder("python", PYTHON_FILES)
    for folder, fetch in ((node, _fetch_for_node), (python, _fetch_for_python)):
        with _alone_in(folder):
            if not (folder / DONE).exists():
                await fetch(folder)
                (folder / DONE).touch()
    return Clients(python / "venv" / "bin" / "python", node / "node_modules")


def needed(*names: str) -> str:
    """The program of one of these names. Skips the test where there is none."""
    for name in names:
        if (found := shutil.which(name, path=_path())) is not None:
            return found
    return missing(f"{names[0]} is not installed: with it the vendors' own clients are tested, too")


def missing(why: str) -> NoReturn:
    """Skips the test; fails it where every test must run."""
    if os.environ.get(REQUIRED):
        pytest.fail(why)
    pytest.skip(why)


async def run(command: Sequence[str], folder: Path | None = None, within_s: int = RUN_WITHIN_S) -> str:
    """What the command prints. Fails the test where it fails, or takes longer."""
    started = await asyncio.create_subprocess_exec(
        *command,
        cwd=folder,
        env={**os.environ, "PATH": _path()},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(within_s):
            printed, faults = await started.communicate()
    except TimeoutError:
        started.kill()
        await started.wait()
        pytest.fail(f"{command[0]} took longer than {within_s} s")
    assert started.returncode == 0, f"{printed.decode()}\n{faults.decode()}"
    return printed.decode()


async def _fetch_for_node(folder: Path) -> None:
    npm = needed("npm")
    needed("node")
    for path in NODE_FILES:
        shutil.copy(path, folder / path.name)
    await _fetch([npm, "ci", "--no-audit", "--no-fund"], folder)


async def _fetch_for_python(folder: Path) -> None:
    uv, venv = needed("uv"), folder / "venv"
    await run([uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(venv)])
    asked = ["--quiet", "--python", str(venv / "bin" / "python"), "-r", str(PYTHON_FILES[0])]
    await _fetch([uv, "pip", "install", *asked], folder)


async def _fetch(command: Sequence[str], folder: Path) -> None:
    try:
        await run(command, folder, FETCHED_WITHIN_S)
    except AssertionError as error:
        missing(f"the clients cannot be fetched: {str(error).strip()[-300:]}")


def _path() -> str:
    """What was installed beside Python goes first: node may be there."""
    return f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"


@contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """Tests that run at once fetch once."""
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _folder(kind: str, files: Sequence[Path]) -> Path:
    """A folder of its own for each set of versions."""
    digest = sha256(b"".join(path.read_bytes() for path in files)).hexdigest()[:16]
    caches = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    found = caches / "vaart" / "test-clients" / f"{kind}-{digest}"
    found.mkdir(parents=True, exist_ok=True)
    return found
