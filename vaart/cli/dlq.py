"""`vaart dlq list`, `show`, `replay`, `skip`, `purge`, `resume`: dead letters, and lanes that stopped over them."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vaart.cli.local import Answer, Output
from vaart.cli.moments import moment_ms
from vaart.cli.offsets import LaneNumber, lanes_of
from vaart.cli.topics import DryRun, Yes, confirm
from vaart.cli.views import ViewName, at_once, log_for, reached, view_of

if TYPE_CHECKING:
    from vaart.cli.desk import Plan, Verb, Wanted

LISTED_MAX = 50
COLUMNS = ("id", "at", "service", "stage", "reason", "topic", "partition", "offset", "attempt", "state")

Ids = Annotated[list[str] | None, typer.Argument(help="Letters, such as 3-1204; without any, all that fit.")]
Id = Annotated[str, typer.Argument(help="The letter, such as 3-1204.")]
Reason = Annotated[str, typer.Option(help="Only this reason, such as truncated or fold_raised.")]
FromTopic = Annotated[str, typer.Option("--topic", help="Only records of this topic.")]
OfView = Annotated[str, typer.Option("--view", help="Only what this view gave up on.")]
Since = Annotated[str, typer.Option(help="Only letters since then: 30m, 12h, 7d ago or 2026-11-25T08:00Z.")]
Most = Annotated[int | None, typer.Option("--limit", min=1, help="At most so many letters.")]
Listed = Annotated[int, typer.Option("--limit", min=1, help="At most so many letters.")]
Payload = Annotated[bool, typer.Option("--payload", help="Its bytes too. They may hold personal data.")]
Before = Annotated[str, typer.Option(help="Letters from before then: 30m, 12h, 7d ago or 2026-11-25T08:00Z.")]


def register(app: typer.Typer) -> None:
    """The verbs stand under `dlq`."""
    group = typer.Typer(help="Dead letters: records that could not be taken further.", no_args_is_help=True)
    group.command("list")(list_all)
    for verb in (show, replay, skip, purge, resume):
        group.command()(verb)
    app.add_typer(group, name="dlq")


def list_all(
    reason: Reason = "",
    topic: FromTopic = "",
    view: OfView = "",
    since: Since = "",
    limit: Listed = LISTED_MAX,
    output: Answer = Output.TABLE,
) -> None:
    """Show dead letters, without a word of what their records say.

    Example: `vaart dlq list --view stock --reason fold_raised --since 12h`.
    """
    from vaart.cli.desk import desk
    from vaart.cli.lettered import row

    with desk() as at:
        decisions = at.decisions()
        found = at.matching(_wanted([], reason, topic, view, since))
        rows = [row(filed, decisions.state(filed)) for filed in islice(found, limit)]
        more = sum(1 for _ in found)
        unreadable = at.letterbox.unreadable
    if output is Output.JSON:
        typer.echo(json.dumps({"letters": rows, "more": more, "unreadable": unreadable}))
        return
    _table(rows)
    if more:
        typer.echo(f"and {more} more: see --limit, --reason, --topic, --view, --since")
    if unreadable:
        typer.echo(f"{unreadable} records could not be read as dead letters")


def show(letter: Id, payload: Payload = False, output: Answer = Output.TABLE) -> None:
    """Show all that is known of one letter; its key, value and headers only with --payload."""
    from vaart.cli.desk import desk
    from vaart.cli.letterbox import id_of
    from vaart.cli.lettered import full

    with desk() as at:
        filed = at.letterbox.letter(id_of(letter))
        found = full(filed, at.decisions().state(filed), with_payload=payload)
    if output is Output.JSON:
        typer.echo(json.dumps(found))
        return
    for name, value in found.items():
        typer.echo(f"{name:16} {value}")


def replay(
    letters: Ids = None,
    reason: Reason = "",
    topic: FromTopic = "",
    view: OfView = "",
    since: Since = "",
    limit: Most = None,
    output: Answer = Output.TABLE,
    dry_run: DryRun = False,
    yes: Yes = False,
) -> None:
    """Give records back to the view that gave up on them, once what was wrong is mended. Nobody else sees them again.

    Each letter is replayed once, however often this runs, or is cut off. A record that fails again is a new letter of
    the next attempt; after the fifth it is refused. Examples: `vaart dlq replay 3-1204`,
    `vaart dlq replay --view stock --reason fold_raised --since 12h --dry-run`.
    """
    _settle("replay", _wanted(letters or [], reason, topic, view, since), limit, output, dry_run, yes)


def skip(
    letters: Ids = None,
    reason: Reason = "",
    topic: FromTopic = "",
    view: OfView = "",
    since: Since = "",
    limit: Most = None,
    output: Answer = Output.TABLE,
    dry_run: DryRun = False,
    yes: Yes = False,
) -> None:
    """Mark letters as dealt with: they are not replayed any more.

    Example: `vaart dlq skip --topic commerce.orders.v1 --reason json`.
    """
    _settle("skip", _wanted(letters or [], reason, topic, view, since), limit, output, dry_run, yes)


def purge(before: Before, output: Answer = Output.TABLE, dry_run: DryRun = False, yes: Yes = False) -> None:
    """Delete all letters from before a moment, for good, whatever was decided on them.

    Copies of those that were replayed stay on the topic of settled letters until they expire, 28 days after the replay.
    """
    from vaart.cli.desk import desk

    with desk() as at:
        ranges = at.letterbox.older(moment_ms(before))
        count = sum(stop - first for first, stop in ranges.values())
        if output is Output.TABLE:
            typer.echo(f"{count} offsets of dead letters lie before {before}")
        if count and not dry_run:
            confirm(f"Delete them for good, in {len(ranges)} partitions?", yes=yes)
            at.purge({partition: stop for partition, (_, stop) in ranges.items()})
    if output is Output.JSON:
        typer.echo(json.dumps({"before": before, "offsets": count, "purged": bool(count and not dry_run)}))
    elif count and not dry_run:
        typer.echo("done: they are gone")


def resume(
    view: ViewName,
    lane: LaneNumber = None,
    output: Answer = Output.TABLE,
    dry_run: DryRun = False,
    yes: Yes = False,
) -> None:
    """Let lanes of a view go on that stopped because too many of their records became dead letters.

    See `vaart dlq list --view VIEW` first, and mend what was wrong: they stop again at the next thousand. A worker that
    runs notices within seconds. Example: `vaart dlq resume stock --lane 2`.
    """
    from streams.engine import stops

    loaded, found = reached()
    known, log = view_of(view), log_for(loaded, found)
    lanes = lanes_of(lane, loaded.kafka.partitions)
    stopped = dict(zip(lanes, at_once(lambda n: stops.of(log, known, n), lanes), strict=True))
    standing = {number: each for number, each in stopped.items() if each is not None}
    if output is Output.TABLE:
        typer.echo(stops.fault(known, standing) or f"no lane of {view} stands still")
    if standing and not dry_run:
        confirm(f"Let {len(standing)} lanes of {view} go on?", yes=yes)
        for number in standing:
            stops.lift(log, known, number)
    if output is Output.JSON:
        rows = [
            {"lane": n, "since": _iso(each.at // 1000), "reason": each.word} for n, each in standing.items()
        ]
        typer.echo(json.dumps({"stopped": rows, "resumed": bool(standing and not dry_run)}))
    elif standing and not dry_run:
        typer.echo("done: they go on within seconds where a worker runs")


def _settle(
    verb: "Verb", wanted: "Wanted", limit: int | None, output: Output, dry_run: bool, yes: bool
) -> None:
    from vaart.cli.desk import desk

    with desk() as at:
        plan = at.plan(wanted, verb, limit)
        settled = 0
        if output is Output.TABLE:
            _tell(plan, verb)
        if plan.ids and not dry_run:
            confirm(f"{verb} {len(plan.ids)} letters?", yes=yes)
            settled = at.settle(wanted, verb, limit)
    if output is Output.JSON:
        typer.echo(json.dumps({"letters": plan.ids, "refused": dict(plan.refused), "settled": settled}))
    elif plan.ids and not dry_run:
        typer.echo(
            f"done: {settled} letters"
            + (", which their lanes take within seconds" if verb == "replay" else "")
        )


def _wanted(ids: list[str], reason: str, topic: str, view: str, since: str) -> "Wanted":
    from vaart.cli.desk import Wanted
    from vaart.cli.letterbox import id_of

    service = f"vaart.{view_of(view).name}.v" if view else ""
    return Wanted(tuple(map(id_of, ids)), reason, topic, service, moment_ms(since) if since else 0)


def _iso(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="seconds")


def _tell(plan: "Plan", verb: str) -> None:
    typer.echo(f"{len(plan.ids)} letters to {verb}")
    for hindrance, count in plan.refused.most_common():
        typer.echo(f"{count} letters not: {hindrance}")


def _table(rows: Sequence[Mapping[str, Any]]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(*COLUMNS, box=None)
    for each in rows:
        table.add_row(*(str(each[column]) for column in COLUMNS))
    Console().print(table)
