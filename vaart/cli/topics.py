"""`vaart topics plan`, `apply`, `check`: the topics of the catalogue on a real Kafka."""

import json
import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vaart.cli.local import Answer, Output
from vaart.errors import UsageFault
from vaart.settings import Settings, load

if TYPE_CHECKING:
    from schemas.topic import Topic
    from vaart.addresses import Addresses
    from vaart.admin import Found, Topics, Wanted

DryRun = Annotated[bool, typer.Option("--dry-run", help="Only say what would be done.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]

_MARKS = {"missing": "+ create", "differs": "~ change", "same": "  same"}


def register(app: typer.Typer) -> None:
    """The verbs stand under `topics`."""
    group = typer.Typer(help="The topics on Kafka.", no_args_is_help=True)
    for verb in (plan, apply, check):
        group.command()(verb)
    app.add_typer(group, name="topics")


def plan(output: Answer = Output.TABLE) -> None:
    """Show which topics would be created or changed."""
    _show(compared(load()), output)


def apply(output: Answer = Output.TABLE, dry_run: DryRun = False, yes: Yes = False) -> None:
    """Create the topics that are missing and set the settings that differ. Partition counts never change."""
    settings = load()
    found = compared(settings)
    changes = [each for each in found if each.state != "same"]
    if dry_run or not changes:
        _show(found, output)
        return
    if output is Output.TABLE:
        _show(changes, output)
    confirm(f"Change {len(changes)} topics?", yes=yes)
    ensure(settings)
    if output is Output.JSON:
        _show(found, output)
    else:
        typer.echo(f"done: {len(changes)} topics created or changed")


def check(output: Answer = Output.TABLE) -> None:
    """Exit with 1 when a topic is missing or differs."""
    found = compared(load())
    _show(found, output)
    if any(each.state != "same" for each in found):
        raise typer.Exit(1)


def ensure(settings: Settings, addresses: "Addresses | None" = None) -> None:
    """Afterwards every topic of the catalogue exists with its settings.

    Raises UsageFault, before anything is changed, where an existing topic has another partition count or replication.
    """
    found = compared(settings, addresses)
    fixed = [each for each in found if not each.is_alterable]
    if fixed:
        raise UsageFault(_unalterable(fixed))
    topics = _topics(settings, addresses)
    topics.create(each.wanted for each in found if each.state == "missing")
    topics.alter(each for each in found if each.state == "differs")


def compared(settings: Settings, addresses: "Addresses | None" = None) -> "list[Found]":
    """How each topic of the catalogue stands on Kafka."""
    return _topics(settings, addresses).compare(wanted(settings))


def wanted(settings: Settings) -> "list[Wanted]":
    """The catalogue's topics and the views' changelogs, with the deployment's prefix, counts and settings."""
    from vaart.admin import Wanted

    kafka = settings.kafka
    return [
        Wanted(
            kafka.topic_prefix + topic.name,
            kafka.partitions,
            kafka.replication_factor,
            topic.config(kafka.replication_factor),
        )
        for topic in catalogue()
    ]


def catalogue() -> "list[Topic]":
    """Every topic that a deployment has: the contracts', and a changelog for each view."""
    import streams.views
    from schemas.topic import Topic
    from schemas.topics import TOPICS

    views = getattr(streams.views, "VIEWS", ())
    return [*TOPICS, *(Topic(view.changelog, (), cleanup="compact", is_public=False) for view in views)]


def confirm(question: str, *, yes: bool) -> None:
    """Returns once the user agreed. Raises UsageFault where nobody can be asked."""
    if yes:
        return
    if not sys.stdin.isatty():
        raise UsageFault(
            "this changes something and nobody can be asked: add --yes, or --dry-run to only look"
        )
    typer.confirm(question, abort=True)


def _topics(settings: Settings, addresses: "Addresses | None") -> "Topics":
    from vaart import addresses as known
    from vaart.admin import Topics
    from vaart.kafka import admin, wait_until_reachable

    there = addresses or known.resolve(settings)
    wait_until_reachable(settings, there)
    return Topics(admin(settings, there), there.kafka)


def _unalterable(found: "list[Found]") -> str:
    lines = [
        f"  {each.wanted.name}: {what} is {is_}, not {shall}"
        for each in found
        for what, is_, shall in each.differences
        if what in ("partitions", "replication factor")
    ]
    return (
        "these are fixed once a topic exists, since keys would land elsewhere:\n"
        + "\n".join(lines)
        + "\nset VAART_KAFKA__PARTITIONS and VAART_KAFKA__REPLICATION_FACTOR to what they are, or use another "
        "VAART_KAFKA__TOPIC_PREFIX"
    )


def _show(found: "list[Found]", output: Output) -> None:
    if output is Output.JSON:
        typer.echo(json.dumps({"topics": [_row(each) for each in found]}))
        return
    from rich.console import Console
    from rich.table import Table

    table = Table("", "topic", "partitions", "what", box=None)
    for each in found:
        what = ", ".join(f"{name} {is_ or '-'} → {shall}" for name, is_, shall in each.differences)
        table.add_row(_MARKS[each.state], each.wanted.name, str(each.wanted.partitions), what)
    Console().print(table)


def _row(found: "Found") -> dict[str, Any]:
    return {
        "name": found.wanted.name,
        "state": found.state,
        "partitions": found.wanted.partitions,
        "config": dict(found.wanted.config),
        "differences": [{"what": w, "is": i, "shall_be": s} for w, i, s in found.differences],
    }
