"""`vaart views list`, `switch`: the live views, and going from one version of a view to the next."""

import json
import re
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from vaart.cli.local import Answer, Output
from vaart.cli.topics import DryRun, Yes, confirm
from vaart.errors import UsageFault

if TYPE_CHECKING:
    from streams.engine.kafka_log import KafkaLog
    from streams.engine.position import Position
    from streams.engine.switching import Lead
    from streams.view import View
    from vaart.addresses import Addresses
    from vaart.settings import Settings

AT_ONCE = 8

ViewName = Annotated[str, typer.Argument(help="The view, such as `stock`.")]
Version = Annotated[int | None, typer.Option(min=1, help="Another version of the view than this program's.")]

T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Listed:
    """One version of a view. `lanes` have a state, out of `of`; `lag` counts offsets that are not folded yet."""

    name: str
    version: int
    epoch: int
    group: str
    lanes: int
    of: int
    state: str
    lag: int


def register(app: typer.Typer) -> None:
    """The verbs stand under `views`."""
    group = typer.Typer(help="The live views and their versions.", no_args_is_help=True)
    group.command("list")(list_all)
    group.command()(switch)
    app.add_typer(group, name="views")


def list_all(output: Answer = Output.TABLE) -> None:
    """Show every version of every view that has a changelog: whether it speaks, and how far it is behind."""
    from streams.views import VIEWS
    from vaart import kafka

    loaded, found = reached()
    topics = kafka.admin(loaded, found).list_topics(timeout=kafka.METADATA_TIMEOUT_S).topics
    versions = [each for view in VIEWS for each in _versions(view, loaded.kafka.topic_prefix, topics)]
    log = log_for(loaded, found)
    rows = at_once(lambda view: _listed(view, log, loaded.kafka.partitions), versions)
    _show_list(rows, output)


def switch(view: ViewName, output: Answer = Output.TABLE, dry_run: DryRun = False, yes: Yes = False) -> None:
    """Stop the version that this one follows, for good, and let this one speak from where that one stood.

    Nothing is lost and nothing is said twice. Let the new version catch up first (`vaart views list`): nothing goes
    out until it has. Workers of the old version end with exit code 78; stop whatever starts them. Repeat it if it was
    interrupted.
    """
    from streams.engine import switching
    from vaart import clock

    loaded, found = reached()
    known, log = view_of(view), log_for(loaded, found)
    lanes = range(loaded.kafka.partitions)
    leads = at_once(lambda lane: switching.lead(log, known, lane), lanes)
    open_ = [lead for lead in leads if not lead.is_switched]
    if output is Output.TABLE:
        _show_leads(leads)
    if open_ and not dry_run:
        behind = sum(lead.behind for lead in open_)
        confirm(
            f"Retire version {open_[0].follows} of {view} in {len(open_)} lanes? It cannot be undone. Version "
            f"{known.version} has {behind} records to fold before it speaks.",
            yes=yes,
        )
        leads = [switching.switch(log, known, lane, clock.wall()) for lane in lanes]
    if output is Output.JSON:
        typer.echo(json.dumps({"lanes": [asdict(lead) for lead in leads]}))
    elif not dry_run:
        typer.echo(f"done: version {known.version} of {view} speaks, or does as soon as it has caught up")


def reached() -> "tuple[Settings, Addresses]":
    """The settings and addresses, once Kafka answers."""
    from vaart import addresses, kafka, settings

    loaded = settings.load()
    found = addresses.resolve(loaded)
    kafka.wait_until_reachable(loaded, found)
    return loaded, found


def log_for(loaded: "Settings", found: "Addresses") -> "KafkaLog":
    """The log, as a command reads it."""
    from streams.engine.kafka_log import log_of

    return log_of(loaded, found, "vaart.command")


