"""What runs of one state folder's local servers: the state file, the status, the stop."""

import json
import os
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from vaart.addresses import STATE_FILE
from vaart.local import kafka, postgres, processes, registry

SERVERS = {"kafka": kafka, "registry": registry, "postgres": postgres}


@dataclass(frozen=True, slots=True)
class Server:
    """One server as `vaart status` shows it; `pid` 0 when it does not run. Memory is its children's too."""

    name: str
    address: str
    pid: int
    memory_bytes: int
    uptime_s: int


def status(state_dir: Path) -> list[Server]:
    """Every local server of the folder, running or not."""
    noted = _noted(state_dir)
    return [_server(state_dir, name, noted.get(name, {}).get("address", "")) for name in SERVERS]


def are_up(state_dir: Path, names: Collection[str] = tuple(SERVERS)) -> bool:
    """Whether all of these run, and once answered."""
    return all(server.pid and server.address for server in status(state_dir) if server.name in names)


def note(state_dir: Path, at: Mapping[str, tuple[str, int]]) -> None:
    """The state file says each server's address and pid, all at once, as vaart.addresses reads it."""
    entries = {name: {"address": address, "pid": pid} for name, (address, pid) in at.items()}
    unfinished = state_dir / f"{STATE_FILE}.{os.getpid()}"
    unfinished.write_text(json.dumps(entries, indent=2) + "\n")
    unfinished.replace(state_dir / STATE_FILE)


def stop(state_dir: Path) -> list[str]:
    """None of them runs, nor one whose start was cut off. Returns the names of those that did."""
    (state_dir / STATE_FILE).unlink(missing_ok=True)
    ours = {name: _processes(state_dir, name) for name in SERVERS}
    processes.stop([(process, SERVERS[name].STOP_SIGNAL) for name in ours for process in ours[name]])
    return [name for name in ours if ours[name]]


def _noted(state_dir: Path) -> dict[str, Any]:
    try:
        entries: dict[str, Any] = json.loads((state_dir / STATE_FILE).read_text())
    except FileNotFoundError:
        return {}
    return entries


def _server(state_dir: Path, name: str, address: str) -> Server:
    for process in _processes(state_dir, name):
        uptime = int(time.time() - process.create_time())
        return Server(name, address, process.pid, _memory(process), uptime)
    return Server(name, "", 0, 0, 0)


def _processes(state_dir: Path, name: str) -> list[psutil.Process]:
    return processes.marked(SERVERS[name].mark(state_dir))


def _memory(process: psutil.Process) -> int:
    total = 0
    for one in [process, *process.children(recursive=True)]:
        try:
            memory = one.memory_full_info()
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
        # Where the system tells it, each one's part of what they share: Postgres' buffers count once.
        total += getattr(memory, "pss", memory.rss)
    return total
