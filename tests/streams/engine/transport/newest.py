"""`make transport-newest`: the transport's contract against the newest Faust 0.15.x and what it brings along.

Nothing is run twice: where the newest is what requirements.lock pins, `make test` has held the contract already.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[4]
WANTED = "faust-streaming>=0.15.3,<0.16"
LEANED_ON = ("faust-streaming", "mode-streaming", "aiokafka")
PLACE = ROOT / ".venv" / "transport-newest"
CONTRACT = "tests/streams/engine/transport/test_contract.py"
PLAIN = ("--noconftest", "-p", "no:cacheprovider", "-o", "addopts=--import-mode=importlib", "-W", "ignore")
"""The environment has nothing but Faust and pytest: no conftest of the house, no plugin's options."""


def main(words: list[str]) -> int:
    """0 where the contract holds; `--always` runs it for the pinned versions, too."""
    newest, pinned = resolved(), versions((ROOT / "requirements.lock").read_text())
    told = ", ".join(f"{name} {version}" for name, version in newest.items())
    if newest == pinned and "--always" not in words:
        print(f"The newest are the pinned ones ({told}): make test holds their contract.")
        return 0
    print(f"The transport's contract against {told}:", flush=True)
    python = installed(newest)
    return subprocess.run([python, "-m", "pytest", "-q", *PLAIN, CONTRACT], cwd=ROOT).returncode


def resolved() -> dict[str, str]:
    """What an installer would pick today."""
    command = [uv(), "pip", "compile", "--no-header", "--no-annotate", "--python", sys.executable, "-"]
    made = subprocess.run(command, input=WANTED, capture_output=True, text=True, cwd="/")
    if made.returncode:
        sys.exit(made.stderr)
    return versions(made.stdout)


def versions(requirements: str) -> dict[str, str]:
    """The version of each package that is leaned on."""
    found = dict(re.findall(r"^([a-z0-9-]+)==([^\s;\\]+)", requirements, re.MULTILINE))
    return {name: found[name] for name in LEANED_ON}


def installed(newest: dict[str, str]) -> Path:
    """The interpreter of an environment of its own that has `newest`; kept for the next time."""
    python = PLACE / "bin" / "python"
    if not python.exists():
        subprocess.run([uv(), "venv", "-q", "--python", sys.executable, PLACE], check=True)
    exact = [f"{name}=={version}" for name, version in newest.items()]
    subprocess.run(
        [uv(), "pip", "install", "-q", "--python", python, *exact, "pytest", "pytest-asyncio"], check=True
    )
    return python


def uv() -> str:
    """Its path as it is from anywhere: it is run outside the checkout, whose settings it would take."""
    return str(ROOT / (os.environ.get("UV") or shutil.which("uv") or ".venv/bin/uv"))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