def view_of(name: str, version: int | None = None) -> "View":
    """The view of that name, in this program's version or another one. Raises UsageFault where there is none."""
    from streams.views import VIEWS

    by_name = {known.name: known for known in VIEWS}
    if name not in by_name:
        raise UsageFault(f"there is no view {name!r}; there are: {', '.join(by_name)}")
    view = by_name[name]
    if version is None or version == view.version:
        return view
    return replace(view, version=version, epoch=max(version, view.epoch))


def at_once(ask: Callable[[T], R], things: Iterable[T]) -> list[R]:
    """What `ask` says to each of them, in their order; several are asked at a time."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(ask, things))


def require_heir(view: "View", loaded: "Settings", found: "Addresses") -> None:
    """Raises ConfigFault where this version would begin aloud beside an older one, and say everything again."""
    from streams.engine.takeover import standing
    from vaart import kafka
    from vaart.errors import ConfigFault

    if view.version == 1:
        return
    log, lanes = log_for(loaded, found), range(loaded.kafka.partitions)
    topics = kafka.admin(loaded, found).list_topics(timeout=kafka.METADATA_TIMEOUT_S).topics
    older = [
        each for each in _versions(view, loaded.kafka.topic_prefix, topics) if each.version < view.version
    ]
    new = [lane for lane in lanes if standing(log, view, lane).position is None] if older else []
    for each in reversed(older):
        if any(standing(log, each, lane).position is not None for lane in new):
            raise ConfigFault(
                f"version {each.version} of {view.name} has a state and this one, version {view.version}, has none: "
                f"it would say everything again.\nLet it follow: `vaart worker {view.name} --follows {each.version}`, "
                f"then `vaart views switch {view.name}`; or delete the topic {each.changelog}, if that version is gone."
            )


def _versions(view: "View", prefix: str, topics: Iterable[str]) -> "Iterator[View]":
    pattern = re.compile(rf"{re.escape(prefix)}vaart\.{re.escape(view.name)}\.v(\d+)\.changelog")
    for version in sorted(int(found[1]) for topic in topics if (found := pattern.fullmatch(topic))):
        yield view_of(view.name, version)


def _listed(view: "View", log: "KafkaLog", partitions: int) -> Listed:
    from streams.engine.takeover import standing

    positions = [standing(log, view, lane).position for lane in range(partitions)]
    begun = [(lane, each) for lane, each in enumerate(positions) if each is not None]
    lag = sum(
        log.bounds(topic, lane)[1] - offset
        for lane, each in begun
        if each.retired is None
        for topic, offset in each.next_offsets.items()
    )
    epoch = max((each.epoch for _, each in begun), default=view.epoch)
    states = sorted({state_of(each) for _, each in begun}) or ["new"]
    return Listed(
        view.name, view.version, epoch, view.group, len(begun), partitions, ", ".join(states), max(0, lag)
    )


def state_of(position: "Position") -> str:
    """In words, whether the lane speaks, and whether it goes on at all."""
    if position.retired is not None:
        return f"retired by {position.retired.by}"
    if position.stopped is not None:
        return "stopped"
    if position.muted is None:
        return "speaks"
    if position.muted.until is not None:
        return f"takes over from {position.muted.version}"
    return f"muted behind {position.muted.version}"


def _show_list(rows: list[Listed], output: Output) -> None:
    if output is Output.JSON:
        typer.echo(json.dumps({"views": [asdict(row) for row in rows]}))
        return
    from rich.console import Console
    from rich.table import Table

    table = Table("view", "version", "epoch", "group", "lanes", "state", "lag", box=None)
    for row in rows:
        lanes = f"{row.lanes} of {row.of}"
        table.add_row(row.name, str(row.version), str(row.epoch), row.group, lanes, row.state, str(row.lag))
    Console().print(table)


def _show_leads(leads: "list[Lead]") -> None:
    for lead in leads:
        who = (
            "speaks"
            if lead.follows is None
            else f"follows version {lead.follows}, {lead.behind} records behind"
        )
        typer.echo(f"lane {lead.lane}: {who}{', switched' if lead.is_switched and lead.follows else ''}")
