"""`vaart offsets show`, `reset`: how far views and sinks have come in their topics, and moving a view elsewhere."""

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vaart.cli.local import Answer, Output
from vaart.cli.topics import DryRun, Yes, confirm
from vaart.cli.views import Version, at_once, log_for, reached, state_of, view_of
from vaart.errors import DependencyAway, UsageFault

if TYPE_CHECKING:
    from streams.engine.kafka_log import KafkaLog
    from streams.engine.resetting import Aim, Step
    from streams.view import View
    from vaart.addresses import Addresses
    from vaart.settings import Settings

SINK = "postgres"

Name = Annotated[str, typer.Argument(help=f"A view, such as `stock`, or `{SINK}` for the tables.")]
To = Annotated[str, typer.Option("--to", help="earliest, latest, offset:N or time:2026-11-25T08:00:00Z.")]
LaneNumber = Annotated[int | None, typer.Option("--lane", min=0, help="This lane only.")]


@dataclass(frozen=True, slots=True)
class Row:
    """One partition of one topic. `next` is where the reader goes on: of a view, the truth, from its changelog.

    `shown` is what the group shows to Kafka's own tools; `commits` the lane's commit number; `at` the last commit.
    """

    reader: str
    topic: str
    partition: int
    next: int
    shown: int | None
    end: int
    lag: int
    commits: int | None
    state: str
    at: str


def register(app: typer.Typer) -> None:
    """The verbs stand under `offsets`."""
    group = typer.Typer(help="How far views and sinks have come.", no_args_is_help=True)
    group.command()(show)
    group.command()(reset)
    app.add_typer(group, name="offsets")


def show(name: Name, version: Version = None, output: Answer = Output.TABLE) -> None:
    """Show, for each partition, the offset to go on from, the end, and what lies between."""
    loaded, found = reached()
    if name == SINK:
        rows = _rows_of_tables(loaded, found)
    else:
        view, log = view_of(name, version), log_for(loaded, found)
        shown = _shown(view, loaded, found)
        lanes = at_once(lambda lane: list(_rows(view, log, lane, shown)), range(loaded.kafka.partitions))
        rows = [row for rows in lanes for row in rows]
    if output is Output.JSON:
        typer.echo(json.dumps({"offsets": [asdict(row) for row in rows]}))
    else:
        _table(rows)


def reset(
    name: Name,
    to: To,
    lane: LaneNumber = None,
    version: Version = None,
    output: Answer = Output.TABLE,
    dry_run: DryRun = False,
    yes: Yes = False,
) -> None:
    """Let a view go on from other offsets. Its state stays as it is, so this is rarely what you want.

    Going back folds events a second time: a view passes over those whose ids it still remembers (most remember a week),
    and counts the others twice. Going forward skips events for good. To build a state anew, run a new version of the
    view beside this one (`vaart worker VIEW --follows N`). A worker that runs notices within seconds.
    """
    if name == SINK:
        raise UsageFault(
            "a table's offsets are moved in the database, since its rows and offsets belong together: stop the sink,\n"
            "then `DELETE FROM ops.sink_offsets WHERE projection = 'orders'` (the table's name). The sink fills that\n"
            "table again from the oldest record that there is; rows that are newer stay"
        )
    from streams.engine import resetting
    from streams.engine.takeover import standing

    loaded, found = reached()
    view, log = view_of(name, version), log_for(loaded, found)
    aim = _aim(to, log)
    lanes = lanes_of(lane, loaded.kafka.partitions)
    plans = at_once(lambda n: resetting.steps(log, view, n, standing(log, view, n).position, aim), lanes)
    found_steps = [step for plan in plans for step in plan]
    if output is Output.TABLE:
        _tell(found_steps)
    if not dry_run and any(step.here != step.to for step in found_steps):
        confirm(f"Move {view.group}, with its state as it is?", yes=yes)
        found_steps = [step for number in lanes for step in resetting.reset(log, view, number, aim)]
    if output is Output.JSON:
        typer.echo(json.dumps({"steps": [asdict(step) for step in found_steps]}))
    elif not dry_run:
        typer.echo("done: workers that run go on from there within seconds")


def lanes_of(lane: int | None, partitions: int) -> list[int]:
    """The lane that was named, or all of them. Raises UsageFault where there is none of that number."""
    if lane is None:
        return list(range(partitions))
    if lane >= partitions:
        raise UsageFault(f"there is no lane {lane}: the deployment has {partitions}, from 0")
    return [lane]


