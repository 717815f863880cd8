"""`vaart db upgrade|check`: the database's schemas, tables, views and roles."""

import json
from typing import Annotated

import typer

from vaart.cli.local import Answer, Output


def register(app: typer.Typer) -> None:
    """Adds the verbs under `db`."""
    group = typer.Typer(
        no_args_is_help=True, help="The database: bring its schema up to date, or look at it."
    )
    group.command()(upgrade)
    group.command()(check)
    app.add_typer(group, name="db")


def upgrade(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be done.")] = False,
    output: Answer = Output.TABLE,
) -> None:
    """Bring schemas, tables, views and roles up to date. Repeatable.

    It connects by VAART_POSTGRES__OWNER_DSN, or by VAART_POSTGRES__DSN where that is not set.
    """
    from sinks.postgres import schema

    dsn = _owner_dsn()
    missing = schema.pending(dsn)
    if not dry_run:
        schema.upgrade(dsn)
    _print(missing, "to apply" if dry_run else "applied", output)


def check(output: Answer = Output.TABLE) -> None:
    """Say which migrations the database lacks; exit 1 when there are any."""
    from sinks.postgres import schema

    missing = schema.pending(_owner_dsn())
    _print(missing, "missing", output)
    if missing:
        raise typer.Exit(1)


def _owner_dsn() -> str:
    from vaart import addresses, settings

    return addresses.resolve(settings.load()).postgres_owner


def _print(revisions: list[str], what: str, output: Output) -> None:
    if output is Output.JSON:
        typer.echo(json.dumps({what.replace(" ", "_"): revisions}))
        return
    for revision in revisions:
        typer.echo(f"{what}: {revision}")
    if not revisions:
        typer.echo("the database is up to date")
