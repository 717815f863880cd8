"""Processes that outlive the command that starts them, each known again by its pid and its start time."""

import contextlib
import json
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

import psutil

from vaart.local.launch import Launch

STOP_SECONDS = 20
POLL_SECONDS = 0.05


def spawn(launch: Launch, state_dir: Path) -> subprocess.Popen[bytes]:
    """The server runs, out of reach of Ctrl-C, and its pid file names it."""
    identity = launch.identity
    with (state_dir / "logs" / f"{launch.name}.out").open("wb") as out:
        process = subprocess.Popen(
            launch.command,
            cwd=launch.folder,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            user=identity.user if identity else None,
            group=identity.group if identity else None,
            extra_groups=[] if identity else None,
        )
    started = psutil.Process(process.pid).create_time()
    _pid_file(state_dir, launch.name).write_text(json.dumps({"pid": process.pid, "started": started}))
    return process


def found(state_dir: Path, name: str) -> psutil.Process | None:
    """The process that the pid file names, if it still runs; another process with that pid is not it."""
    try:
        noted = json.loads(_pid_file(state_dir, name).read_text())
        process = psutil.Process(noted["pid"])
        same = abs(process.create_time() - noted["started"]) < 1
        return process if same and process.status() != psutil.STATUS_ZOMBIE else None
    except (FileNotFoundError, ValueError, psutil.NoSuchProcess):
        return None


def marked(mark: Sequence[str]) -> list[psutil.Process]:
    """The processes with this run of arguments: also one whose pid was not yet noted."""
    return [process for process in psutil.process_iter() if _has(process, list(mark))]


def stop(processes: Sequence[tuple[psutil.Process, int]]) -> None:
    """None of them runs: each got its signal, and after STOP_SECONDS was killed."""
    for process, sign in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.send_signal(sign)
    deadline = time.monotonic() + STOP_SECONDS
    for process, _ in processes:
        while not _is_gone(process) and time.monotonic() < deadline:
            time.sleep(POLL_SECONDS)
        if not _is_gone(process):
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()


def forget(state_dir: Path, name: str) -> None:
    """The pid file is gone."""
    _pid_file(state_dir, name).unlink(missing_ok=True)


def _pid_file(state_dir: Path, name: str) -> Path:
    return state_dir / f"{name}.pid"


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