def _aim(to: str, log: "KafkaLog") -> "Aim":
    kind, _, word = to.partition(":")
    if to == "earliest":
        return lambda source, lane, low, high: low
    if to == "latest":
        return lambda source, lane, low, high: high
    if kind == "offset" and word.isdecimal():
        return lambda source, lane, low, high: int(word)
    if kind == "time":
        return _time_aim(word, log)
    raise UsageFault(f"--to takes earliest, latest, offset:N or time:2026-11-25T08:00:00Z, not {to!r}")


def _time_aim(word: str, log: "KafkaLog") -> "Aim":
    try:
        moment = datetime.fromisoformat(word)
    except ValueError:
        raise UsageFault(f"{word!r} is no time: write it as 2026-11-25T08:00:00Z") from None
    if moment.tzinfo is None:
        raise UsageFault(f"{word!r} has no time zone: write {word}Z for UTC")
    at = int(moment.timestamp() * 1e6)

    def aim(source: str, lane: int, low: int, high: int) -> int:
        found = log.offset_at(source, lane, at)
        return high if found is None else found

    return aim


def _tell(found: "list[Step]") -> None:
    for step in found:
        distance = step.to - step.here
        what = f"skips {distance} records for good" if distance > 0 else f"folds {-distance} records again"
        typer.echo(
            f"{step.source}[{step.lane}]: from {step.here} to {step.to}, {what if distance else 'as it is'}"
        )


def _rows(view: "View", log: "KafkaLog", lane: int, shown: "dict[tuple[str, int], int]") -> Iterator[Row]:
    from streams.engine.takeover import standing

    position = standing(log, view, lane).position
    for source in view.sources:
        low, end = log.bounds(source.name, lane)
        known = None if position is None else position.next_offsets.get(source.name)
        here = low if known is None else known
        yield Row(
            reader=view.group,
            topic=source.name,
            partition=lane,
            next=here,
            shown=shown.get((source.name, lane)),
            end=end,
            lag=max(0, end - here),
            commits=0 if position is None else position.commits,
            state="new" if position is None else state_of(position),
            at="" if position is None or not position.at else _iso(position.at),
        )


def _shown(view: "View", loaded: "Settings", found: "Addresses") -> "dict[tuple[str, int], int]":
    """What the group shows: it follows the truth about once a second, while a worker runs."""
    from confluent_kafka import Consumer, KafkaException, TopicPartition

    from vaart import kafka

    prefix = loaded.kafka.topic_prefix
    partitions = [
        TopicPartition(prefix + source.name, number)
        for source in view.sources
        for number in range(loaded.kafka.partitions)
    ]
    consumer = Consumer(kafka.consumer_config(loaded, found, view.group))
    try:
        committed: list[Any] = consumer.committed(partitions, timeout=kafka.METADATA_TIMEOUT_S)
    except KafkaException as error:
        raise DependencyAway(
            f"Kafka does not answer for the group {view.group} ({error.args[0].name()})"
        ) from error
    finally:
        consumer.close()
    return {
        (each.topic.removeprefix(prefix), each.partition): each.offset
        for each in committed
        if each.offset >= 0
    }


def _rows_of_tables(loaded: "Settings", found: "Addresses") -> list[Row]:
    from sinks.postgres.offsets import every

    log, prefix = log_for(loaded, found), loaded.kafka.topic_prefix
    kept = [each for each in every(found.postgres) if each.lane.topic.startswith(prefix)]
    ends = dict(
        at_once(_ender(log, prefix), sorted({(each.lane.topic, each.lane.partition) for each in kept}))
    )
    return [
        Row(
            reader=each.lane.table,
            topic=each.lane.topic.removeprefix(prefix),
            partition=each.lane.partition,
            next=each.next,
            shown=None,
            end=ends[each.lane.topic, each.lane.partition],
            lag=max(0, ends[each.lane.topic, each.lane.partition] - each.next),
            commits=None,
            state="",
            at=each.at.isoformat(timespec="seconds"),
        )
        for each in kept
    ]


def _ender(log: "KafkaLog", prefix: str) -> Callable[[tuple[str, int]], tuple[tuple[str, int], int]]:
    return lambda place: (place, log.bounds(place[0].removeprefix(prefix), place[1])[1])


def _iso(at: int) -> str:
    return datetime.fromtimestamp(at / 1e6, UTC).isoformat(timespec="seconds")


def _table(rows: list[Row]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(
        "reader", "topic", "partition", "next", "shown", "end", "lag", "commits", "state", "at", box=None
    )
    for row in rows:
        table.add_row(*("" if value is None else str(value) for value in asdict(row).values()))
    Console().print(table)
