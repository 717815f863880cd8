"""`vaart requests list`, `redrive`: requests of sources as they came, and sending them through once more."""

import asyncio
import json
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vaart.cli.channels import SourcesFile
from vaart.cli.local import Answer, Output
from vaart.cli.moments import Since, moment_ms
from vaart.cli.topics import DryRun, Yes, confirm
from vaart.cli.views import reached
from vaart.errors import UsageFault

if TYPE_CHECKING:
    from connectors.sources import Sources
    from schemas.codec import Codec
    from schemas.events.ingest import RequestReceived
    from vaart.addresses import Addresses
    from vaart.settings import Settings

LISTED_MAX = 50
UNREAD = "requests or items that could not be read"

OfSource = Annotated[str, typer.Option("--source", help="Only requests of this source.")]
OfChannel = Annotated[str, typer.Option("--channel", help="Only requests of this channel.")]
Ids = Annotated[list[str] | None, typer.Argument(help="Requests, by their ids; without any, all that fit.")]
Most = Annotated[int | None, typer.Option("--limit", min=1, help="At most so many requests.")]


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which requests are meant. An empty word fits all."""

    ids: frozenset[str]
    channel: str
    source: str
    since_ms: int

    def fits(self, kept: "RequestReceived") -> bool:
        """Whether this one is."""
        is_named = not self.ids or kept.request_id in self.ids
        return is_named and self.channel in ("", kept.meta.channel) and self.source in ("", kept.meta.source)


def register(app: typer.Typer) -> None:
    """The verbs stand under `requests`."""
    group = typer.Typer(help="What sources sent, as it came; kept for 7 days.", no_args_is_help=True)
    group.command("list")(list_all)
    group.command()(redrive)
    app.add_typer(group, name="requests")


def list_all(
    channel: OfChannel = "",
    source: OfSource = "",
    since: Since = "1h",
    limit: Annotated[int, typer.Option(min=1)] = LISTED_MAX,
    output: Answer = Output.TABLE,
) -> None:
    """Show requests that came in and what they came to, without a word of what they say.

    Example: `vaart requests list --source shop-nl --since 30m`.
    """
    loaded, found = reached()
    wanted = Wanted(frozenset(), channel, source, moment_ms(since))
    with _stored(loaded, found, wanted) as (kept, _):
        rows = [_row(each) for each in islice(kept, limit)]
    if output is Output.JSON:
        typer.echo(json.dumps(rows))
    else:
        _show(rows)


def redrive(
    ids: Ids = None,
    channel: OfChannel = "",
    source: OfSource = "",
    since: Since = "1h",
    limit: Most = None,
    sources: SourcesFile = None,
    dry_run: DryRun = False,
    yes: Yes = False,
    output: Answer = Output.TABLE,
) -> None:
    """Read stored requests again, by the channels as they are now, and send the events that come of it.

    What was known already has the id that it had, so that views pass it over. Exits with 1 where a request could not be
    read. Example: `vaart requests redrive --source shop-nl --since 2h --dry-run`.
    """
    from connectors import sources as room

    loaded, found = reached()
    path = sources or loaded.gateway.sources
    if path is None:
        raise UsageFault("name the file of sources: --sources sources.yaml, or VAART_GATEWAY__SOURCES")
    known = room.load(path)
    wanted = Wanted(frozenset(ids or ()), channel, source, moment_ms(since))
    if not dry_run:
        confirm("Send the events of these requests again?", yes=yes)
    with _stored(loaded, found, wanted) as (kept, codec):
        chosen = islice(kept, limit)
        told = asyncio.run(_sent(loaded, found, codec, chosen, known, dry_run=dry_run))
    if output is Output.JSON:
        typer.echo(json.dumps(dict(told)))
    else:
        for word, count in sorted(told.items()):
            typer.echo(f"{count:8,} {word}")
        typer.echo("nothing was sent (--dry-run)" if dry_run else "sent")
    if told[UNREAD]:
        raise typer.Exit(1)


async def _sent(
    loaded: "Settings",
    found: "Addresses",
    codec: "Codec",
    chosen: "Iterator[RequestReceived]",
    known: "Sources",
    *,
    dry_run: bool,
) -> Counter[str]:
    """How many events of each type, and what stood in the way."""
    from connectors.gateway.encoding import Encoding, Misfit
    from connectors.gateway.redrive import read_again
    from connectors.protocol.channel import Verdict
    from vaart.kafka import Publisher

    told: Counter[str] = Counter()
    encoding = Encoding(codec, loaded.identifier_secret.get_secret_value())
    with Publisher(loaded, found) as publisher:
        for kept in chosen:
            told["requests"] += 1
            outcome = read_again(kept, known)
            if not isinstance(outcome, Verdict):
                told[UNREAD] += 1
                continue
            told[UNREAD] += len(outcome.rejects)
            for event, record in zip(outcome.events, await encoding.records(outcome.events), strict=True):
                if isinstance(record, Misfit):
                    told[UNREAD] += 1
                    continue
                told[type(event).__name__] += 1
                if not dry_run:
                    publisher.publish(record.topic, record.key, record.value)
    return told


@contextmanager
def _stored(
    loaded: "Settings", found: "Addresses", wanted: Wanted
) -> "Iterator[tuple[Iterator[RequestReceived], Codec]]":
    """The requests that are meant, by partition and time, up to now."""
    from schemas.codec import Codec
    from schemas.events.ingest import RequestReceived
    from schemas.topics import RAW
    from vaart.cli.schemas import registry_of
    from vaart.reading import Reader

    with registry_of(loaded, found) as registry, Reader(loaded, found, "vaart.requests") as reader:
        codec = Codec(registry, loaded.kafka.topic_prefix)
        decode = codec.decoder(RAW)
        starts = reader.at(RAW.name, range(loaded.kafka.partitions), wanted.since_ms)
        every: Any = (decode(message.value()) for message in reader.records(RAW.name, starts))
        yield (kept for kept in every if isinstance(kept, RequestReceived) and wanted.fits(kept)), codec


def _row(kept: "RequestReceived") -> dict[str, Any]:
    from datetime import UTC, datetime

    at = datetime.fromtimestamp(kept.meta.received_at / 1e6, UTC)
    return {
        "id": kept.request_id,
        "at": at.isoformat(timespec="seconds"),
        "channel": kept.meta.channel,
        "source": kept.meta.source,
        "bytes": len(kept.body),
        "verdict": kept.verdict,
    }


def _show(rows: list[dict[str, Any]]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table()
    for name in ("id", "at", "channel", "source", "bytes", "verdict"):
        table.add_column(name, overflow="fold", no_wrap=name == "id")
    for row in rows:
        table.add_row(*map(str, row.values()))
    Console().print(table)
