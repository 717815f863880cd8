"""`vaart files check` and `vaart files send`: tables of files become events, by a mapping file."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vaart.cli.local import Answer, Output
from vaart.errors import UsageFault

if TYPE_CHECKING:
    from connectors.files.forms import Mapping
    from connectors.files.outlet import KafkaOutlet, Outlet
    from connectors.files.rejects import Rejected
    from connectors.files.tables import Table
    from schemas.meta import Event

EXAMPLES_EACH = 2
REASONS_SHOWN_MAX = 20

MappingFile = Annotated[Path, typer.Argument(help="The mapping file (YAML).")]
Files = Annotated[
    list[str] | None,
    typer.Argument(
        help="Files, each named after its table (transactions.csv) or given as TABLE=FILE.",
        show_default=False,
    ),
]
Given = Annotated[list[str] | None, typer.Option("--given", help="NAME=VALUE that the mapping asks for.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Make the events, show some, send none.")]
Limit = Annotated[int | None, typer.Option(min=1, help="Send so many events at most.")]
Replay = Annotated[
    bool, typer.Option("--replay", help="Send in the order of time, and move the clock of a replay.")
]
RejectsFolder = Annotated[Path, typer.Option(help="Where rows that do not fit are kept, to be mended.")]
RejectsMax = Annotated[int, typer.Option(min=0, help="Stop when more rows than this do not fit.")]


def register(app: typer.Typer) -> None:
    """The verbs stand under `files`."""
    group = typer.Typer(help="Files and what they say, as events.", no_args_is_help=True)
    group.command()(check)
    group.command("send")(send)
    app.add_typer(group, name="files")


def check(mapping: MappingFile, files: Files = None, output: Answer = Output.TABLE) -> None:
    """Check a mapping file, and that the files have the columns it asks for. Every fault is shown with its line.

    Examples: `vaart files check shop.yaml`, `vaart files check shop.yaml sales.csv articles=export.parquet`.
    """
    from connectors.files.mapping import check_columns, load

    found = load(mapping)
    if files:
        tables = _tables(found, files)
        check_columns(found, {name: table.columns for name, table in tables.items()})
    kinds = [{"event": form.event, "table": form.table} for form in found.events]
    if output is Output.JSON:
        typer.echo(json.dumps({"mapping": str(mapping), "events": kinds}))
        return
    typer.echo(f"{mapping} is right: " + ", ".join(f"{each['table']} → {each['event']}" for each in kinds))


def send(
    mapping: MappingFile,
    files: Files = None,
    given: Given = None,
    dry_run: DryRun = False,
    limit: Limit = None,
    replay: Replay = False,
    rejects: RejectsFolder = Path("rejects"),
    rejects_max: RejectsMax = 1_000,
    output: Answer = Output.TABLE,
) -> None:
    """Turn the rows of files into events and send them to Kafka.

    A row that does not fit goes to a file in the rejects folder and to the dead letters; the rest goes on. A
    repeat does no harm: the same row has the same event id.

    Examples: `vaart files send shop.yaml sales.csv --dry-run`, `vaart files send shop.yaml sales.csv
    articles=export.parquet --rejects-max 10`, `vaart files send year.yaml sales.csv --given
    start=2024-01-01T00:00:00 --replay`.
    """
    from connectors.files.outlet import Rehearsal

    if limit is not None and replay:
        raise UsageFault("--limit and --replay do not go together: a replay is whole")
    if dry_run:
        rehearsal = Rehearsal(EXAMPLES_EACH)
        summary = _sent(mapping, files, given, rehearsal, [], limit, replay, rejects, rejects_max)
        _show(summary | {"examples": _plain(rehearsal.examples)}, output)
        return
    with _kafka() as outlet:
        from connectors.files.sending import letters
        from vaart.clock import wall

        summary = _sent(
            mapping, files, given, outlet, [letters(outlet, wall)], limit, replay, rejects, rejects_max
        )
    _show(summary, output)


def _sent(
    mapping: Path,
    files: list[str] | None,
    given: list[str] | None,
    outlet: "Outlet",
    tell: "list[Rejected]",
    limit: int | None,
    is_replay: bool,
    folder: Path,
    rejects_max: int,
) -> dict[str, Any]:
    """Sends everything and says what became of it. A fault in the middle is told with what was sent until then."""
    from connectors.files.events import streams
    from connectors.files.mapping import load
    from connectors.files.rejects import RejectFiles, Rejects
    from connectors.files.replay import INPUTS, replay
    from connectors.files.sending import send, sent
    from vaart.clock import wall

    found = load(mapping)
    with RejectFiles(folder) as kept:
        rejects = Rejects(rejects_max, kept, *tell)
        kinds = streams(
            found,
            _tables(found, files or []),
            received_at=wall(),
            given=_given(given or []),
            rejected=rejects,
            by_time=is_replay,
        )
        try:
            replay(kinds, outlet, INPUTS) if is_replay else send(kinds, outlet, limit)
        except UsageFault as fault:
            outlet.flush()
            done = ", ".join(f"{each.events} {each.event}" for each in sent(kinds))
            raise UsageFault(f"{fault}\nUntil then: {done}; {rejects.count} rows did not fit.") from None
    return {
        "sent": [asdict(each) for each in sent(kinds)],
        "rejected": rejects.count,
        "reasons": dict(rejects.reasons.most_common(REASONS_SHOWN_MAX)),
        "kept": {name: str(path) for name, path in kept.paths.items()},
    }


def _tables(mapping: "Mapping", files: list[str]) -> "dict[str, Table]":
    from connectors.files.tables import open_table

    known = {form.table for form in mapping.events}
    known |= {name for form in mapping.events for name in mapping.table(form.table).join}
    tables: dict[str, Table] = {}
    for given in files:
        name, equals, path = given.partition("=")
        name, path = (name, path) if equals else (Path(given).name.partition(".")[0], given)
        if name not in known:
            raise UsageFault(
                f"{given}: the mapping has no table {name}; write TABLE=FILE with one of {', '.join(sorted(known))}"
            )
        if name in tables:
            raise UsageFault(f"{given}: the table {name} was given twice")
        tables[name] = open_table(Path(path), mapping.table(name))
    return tables


def _given(pairs: list[str]) -> dict[str, str]:
    wrong = next((pair for pair in pairs if "=" not in pair), None)
    if wrong is not None:
        raise UsageFault(f"--given {wrong}: write it like start=2024-01-01T00:00:00")
    return dict(pair.split("=", 1) for pair in pairs)


@contextmanager
def _kafka() -> "Iterator[KafkaOutlet]":
    from connectors.files.outlet import KafkaOutlet
    from vaart import addresses, kafka, settings
    from vaart.cli.schemas import registry_of

    loaded = settings.load()
    found = addresses.resolve(loaded)
    kafka.wait_until_reachable(loaded, found)
    with registry_of(loaded, found) as registry, KafkaOutlet(loaded, found, registry) as outlet:
        yield outlet


def _plain(examples: "dict[str, list[Event]]") -> dict[str, Any]:
    import msgspec

    return {name: [msgspec.to_builtins(event) for event in events] for name, events in examples.items()}


def _show(summary: dict[str, Any], output: Output) -> None:
    if output is Output.JSON:
        typer.echo(json.dumps(summary))
        return
    from rich.console import Console
    from rich.table import Table

    table = Table("table", "rows", "event", "events", box=None)
    for each in summary["sent"]:
        table.add_row(each["table"], f"{each['rows']:,}", each["event"], f"{each['events']:,}")
    console = Console()
    console.print(table)
    for name, events in summary.get("examples", {}).items():
        for event in events:
            console.print(f"{name} {json.dumps(event)}", markup=False, highlight=False, soft_wrap=True)
    if summary["rejected"]:
        console.print(f"{summary['rejected']:,} rows did not fit:")
        for reason, count in summary["reasons"].items():
            console.print(f"  {count:,} × {reason}", markup=False, highlight=False)
        for path in summary["kept"].values():
            console.print(f"they are in {path}", markup=False)
