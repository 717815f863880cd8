"""Processes that outlive the command that starts them, each known again by a run of arguments only it has."""

import contextlib
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from signal import Signals

import psutil

from vaart.local.launch import Launch

STOP_SECONDS = 20
POLL_SECONDS = 0.05


def spawn(launch: Launch, out: Path) -> subprocess.Popen[bytes]:
    """The server runs, out of reach of Ctrl-C; what it prints goes to the file `out`."""
    identity = launch.identity
    with out.open("wb") as printed:
        return subprocess.Popen(
            launch.command,
            cwd=launch.folder,
            stdin=subprocess.DEVNULL,
            stdout=printed,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            user=identity.user if identity else None,
            group=identity.group if identity else None,
            extra_groups=[] if identity else None,
        )


def marked(mark: Sequence[str]) -> list[psutil.Process]:
    """The running processes with these arguments in a row. A note of a pid could be lost or stale."""
    return [process for process in psutil.process_iter() if _has(process, list(mark))]


def stop(processes: Sequence[tuple[psutil.Process, Signals]]) -> None:
    """None of them runs: each got its signal, and was killed if that took more than STOP_SECONDS."""
    for process, sign in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.send_signal(sign)
    deadline = time.monotonic() + STOP_SECONDS
    for process, _ in processes:
        while not _is_gone(process) and time.monotonic() < deadline:
            time.sleep(POLL_SECONDS)
        with contextlib.suppress(psutil.NoSuchProcess):
            if not _is_gone(process):
                process.kill()


def _has(process: psutil.Process, mark: list[str]) -> bool:
    try:
        arguments = process.cmdline()
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return False
    width = len(mark)
    return any(arguments[at : at + width] == mark for at in range(len(arguments) - width + 1))


def _is_gone(process: psutil.Process) -> bool:
    # A zombie holds nothing any more: its parent, who may be us, has only not asked for its end yet.
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True
