"""`vaart sources plan`: a tracking plan, drafted from what a source sent."""

import json
from collections.abc import Iterator
from operator import attrgetter
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vaart.cli.local import Answer, Output
from vaart.cli.views import reached
from vaart.cli.watching import GROUP, require_known
from vaart.errors import DependencyAway

if TYPE_CHECKING:
    from schemas.codec import Decode
    from schemas.meta import Event
    from schemas.topic import Topic
    from vaart.addresses import Addresses
    from vaart.reading import Reader
    from vaart.settings import Settings

EVENTS = 1_000
RECORDS_MAX = 20_000
"""Of each topic, the newest first: a source that was not heard for longer is not found."""

Name = Annotated[str, typer.Argument(help="The source, such as shop-nl.")]
FromLast = Annotated[int, typer.Option("--from-last", min=1, max=100_000, help="Events to draft it from.")]


def plan(name: Name, from_last: FromLast = EVENTS, output: Answer = Output.TABLE) -> None:
    """Draft a tracking plan from the newest events of a source, as YAML for people to mend and keep.

    It reads the events, of sources that send and of those that are polled alike. The draft holds names and kinds, never
    a value. Exits with 1 where there are no events. Example: `vaart sources plan web --from-last 5000 > web.yaml`, then
    `plan: web.yaml` in the file of sources.
    """
    import yaml

    from connectors.plans.drafting import draft

    loaded, found = reached()
    require_known([name], loaded)
    events = sorted(_events(loaded, found, name, from_last), key=attrgetter("meta.received_at"))[-from_last:]
    if not events:
        typer.echo(f"nothing of {name} stands on the input topics", err=True)
        raise typer.Exit(1)
    text = draft(name, events)
    if output is Output.JSON:
        typer.echo(json.dumps({"source": name, "events": len(events), "plan": yaml.safe_load(text)}))
    else:
        typer.echo(text, nl=False)


def _events(loaded: "Settings", found: "Addresses", source: str, count: int) -> "Iterator[Event]":
    from schemas.codec import Codec
    from schemas.registry import RegistryAway
    from schemas.topics import INPUTS
    from vaart.cli.schemas import registry_of
    from vaart.reading import Reader

    with registry_of(loaded, found) as registry, Reader(loaded, found, GROUP) as reader:
        codec = Codec(registry, loaded.kafka.topic_prefix)
        for topic in INPUTS:
            if topic.is_public:
                try:
                    yield from _newest(
                        reader, topic, codec.decoder(topic), loaded.kafka.partitions, source, count
                    )
                except RegistryAway as error:
                    raise DependencyAway(f"{error}: it is needed to read events") from None


def _newest(
    reader: "Reader", topic: "Topic", decode: "Decode", partitions: int, source: str, count: int
) -> "Iterator[Event]":
    """The newest `count` events of the source, and perhaps some older ones."""
    from vaart.backwards import Backwards

    floors = {number: reader.bounds(topic.name, number)[0] for number in range(partitions)}
    back, found, read = Backwards(reader, topic.name, floors), 0, 0
    while back.horizon_ms is not None and found < count and read < RECORDS_MAX:
        for message in back.round():
            read += 1
            event = _decoded(decode, message.value())
            if event is not None and event.meta.source == source:
                found += 1
                yield event


def _decoded(decode: "Decode", value: bytes | None) -> "Event | None":
    """None for what is no event, or cannot be read."""
    from schemas.codec import Undecodable
    from schemas.meta import Event

    try:
        found: Any = None if value is None else decode(value)
    except Undecodable:
        return None
    return found if isinstance(found, Event) else None
