"""`vaart docs metrics`, `asyncapi`, `openapi`: what the code says of itself."""

import json

import typer

from vaart.cli.local import Answer, Output

HEADS = ("name", "type", "labels", "meaning")


def register(app: typer.Typer) -> None:
    """The verbs stand under `docs`."""
    group = typer.Typer(help="Reference pages from the code.", no_args_is_help=True)
    for verb in (metrics, asyncapi, openapi):
        group.command()(verb)
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


def asyncapi() -> None:
    """Every topic and every record on it, as an AsyncAPI 3.0 document in JSON."""
    from schemas.topics import TOPICS
    from vaart.cli import asyncapi as room
    from vaart.settings import load

    kafka = load().kafka
    typer.echo(
        json.dumps(
            room.document(TOPICS, kafka.topic_prefix, kafka.partitions, kafka.replication_factor), indent=2
        )
    )


def openapi() -> None:
    """Every route of the gateway, as an OpenAPI 3.1 document in JSON."""
    from vaart.cli import openapi as room

    typer.echo(json.dumps(room.document(), indent=2))
