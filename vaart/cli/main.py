"""The `vaart` command: one file a group of verbs. An expected failure prints its text and sets the exit code."""

import sys

import typer
from rich.console import Console

from vaart.cli import (
    channels,
    db,
    demo,
    dlq,
    docs,
    events,
    files,
    local,
    offsets,
    requests,
    schemas,
    serve,
    sink,
    state,
    topics,
    views,
    worker,
)
from vaart.errors import VaartError

GROUPS = (
    demo,
    local,
    topics,
    schemas,
    files,
    channels,
    requests,
    serve,
    worker,
    views,
    offsets,
    state,
    events,
    dlq,
    db,
    sink,
    docs,
)
"""Each module has `register(app)`, which adds its verbs."""

app = typer.Typer(
    name="vaart",
    help="Omnichannel event streaming for retailers.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)
for group in GROUPS:
    group.register(app)


def main() -> None:
    """The process's exit code follows vaart.errors: 0 done, 1 bug or difference, 2 usage, 69, 74, 78."""
    try:
        app()
    except VaartError as error:
        Console(stderr=True).print(str(error), style="red", markup=False, highlight=False)
        sys.exit(error.exit_code)
