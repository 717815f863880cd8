"""`vaart docs metrics`: what the code says of itself, for whoever builds dashboards and alerts."""

import json

import typer

from vaart.cli.local import Answer, Output

HEADS = ("name", "type", "labels", "meaning")


def register(app: typer.Typer) -> None:
    """The verbs stand under `docs`."""
    group = typer.Typer(help="Reference pages from the code.", no_args_is_help=True)
    group.callback()(lambda: None)  # or its single verb would take the group's place
    group.command()(metrics)
    app.add_typer(group, name="docs")


def metrics(output: Answer = Output.TABLE) -> None:
    """Every metric: its name, type, labels and meaning."""
    from rich.console import Console
    from rich.table import Table

    from vaart.metrics import DOCUMENTED

    rows = [(each.name, each.kind, ", ".join(each.labels), each.words) for each in DOCUMENTED]
    if output is Output.JSON:
        typer.echo(json.dumps([dict(zip(HEADS, row, strict=True)) for row in rows]))
        return
    table = Table()
    for head in HEADS:
        table.add_column(head, overflow="fold", no_wrap=head == HEADS[0])
    for row in rows:
        table.add_row(*row)
    Console().print(table)
