"""`vaart sources watch`: what sources send, as it comes, and what becomes of it, on whichever gateway it came in."""

import json
from collections.abc import Collection, Iterator
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from difflib import get_close_matches
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vaart.cli.local import Answer, Output
from vaart.cli.moments import moment_ms
from vaart.cli.views import reached
from vaart.errors import DependencyAway, UsageFault

if TYPE_CHECKING:
    import threading

    from schemas.topic import Topic
    from vaart.addresses import Addresses
    from vaart.reading import Reader
    from vaart.settings import Settings

GROUP = "vaart.sources"
REFUSED = "refused"
POLLED = ("a page was polled, more to come", "a page was polled, up to date")
READ = {
    "drop": ("a part of a file was taken", "its files are taken"),
    "queue": ("records of its topics were taken",) * 2,
}
"""What a cursor says of a source that is read, and not polled: while there is more, and at the end."""

Names = Annotated[list[str] | None, typer.Argument(help="Sources, such as shop-nl; without any, all.")]
Count = Annotated[int | None, typer.Option("--count", "-n", min=1, help="End after so many lines.")]
Since = Annotated[
    str, typer.Option(help="From then on: 10m, 12h, 7d ago or 2026-11-25T08:00Z; else from now.")
]


@dataclass(frozen=True, slots=True)
class Line:
    """One request that was taken, refusals of one kind, or one page of a poll. `verdict` is for people."""

    at: str
    source: str
    channel: str
    verdict: str
    request_id: str = ""
    events: dict[str, int] = field(default_factory=dict)
    rejected: int = 0
    to_fetch: int = 0
    off_plan: list[dict[str, Any]] = field(default_factory=list)
    more_off_plan: int = 0
    refused: int = 0

    def text(self) -> str:
        """One line of the table."""
        cells = f"{self.at:24} {self.source:16} {self.channel:12} {self.request_id or '-':36} {self.verdict}"
        return "".join(each if each.isprintable() else "?" for each in cells)


HEAD = Line("TIME", "SOURCE", "CHANNEL", "VERDICT", "REQUEST").text()


def watch(names: Names = None, since: Since = "", count: Count = None, output: Answer = Output.TABLE) -> None:
    """Show what sources send as it comes, one request a line: its events, rejects, and what is not as planned.

    Requests that were refused are told by their count and why, once a minute at most: a wrong secret shows here. Pages
    of polls, files and records of topics are told as taken. Nothing of what they say is shown. Ctrl-C ends it.
    Examples: `vaart sources watch shop-nl`, `vaart sources watch shop-nl --since 10m --count 20 --output json`.
    """
    from vaart.cli.sink import stopped_by_signal

    loaded, found = reached()
    wanted = frozenset(names or ())
    require_known(wanted, loaded)
    start = moment_ms(since) if since else None
    stopping = stopped_by_signal()
    for number, line in enumerate(_lines(loaded, found, wanted, start, stopping), 1):
        if output is Output.TABLE and number == 1:
            typer.echo(HEAD)
        typer.echo(line.text() if output is Output.TABLE else json.dumps(asdict(line)))
        if number == count:
            return


def require_known(names: Collection[str], loaded: "Settings") -> None:
    """Raises UsageFault, with names that are near, for one that the file of sources does not have, if there is one."""
    from connectors.sources import forms

    if loaded.gateway.sources is None:
        return
    known = forms(loaded.gateway.sources)
    for name in names:
        if name not in known:
            near = get_close_matches(name, known) or sorted(known)[:5]
            raise UsageFault(f"there is no source {name!r}: is it {', '.join(near)}?")


def _lines(
    loaded: "Settings",
    found: "Addresses",
    wanted: Collection[str],
    since_ms: int | None,
    stopping: "threading.Event",
) -> Iterator[Line]:
    from schemas.codec import Codec, Undecodable
    from schemas.registry import RegistryAway
    from schemas.topics import CURSORS, RAW
    from vaart.cli.schemas import registry_of
    from vaart.kafka import topic_name
    from vaart.reading import Reader

    topics = (RAW, CURSORS)
    with registry_of(loaded, found) as registry, Reader(loaded, found, GROUP) as reader:
        codec = Codec(registry, loaded.kafka.topic_prefix)
        decoders = {topic_name(loaded, topic.name): codec.decoder(topic) for topic in topics}
        starts = _starts(reader, topics, loaded.kafka.partitions, since_ms)
        typer.echo(f"following {', '.join(sorted(wanted)) or 'every source'}; Ctrl-C ends", err=True)
        for message in reader.follow(starts, stopping.is_set):
            topic, value = message.topic() or "", message.value()
            try:
                record = None if value is None else decoders[topic](value)
            except RegistryAway as error:
                raise DependencyAway(f"{error}: it is needed to read records") from None
            except Undecodable as error:
                typer.echo(f"not readable: {topic} at {message.offset()}: {error.reason}", err=True)
                continue
            line = line_of(record)
            if line is not None and (not wanted or line.source in wanted):
                yield line


def line_of(record: object) -> Line | None:
    """The line for a record; None for one that is of no source."""
    from connectors.gateway import verdicts
    from schemas.events.ingest import CursorMoved, RequestReceived, RequestsRefused

    if not isinstance(record, CursorMoved | RequestReceived | RequestsRefused):
        return None
    meta = record.meta
    at = datetime.fromtimestamp(meta.received_at / 1e6, UTC).isoformat(timespec="milliseconds")
    at = at.replace("+00:00", "Z")
    if isinstance(record, CursorMoved):
        words = READ.get(record.poller, POLLED)[0 if record.page else 1]
        return Line(at, meta.source, record.poller, words)
    if isinstance(record, RequestsRefused):
        words = f"{REFUSED} {record.count}: {record.why}"
        return Line(at, meta.source, meta.channel, words, record.request_id, refused=record.count)
    told = verdicts.read(record.verdict)
    flags = [{**asdict(flag), "count": count} for flag, count in told.off_plan.items()]
    return Line(
        at,
        meta.source,
        meta.channel,
        record.verdict,
        record.request_id,
        told.events,
        told.rejected,
        told.to_fetch,
        flags,
        told.more_flags,
    )


def _starts(
    reader: "Reader", topics: "Collection[Topic]", partitions: int, since_ms: int | None
) -> dict[tuple[str, int], int]:
    """Where to begin in each partition: at the moment, or at the end there is now."""
    starts = {}
    for topic in topics:
        numbers = range(partitions)
        offsets = (
            {number: reader.bounds(topic.name, number)[1] for number in numbers}
            if since_ms is None
            else reader.at(topic.name, numbers, since_ms)
        )
        starts.update({(topic.name, number): offset for number, offset in offsets.items()})
    return starts
