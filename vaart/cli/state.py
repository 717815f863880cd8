"""`vaart state get VIEW KEY`: what a view knows of one key."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer

from vaart.cli.local import Answer, Output
from vaart.cli.views import Version, ViewName, log_for, reached, view_of
from vaart.errors import UsageFault

if TYPE_CHECKING:
    from streams.engine.lookup import Found

Key = Annotated[
    str, typer.Argument(help="The key, as it stands on the view's topics (a person's is hashed).")
]
LaneNumber = Annotated[
    int | None, typer.Option("--lane", min=0, help="The partition, where it does not follow from the key.")
]


def register(app: typer.Typer) -> None:
    """The verb stands under `state`."""
    group = typer.Typer(help="What views know.", no_args_is_help=True)
    group.command()(get)
    group.callback()(_state)
    app.add_typer(group, name="state")


def _state() -> None:
    """What views know."""


def get(
    view: ViewName,
    key: Key,
    lane: LaneNumber = None,
    version: Version = None,
    output: Answer = Output.TABLE,
) -> None:
    """Show the live state of a key as of the last commit, whether or not a worker runs.

    It reads the key's whole changelog partition. It shows personal data as it is: allow it to few people, and log who
    used it. Times are microseconds since 1970 UTC, amounts ten-thousandths, dates days since 1970. Exits with 1 where
    the view knows nothing of the key.
    """
    from streams.engine.lookup import lane_of, look_up

    loaded, found = reached()
    if lane is not None and lane >= loaded.kafka.partitions:
        raise UsageFault(f"there is no lane {lane}: the deployment has {loaded.kafka.partitions}, from 0")
    number = lane_of(key.encode(), loaded.kafka.partitions) if lane is None else lane
    with _progress() as tell:
        state = look_up(log_for(loaded, found), view_of(view, version), number, key.encode(), tell)
    if output is Output.JSON:
        typer.echo(json.dumps(_answer(state)))
    else:
        typer.echo(json.dumps(_answer(state), indent=2, ensure_ascii=False))
        typer.echo(f"{state.records} records of lane {number} were read", err=True)
    if state.head is None:
        raise typer.Exit(1)


@contextmanager
def _progress() -> Iterator[Callable[[int, int], None]]:
    """A bar on standard error while a long partition is read."""
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("reading the changelog", total=None)
        first: list[int] = []

        def tell(reached: int, end: int) -> None:
            first[:] = first or [reached]
            progress.update(task, completed=reached - first[0], total=max(1, end - first[0]))

        yield tell


def _answer(state: "Found") -> dict[str, Any]:
    return {
        "lane": state.lane,
        "commits": None if state.position is None else state.position.commits,
        "next_offsets": {} if state.position is None else state.position.next_offsets,
        "head": _plain(state.head),
        "wake_at": state.wake_at,
        "collections": {
            name: [{"part": list(part), "record": _plain(record)} for part, record in sorted(records.items())]
            for name, records in state.collections.items()
        },
        "records_read": state.records,
    }


def _plain(value: Any) -> Any:
    """Records by the names of their fields: the engine keeps them as arrays."""
    if isinstance(value, msgspec.Struct):
        return {name: _plain(getattr(value, name)) for name in value.__struct_fields__}
    if isinstance(value, dict):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(each) for each in value]
    return msgspec.to_builtins(value)
