"""`vaart events tail`, `find`: events as they come in, and events that came in, with personal data masked."""

import json
import threading
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vaart.cli.local import Answer, Output
from vaart.cli.moments import moment_ms
from vaart.cli.views import reached
from vaart.errors import DependencyAway

if TYPE_CHECKING:
    from confluent_kafka import Message

    from schemas.topic import Topic
    from vaart.addresses import Addresses
    from vaart.cli.sightings import Sighting, Wanted
    from vaart.reading import Reader
    from vaart.settings import Settings

FOUND_MAX = 50
GROUP = "vaart.events"

Source = Annotated[str, typer.Option(help="Only from this installation, such as shop-nl.")]
Channel = Annotated[str, typer.Option(help="Only from this channel, such as web or store.")]
Type = Annotated[str, typer.Option("--type", help="Only this type, such as OrderPlaced.")]
WithIdentifier = Annotated[
    str,
    typer.Option(
        "--identifier", metavar="KIND:VALUE", help="Only of this customer, such as loyalty_card:1234."
    ),
]
EventId = Annotated[str, typer.Option("--event-id", help="Only the event with this id.")]
Since = Annotated[str, typer.Option(help="From then on: 10m, 12h, 7d ago or 2026-11-25T08:00Z.")]
Until = Annotated[str, typer.Option(help="Before then: 10m, 12h, 7d ago or 2026-11-25T08:00Z.")]
Found = Annotated[int, typer.Option("--limit", min=1, max=100_000, help="The newest so many.")]
Most = Annotated[int | None, typer.Option("--limit", min=1, help="End after so many.")]
Clear = Annotated[bool, typer.Option("--clear", help="Show personal data as it is.")]


def register(app: typer.Typer) -> None:
    """The verbs stand under `events`."""
    group = typer.Typer(help="Events: watch them come in, or look for them.", no_args_is_help=True)
    group.command()(tail)
    group.command()(find)
    app.add_typer(group, name="events")


def tail(
    source: Source = "",
    channel: Channel = "",
    event_type: Type = "",
    identifier: WithIdentifier = "",
    event_id: EventId = "",
    since: Since = "",
    limit: Most = None,
    clear: Clear = False,
    output: Answer = Output.TABLE,
) -> None:
    """Show events as they reach the input topics, one a line, from now on until Ctrl-C.

    Personal data is masked; `--clear` shows it: allow that to few people. With `--output json` each line is an object.
    Examples: `vaart events tail --source shop-nl`, `vaart events tail --since 10m --type OrderPlaced --limit 1`.
    """
    from vaart.cli.sink import stopped_by_signal

    wanted = _wanted(event_type, channel, source, event_id, identifier)
    loaded, found = reached()
    start = moment_ms(since) if since else None
    stopping = stopped_by_signal()
    for count, each in enumerate(_live(loaded, found, wanted, start, stopping, is_clear=clear), 1):
        typer.echo(each.line() if output is Output.TABLE else json.dumps(each.plain()))
        if count == limit:
            return


def find(
    source: Source = "",
    channel: Channel = "",
    event_type: Type = "",
    identifier: WithIdentifier = "",
    event_id: EventId = "",
    since: Since = "",
    until: Until = "",
    limit: Found = FOUND_MAX,
    clear: Clear = False,
    output: Answer = Output.TABLE,
) -> None:
    """Show events of the archive (ingest.events), the newest last; `--since` and `--until` are about when they came in.

    Personal data is masked; `--clear` shows it: allow that to few people. Exits with 1 where there are none. Examples:
    `vaart events find --identifier email:ann@one.example --since 30d`,
    `vaart events find --type OrderPlaced --source shop-nl --limit 5 --output json`.
    """
    from vaart import addresses, settings
    from vaart.cli import archive

    wanted = _wanted(event_type, channel, source, event_id, identifier)
    first, end = (moment_ms(text) if text else None for text in (since, until))
    dsn = addresses.resolve(settings.load()).postgres
    events = archive.find(dsn, wanted, first, end, limit + 1, is_clear=clear)
    _show(events[-limit:], output, more=len(events) > limit)
    if not events:
        raise typer.Exit(1)


def _wanted(event_type: str, channel: str, source: str, event_id: str, identifier: str) -> "Wanted":
    from vaart.cli.sightings import Wanted, identifier_of, require_type

    require_type(event_type, {each.__name__: each for topic in _topics() for each in topic.events})
    return Wanted(event_type, channel, source, event_id, identifier_of(identifier))


def _topics() -> "list[Topic]":
    from schemas.topics import INPUTS

    return [topic for topic in INPUTS if topic.is_public]


def _live(
    loaded: "Settings",
    found: "Addresses",
    wanted: "Wanted",
    since_ms: int | None,
    stopping: threading.Event,
    *,
    is_clear: bool,
) -> "Iterator[Sighting]":
    from schemas.codec import Undecodable, key_text
    from schemas.meta import Event
    from vaart.cli.schemas import registry_of
    from vaart.cli.sightings import seen
    from vaart.reading import Reader

    with registry_of(loaded, found) as registry, Reader(loaded, found, GROUP) as reader:
        decoders = _decoders(loaded, registry)
        starts = _starts(reader, loaded.kafka.partitions, since_ms)
        typer.echo(f"following {len(decoders)} topics; Ctrl-C ends", err=True)
        for message in reader.follow(starts, stopping.is_set):
            topic, partition, offset = place = _place(message)
            try:
                event = _decoded(decoders[topic], message.value())
                if isinstance(event, Event) and wanted.fits(event):
                    yield seen(event, key_text(message.key()), place, is_clear=is_clear)
            except Undecodable as error:
                typer.echo(f"not readable: {topic}[{partition}] at {offset}: {error.reason}", err=True)


def _place(message: "Message") -> tuple[str, int, int]:
    """Topic, partition and offset: every record of a consumer has all three."""
    return message.topic() or "", message.partition() or 0, message.offset() or 0


def _decoded(decode: Callable[[bytes | None], Any], value: bytes | None) -> Any:
    """None for a tombstone."""
    from schemas.registry import RegistryAway

    try:
        return None if value is None else decode(value)
    except RegistryAway as error:
        raise DependencyAway(f"{error}: it is needed to read events") from None


def _decoders(loaded: "Settings", registry: Any) -> dict[str, Callable[[bytes | None], Any]]:
    """By the topics' names on the broker."""
    from schemas.codec import Codec
    from vaart.kafka import topic_name

    codec = Codec(registry, loaded.kafka.topic_prefix)
    return {topic_name(loaded, topic.name): codec.decoder(topic) for topic in _topics()}


def _starts(reader: "Reader", partitions: int, since_ms: int | None) -> dict[tuple[str, int], int]:
    """Where to begin in each partition: at the moment, or at the end there is now."""
    starts = {}
    for topic in _topics():
        numbers = range(partitions)
        offsets = (
            {number: reader.bounds(topic.name, number)[1] for number in numbers}
            if since_ms is None
            else reader.at(topic.name, numbers, since_ms)
        )
        starts.update({(topic.name, number): offset for number, offset in offsets.items()})
    return starts


def _show(events: "list[Sighting]", output: Output, *, more: bool) -> None:
    if output is Output.JSON:
        typer.echo(json.dumps({"events": [each.plain() for each in events], "more": more}))
        return
    for each in events:
        typer.echo(each.line())
    if more:
        typer.echo("and older ones: see --limit, --since, --until", err=True)
    if not events:
        typer.echo("no such event", err=True)
