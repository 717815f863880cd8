"""The services of a deployment: which there are, and those that were left running in the background."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import psutil

from streams.views import VIEWS
from vaart.settings import Settings
from vaart.supervisor import Service

RUN_FILE = "run.json"
"""In the state folder: the process of `vaart run` and when it began, so that another process is never taken for it."""
STOP_S_MAX = 40.0
NEEDED_BY = {"poll": "poller", "queue": "queues", "drop": "drops"}
"""By the section of a source, the service that it needs."""


def every_service(sources: Path | None) -> list[Service]:
    """The gateway, what the file of `sources` needs beside it, and the pipeline. Raises ConfigFault with its faults."""
    return [Service("gateway", ("serve", "gateway")), *_needed(sources), *pipeline()]


def _needed(sources: Path | None) -> list[Service]:
    # Every channel is loaded with it: `vaart status` need not wait for that.
    from connectors.sources import Sources, load

    known = load(sources) if sources else Sources()
    return [
        Service(name, ("serve", name)) for section, name in NEEDED_BY.items() if known.with_section(section)
    ]


def pipeline() -> list[Service]:
    """Every view's worker and every sink. Under names of their own they take their partitions back after a restart."""
    workers = [Service(f"worker-{view.name}", ("worker", view.name)) for view in VIEWS]
    return [
        *workers,
        _named("sink-postgres", "sink", "postgres"),
        Service("sink-notifications", ("sink", "notifications")),
    ]


def _named(name: str, *command: str) -> Service:
    return Service(name, (*command, "--instance", name))


def worker_processes(
    view: str, instance: str, count: int, port: int, words: tuple[str, ...]
) -> list[Service]:
    """`count` workers of one view, `<instance>-0` and on, with management ports from `port` on (0: any).

    `words` are further options of the command.
    """
    return [
        Service(
            f"{instance}-{number}",
            ("worker", view, "--instance", f"{instance}-{number}", *words),
            {"VAART_MANAGEMENT__PORT": str(port + number if port else 0)},
        )
        for number in range(count)
    ]


def gateway_processes(instance: str, count: int, port: int) -> list[Service]:
    """`count` gateways on one port, `<instance>-0` and on, with management ports from `port` on (0: any)."""
    return [
        Service(
            f"{instance}-{number}",
            ("serve", "gateway"),
            {
                "VAART_INSTANCE": f"{instance}-{number}",
                "VAART_GATEWAY__SHARES_PORT": "true",
                "VAART_MANAGEMENT__PORT": str(port + number if port else 0),
            },
        )
        for number in range(count)
    ]


def note_run(state_dir: Path) -> None:
    """After this `stop_all` finds this process."""
    state_dir.mkdir(parents=True, exist_ok=True)
    own = psutil.Process()
    (state_dir / RUN_FILE).write_text(json.dumps({"pid": own.pid, "began_at": own.create_time()}))


def run_detached(settings: Settings, environment: Mapping[str, str]) -> None:
    """After this a `vaart run` with `environment` goes on when this process ends; `stop_all` ends it."""
    settings.state_dir.mkdir(parents=True, exist_ok=True)
    with (settings.state_dir / "run.log").open("ab") as log:
        subprocess.Popen(
            [sys.executable, "-m", "vaart.cli", "run"],
            stdout=log,
            stderr=log,
            stdin=subprocess.DEVNULL,
            env={**os.environ, **environment, "VAART_GATEWAY__PORT": "0"},
            start_new_session=True,
        )


def stop_all(state_dir: Path) -> list[str]:
    """After this no `vaart run` of this state folder, or of a demo kept in it, goes on. Returns what was stopped."""
    stopped = []
    for file in _run_files(state_dir):
        for process in _noted(file):
            process.send_signal(signal.SIGTERM)
            process.wait(STOP_S_MAX)
            stopped.append(f"services of {file.parent.name}")
        file.unlink(missing_ok=True)
    return stopped


def running(state_dir: Path) -> list[tuple[str, int]]:
    """Each `vaart run` of this state folder, or of a demo kept in it: its folder and its process."""
    return [(file.parent.name, process.pid) for file in _run_files(state_dir) for process in _noted(file)]


def _run_files(state_dir: Path) -> list[Path]:
    return [state_dir / RUN_FILE, *sorted(state_dir.glob(f"*/{RUN_FILE}"))]


def _noted(file: Path) -> Iterator[psutil.Process]:
    """The process that wrote `file`, if it still is the one."""
    if not file.exists():
        return
    noted = json.loads(file.read_text())
    if psutil.pid_exists(noted["pid"]):
        process = psutil.Process(noted["pid"])
        if abs(process.create_time() - noted["began_at"]) < 1:
            yield process
