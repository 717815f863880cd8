"""`vaart sources status`: which sources were heard when, and which have fallen silent."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import typer

from vaart.cli.channels import SourcesFile
from vaart.cli.local import Answer, Output
from vaart.cli.moments import Since, moment_ms
from vaart.cli.views import reached
from vaart.errors import DependencyAway, UsageFault

if TYPE_CHECKING:
    from connectors.gateway.hearing import Heard, Way
    from connectors.sources import SourceForm
    from schemas.meta import Instant
    from vaart.addresses import Addresses
    from vaart.settings import Settings

RECORDS_MAX = 100_000
"""Requests that are looked through, the newest first, for sources that are not found."""
OK, SILENT, PAUSED, NEVER = "ok", "silent", "paused", "never heard"
NOT_SINCE = "not since "
DROP, QUEUE = "drop", "queue"
"""What stands for a poller in the cursors of sources whose files, or whose topics, are read."""


@dataclass(frozen=True, slots=True)
class Row:
    """One way in of a source: its channel, or the poller that asks it. `last_heard` is empty where it never was."""

    source: str
    channel: str
    last_heard: str
    silent_after_s: float | None
    state: str
    refused: str = ""


def status(sources: SourcesFile = None, since: Since = "7d", output: Answer = Output.TABLE) -> None:
    """Show when each source was last heard, as far back as requests are kept, and exit with 1 where one is silent.

    A source is silent after its `silent_after_s`; without one it never is. Its last refusal is shown beside it: one
    whose secret is wrong is never heard. Example: `vaart sources status --since 2h`.
    """
    from connectors.sources import forms
    from vaart import clock

    loaded, found = reached()
    path = sources or loaded.gateway.sources
    if path is None:
        raise UsageFault("name the file: --sources sources.yaml, or VAART_GATEWAY__SOURCES")
    known = forms(path)
    now = clock.wall()
    longest_s = max((each.silent_after_s or 0 for each in known.values()), default=0)
    since_ms = min(moment_ms(since), int(now / 1_000 - longest_s * 1_000))
    heard, polled = _looked(loaded, found, known, since_ms)
    rows = list(rows_of(known, heard, polled, now))
    _show(rows, output)
    if any(row.state == SILENT for row in rows):
        raise typer.Exit(1)


def rows_of(
    known: "Mapping[str, SourceForm]", heard: "Heard", polled: "Heard", now: "Instant"
) -> Iterator[Row]:
    """The table, by source."""
    from connectors.gateway.hearing import sends

    for name, form in sorted(known.items()):
        if sends(form):
            yield _row((form.channel, name), form.channel, form, heard, now)
        else:
            yield _row((DROP if form.drop else QUEUE, name), form.channel, form, polled, now)
        for poller in form.poll.poller if form.poll else ():
            yield _row((poller, name), poller, form, polled, now)


def _row(way: "Way", channel: str, form: "SourceForm", heard: "Heard", now: "Instant") -> Row:
    last, refused = heard.latest(way, form), heard.refused.get(way)
    told = "" if refused is None else f"{_text(refused.meta.received_at)}: {refused.why}"
    at = "" if last is None else _text(last) if way in heard.at else NOT_SINCE + _text(last)
    return Row(way[1], channel, at, form.silent_after_s, _state(form, last, way in heard.at, now), told)


def _state(form: "SourceForm", last: "Instant | None", is_found: bool, now: "Instant") -> str:
    if form.is_paused:
        return PAUSED
    if last is not None and form.silent_after_s is not None and now - last > form.silent_after_s * 1_000_000:
        return SILENT
    return OK if is_found else NEVER


def _looked(
    loaded: "Settings", found: "Addresses", known: "Mapping[str, SourceForm]", since_ms: int
) -> "tuple[Heard, Heard]":
    from connectors.gateway.hearing import Heard, last_heard, last_polled, sends
    from schemas.codec import Codec
    from schemas.registry import RegistryAway
    from schemas.topics import CURSORS, RAW
    from vaart.cli.schemas import registry_of
    from vaart.reading import Reader

    wanted = [(form.channel, name) for name, form in known.items() if sends(form) and not form.is_paused]
    with registry_of(loaded, found) as registry, Reader(loaded, found, "vaart.sources") as reader:
        codec, partitions = Codec(registry, loaded.kafka.topic_prefix), loaded.kafka.partitions
        try:
            heard = last_heard(
                reader, codec.decoder(RAW), partitions, wanted, since_ms, lambda read: read >= RECORDS_MAX
            )
            if not any(form.poll or form.queue or form.drop for form in known.values()):
                return heard, Heard()
            return heard, last_polled(reader, codec.decoder(CURSORS), partitions)
        except RegistryAway as error:
            raise DependencyAway(f"{error}: it is needed to read requests") from None


def _text(at: "Instant") -> str:
    return datetime.fromtimestamp(at / 1e6, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _show(rows: list[Row], output: Output) -> None:
    if output is Output.JSON:
        typer.echo(json.dumps([asdict(row) for row in rows]))
        return
    from rich.console import Console
    from rich.table import Table

    table = Table()
    for name in ("source", "channel", "last heard", "silent after", "state", "last refusal"):
        table.add_column(name, overflow="fold", no_wrap=name in ("source", "state"))
    for row in rows:
        after = "" if row.silent_after_s is None else f"{row.silent_after_s:g} s"
        table.add_row(row.source, row.channel, row.last_heard, after, row.state, row.refused)
    Console().print(table)
