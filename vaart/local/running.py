"""What runs of one state folder's local servers: the state file, the status, the stop."""

import json
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from vaart.addresses import STATE_FILE
from vaart.local import kafka, postgres, processes, registry

SERVERS = {"kafka": kafka, "registry": registry, "postgres": postgres}
LOGS = {"kafka": "kafka.log", "registry": "registry.log", "postgres": "postgres.out"}


@dataclass(frozen=True, slots=True)
class Server:
    """One server as `vaart status` shows it; `pid` 0 when it does not run. Memory is its children's too."""

    name: str
    address: str
    pid: int
    memory_bytes: int
    uptime_s: int
    log: str


def status(state_dir: Path) -> list[Server]:
    """Every local server of the folder, running or not."""
    noted = _noted(state_dir)
    return [_server(state_dir, name, noted.get(name, {}).get("address", "")) for name in SERVERS]


def are_up(state_dir: Path) -> bool:
    """Whether all of them run, and once answered."""
    return all(server.pid and server.address for server in status(state_dir))


def note(state_dir: Path, addresses: Mapping[str, str]) -> None:
    """The state file says where the servers are, as vaart.addresses reads it: the whole of it at once."""
    entries = {
        name: {"address": address, "pid": _pid(state_dir, name)} for name, address in addresses.items()
    }
    unfinished = state_dir / f"{STATE_FILE}.{os.getpid()}"
    unfinished.write_text(json.dumps(entries, indent=2) + "\n")
    unfinished.replace(state_dir / STATE_FILE)


def stop(state_dir: Path) -> list[str]:
    """None of them runs, nor one whose start was cut off. Returns the names of those that did."""
    (state_dir / STATE_FILE).unlink(missing_ok=True)
    ours = {name: _ours(state_dir, name) for name in SERVERS}
    processes.stop([(process, SERVERS[name].STOP_SIGNAL) for name in ours for process in ours[name]])
    for name in SERVERS:
        processes.forget(state_dir, name)
    return [name for name in ours if ours[name]]


def _noted(state_dir: Path) -> dict[str, Any]:
    try:
        entries: dict[str, Any] = json.loads((state_dir / STATE_FILE).read_text())
    except FileNotFoundError:
        return {}
    return entries


def _server(state_dir: Path, name: str, address: str) -> Server:
    log = str(state_dir / "logs" / LOGS[name])
    process = processes.found(state_dir, name)
    if process is None:
        return Server(name, "", 0, 0, 0, log)
    return Server(name, address, process.pid, _memory(process), int(time.time() - process.create_time()), log)


def _pid(state_dir: Path, name: str) -> int:
    process = processes.found(state_dir, name)
    return process.pid if process else 0


def _memory(process: psutil.Process) -> int:
    total = 0
    for one in [process, *process.children(recursive=True)]:
        try:
            total += one.memory_info().rss
        except psutil.NoSuchProcess:
            continue
    return total


def _ours(state_dir: Path, name: str) -> list[psutil.Process]:
    noted = processes.found(state_dir, name)
    others = processes.marked(SERVERS[name].mark(state_dir))
    return [*([noted] if noted else []), *(process for process in others if process != noted)]
