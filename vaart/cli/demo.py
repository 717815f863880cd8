"""`vaart demo`: real shop history through the whole pipeline, shown and checked."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.status import Status

if TYPE_CHECKING:
    from connectors.files.replay import Progress
    from deploy.demo.run import Report, Run
    from vaart.settings import Settings

TOLD_EVERY_S = 0.5
LINE_EVERY_S = 5.0


def register(app: typer.Typer) -> None:
    """Adds `demo`."""
    app.command()(demo)


def demo(
    weeks: Annotated[str, typer.Option(help="Weeks of the year to replay, such as 1-8 or 3.")] = "1-8",
    everything: Annotated[bool, typer.Option("--all", help="Replay the whole year: weeks 1-53.")] = False,
    keep: Annotated[bool, typer.Option("--keep", help="Leave servers, services and tables running.")] = False,
    report: Annotated[
        Path | None, typer.Option(help="Write totals, rates, seconds and memory as JSON.")
    ] = None,
) -> None:
    """Replay a grocer's history through the whole pipeline, show the tables, and check them against the data set.

    Exits with 1 when the tables differ from what the data set says.

    Examples: `vaart demo`, `vaart demo --weeks 1-2 --keep`, `vaart demo --all --report year.json`.
    """
    from connectors.files.complete_journey import WEEKS, Period, period_of
    from vaart import settings

    period = Period(1, WEEKS) if everything else period_of(weeks)
    loaded = settings.load()
    console = Console()
    with _servers(loaded, keep, console) as base:
        result = _perform(base, period, keep, console)
        if report is not None:
            report.write_text(_as_json(result))
            console.print(f"the report is in {report}")
    if not result.is_equal:
        console.print("the tables differ from the data set", style="bold red")
        raise typer.Exit(1)
    console.print("the tables agree with the data set", style="bold green")


def _perform(base: "Settings", period: Any, keep: bool, console: Console) -> "Report":
    from deploy.demo import run, tables

    with console.status("creating topics, registering schemas, creating tables"):
        prepared = run.prepare(base)
    is_kept = False
    try:
        with _Shown(console) as show:
            result = run.perform(prepared, period, show)
        tables.show(prepared.dsn, console)
        tables.show_findings(result.findings, console)
        _show_figures(result, console)
        if keep:
            _keep(prepared, console)
            is_kept = True
    finally:
        if not is_kept:
            with console.status("removing the run's topics and database"):
                run.discard(prepared)
    return result


@contextmanager
def _servers(loaded: "Settings", keep: bool, console: Console) -> Iterator["Settings"]:
    """The local servers where no address is set; those that this call started are stopped at the end."""
    from vaart.cli.local import start_missing
    from vaart.local import stack

    started = start_missing(loaded)
    try:
        yield loaded
    finally:
        if started and not keep:
            console.print("stopping the servers")
            stack.stop(loaded.state_dir)


def _keep(prepared: "Run", console: Console) -> None:
    """Leaves the run's services to a supervisor of their own, which `vaart down` ends."""
    from vaart.cli.services import run_detached

    run_detached(prepared.settings, prepared.environment)
    console.print(
        "everything goes on running; its clock stands where the replay ended. Query it, for example:\n"
        f'  psql "{prepared.dsn}" -c "TABLE mart.notifications LIMIT 5"\n'
        f"  the views are in the schema mart, the logs in {prepared.settings.state_dir / 'logs'}\n"
        "  `vaart down` stops the services and the servers",
        markup=False,
        highlight=False,
        soft_wrap=True,
    )


class _Shown:
    """Progress as one living line on a terminal, as a line now and then elsewhere."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._status = Status("starting", console=console)
        self._stage = ""
        self._stage_at = self._told_at = time.monotonic()

    def __enter__(self) -> "_Shown":
        if self._console.is_terminal:
            self._status.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._status.stop()

    def stage(self, text: str) -> None:
        self._stage, self._stage_at = text, time.monotonic()
        self._tell(text, is_due=True)

    def sent(self, progress: "Progress") -> None:
        rate = progress.events / max(time.monotonic() - self._stage_at, 0.1)
        self._tell(f"{progress.events:,} events in, {rate:,.0f} a second, up to {_day(progress.at)}")

    def level(self, reached: int, records: int, behind: int) -> None:
        self._tell(
            f"{records:,} records in the tables, complete up to {_day(reached)}, {behind} clocks behind"
        )

    def note(self, text: str) -> None:
        self._console.print(text, style="yellow")

    def _tell(self, text: str, *, is_due: bool = False) -> None:
        wait_s = TOLD_EVERY_S if self._console.is_terminal else LINE_EVERY_S
        if not is_due and time.monotonic() - self._told_at < wait_s:
            return
        self._told_at = time.monotonic()
        if self._console.is_terminal:
            self._status.update(text)
        else:
            self._console.print(text, markup=False, highlight=False)


def _show_figures(result: "Report", console: Console) -> None:
    seconds = ", ".join(f"{stage} {value} s" for stage, value in result.seconds.items())
    memory = ", ".join(f"{name} {value}" for name, value in result.peak_mb.items())
    rates = ", ".join(f"{value:,} {name}" for name, value in result.rates.items())
    console.print(f"{rates}\nseconds: {seconds}\npeak memory, MB: {memory}", markup=False, highlight=False)


def _day(at: int) -> str:
    return time.strftime("%d %b %Y", time.gmtime(at / 1_000_000)) if at else "the start"


def _as_json(result: "Report") -> str:
    import dataclasses
    import json

    findings = {
        finding.name: {"compared": finding.compared, "differences": len(finding.differences)}
        for finding in result.findings
    }
    return json.dumps(
        {**dataclasses.asdict(result), "findings": findings, "equal": result.is_equal}, indent=2
    )
