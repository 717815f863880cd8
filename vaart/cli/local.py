"""`vaart up`, `vaart down`, `vaart status`: Kafka, the schema registry and Postgres on this machine."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vaart import settings

if TYPE_CHECKING:
    from vaart.local.downloads import Advance


class Output(StrEnum):
    """How a command answers."""

    TABLE = "table"
    JSON = "json"


Answer = Annotated[Output, typer.Option("--output", "-o", help="How to answer.")]
Port = Annotated[int, typer.Option(min=0, max=65535, help="Its port; 0 takes a free one.")]


def register(app: typer.Typer) -> None:
    """The three verbs are the command's."""
    for verb in (up, down, status):
        app.command()(verb)


def up(
    output: Answer = Output.TABLE, kafka_port: Port = 0, registry_port: Port = 0, postgres_port: Port = 0
) -> None:
    """Start Kafka, the schema registry and Postgres on this machine; the first time downloads them."""
    found = settings.load()
    start_missing(found, kafka_port, registry_port, postgres_port)
    _show(found.state_dir, output)


def start_missing(
    found: settings.Settings, kafka_port: int = 0, registry_port: int = 0, postgres_port: int = 0
) -> bool:
    """After this every server that the settings give no address runs here. True when none of them ran before."""
    from vaart.local import running, stack

    names = stack.needed(found)
    if not names or running.are_up(found.state_dir.resolve(), names):
        return False
    with _progress(names) as advance:
        stack.start(found.state_dir, stack.Options(names, kafka_port, registry_port, postgres_port), advance)
    return True


def down(
    output: Answer = Output.TABLE,
    erase: Annotated[bool, typer.Option("--erase", help="Delete all that they kept, too.")] = False,
) -> None:
    """Stop them, and services that were left running with them; what they keep stays, unless it is to be erased."""
    from vaart.cli import services
    from vaart.local import stack

    state_dir = settings.load().state_dir
    stopped = services.stop_all(state_dir) + stack.stop(state_dir, erase=erase)
    if output is Output.JSON:
        typer.echo(json.dumps({"stopped": stopped, "erased": erase}))
        return
    typer.echo("stopped " + ", ".join(stopped) if stopped else "nothing was running")


def status(output: Answer = Output.TABLE) -> None:
    """Show what runs and at which addresses."""
    _show(settings.load().state_dir, output)


@contextmanager
def _progress(names: list[str]) -> "Iterator[Advance]":
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

    from vaart.local import downloads

    total = sum(artifact.size for artifact in downloads.missing(*names))
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, console=Console(stderr=True), disable=not total) as progress:
        task = progress.add_task("downloading the servers", total=total)
        yield lambda size: progress.advance(task, size)


def _show(state_dir: Path, output: Output) -> None:
    from schemas import coders
    from vaart.cli import services
    from vaart.local import running

    state_dir = state_dir.resolve()
    found, runs = running.status(state_dir), services.running(state_dir)
    if output is Output.JSON:
        answer = {
            "state_dir": str(state_dir),
            "codec": coders.KIND,
            "servers": [asdict(server) for server in found],
            "services": [{"of": name, "pid": pid} for name, pid in runs],
        }
        json.dump(answer, sys.stdout)
        typer.echo()
        return
    from rich.console import Console
    from rich.table import Table

    table = Table("server", "address", "pid", "memory", "up", box=None)
    for server in found:
        if server.pid:
            memory = f"{server.memory_bytes / 1e6:,.0f} MB"
            table.add_row(server.name, server.address, str(server.pid), memory, f"{server.uptime_s} s")
        else:
            table.add_row(server.name, "stopped", "", "", "")
    for name, pid in runs:
        table.add_row("services", f"of {name}", str(pid), "", "")
    Console().print(table)
    typer.echo(f"codec: {coders.KIND}")
    typer.echo(f"logs: {state_dir / 'logs'}")
