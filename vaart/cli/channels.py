"""`vaart channels list`, `try`, `vaart sources check`: the channels there are, and what they make of a request.

The other verbs of `sources`: watching.py, silence.py, planning.py.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import parse_qsl, urlsplit

import typer

from vaart.cli.local import Answer, Output
from vaart.errors import UsageFault

if TYPE_CHECKING:
    from connectors.protocol.channel import Channel, Outcome, Request
    from connectors.sources import Installed, Sources

SourcesFile = Annotated[
    Path | None, typer.Option("--sources", help="The file of sources; VAART_GATEWAY__SOURCES otherwise.")
]


def register(app: typer.Typer) -> None:
    """The verbs stand under `channels` and `sources`."""
    from vaart.cli import planning, silence, watching

    channels = typer.Typer(help="The ways in.", no_args_is_help=True)
    channels.command("list")(list_all)
    channels.command("try")(try_one)
    app.add_typer(channels, name="channels")
    sources = typer.Typer(help="The installations that may send.", no_args_is_help=True)
    for verb in (check, watching.watch, silence.status, planning.plan):
        sources.command()(verb)
    app.add_typer(sources, name="sources")


def list_all(output: Answer = Output.TABLE) -> None:
    """Show every channel: where it sends to, how it proves who it is, and how sure we are of what it sends."""
    from connectors.channels import CHANNELS

    rows = [_told(channel) for channel in CHANNELS]
    if output is Output.JSON:
        typer.echo(json.dumps(rows))
    else:
        _show(rows, "name", "title", "proof", "signature", "payload", "origin", "address")


def try_one(
    channel: Annotated[str, typer.Argument(help="The channel, such as `shopify`.")],
    source: Annotated[str, typer.Option(help="The source's name, as it stands in the file of sources.")],
    body: Annotated[Path, typer.Option(help="The request's body, byte for byte.", exists=True)],
    headers: Annotated[
        Path | None, typer.Option(help="Its headers, one a line: `Name: value`.", exists=True)
    ] = None,
    sources: SourcesFile = None,
    method: Annotated[str, typer.Option(help="GET, POST ...")] = "POST",
    route: Annotated[str, typer.Option(help="What follows /in/{channel}/{source}, with its query.")] = "",
    url: Annotated[str, typer.Option(help="The address as the sender knows it, where it is signed.")] = "",
) -> None:
    """Print what a request means, as JSON: the verdict, the events, and what was put aside. Nothing is sent.

    Example: `vaart channels try shopify --source shop-nl --headers headers.txt --body order.json`. Exits with 1 where
    the request is refused or an item is put aside. A record of a source that has a queue needs no proof; its topic is
    given as `--route`.
    """
    import msgspec

    from connectors.gateway.redrive import vouched

    loaded, found = _loaded(sources), None
    if loaded is not None:
        found = loaded.named(channel, source)
    if found is None:
        raise UsageFault(
            f"there is no source {source} of the channel {channel}: `vaart sources check` lists them"
        )
    request = _request(method, route, url, headers, body.read_bytes())
    outcome = found.channel.receive(request, vouched(found.source) if found.form.queue else found.source)
    told = {"verdict": type(outcome).__name__.lower(), **_words_of(outcome)}
    typer.echo(json.dumps(told, indent=2, ensure_ascii=False, default=msgspec.to_builtins))
    if told["verdict"] != "verdict" or told["rejects"]:
        raise typer.Exit(1)


def check(sources: SourcesFile = None, output: Answer = Output.TABLE) -> None:
    """Read the file of sources, say every fault of it at once, and list the addresses to give to the senders.

    The tracking plans that it names are read, too; of sources with files it is said which folder, mapping or key this
    machine has not. Example: `vaart sources check --sources sources.yaml`.
    """
    from connectors.drops.checking import raise_faults
    from vaart.settings import load

    loaded, path = _loaded(sources), sources or load().gateway.sources
    if loaded is None or path is None:
        raise UsageFault("name the file: --sources sources.yaml, or VAART_GATEWAY__SOURCES")
    raise_faults([each for each in loaded.by_name.values() if each.form.drop], path)
    base = load().gateway.public_url.rstrip("/") or "https://<your gateway>"
    rows = [
        {
            "name": name,
            "channel": found.channel.name,
            "address": _read_from(found) or base + _address(found.channel, name),
            "secrets": len(found.source.secrets),
            "paused": found.form.is_paused,
            "plan": str(found.form.plan or ""),
        }
        for name, found in sorted(loaded.by_name.items())
    ]
    if output is Output.JSON:
        typer.echo(json.dumps(rows))
    else:
        _show(rows, "name", "channel", "address", "secrets", "paused", "plan")


def _loaded(path: Path | None) -> "Sources | None":
    from connectors.sources import load
    from vaart import settings

    named = path or settings.load().gateway.sources
    return load(named) if named else None


def _told(channel: "Channel") -> dict[str, Any]:
    return {
        "name": channel.name,
        "title": channel.title,
        "proof": channel.proof,
        "signature": channel.evidence.signature,
        "payload": channel.evidence.payload,
        "origin": channel.evidence.origin,
        "address": ", ".join(channel.routes) or _address(channel, "<source>"),
        "options": {option.name: option.says for option in channel.options},
    }


def _address(channel: "Channel", source: str) -> str:
    secret = "/<secret>" if channel.proof == "secret address" else ""
    return f"/in/{channel.name}/{source}{secret}"


def _read_from(found: "Installed") -> str:
    """What is read for the source; empty where it sends by itself."""
    if found.form.drop:
        return str(found.form.drop.folder)
    form = found.form.queue
    return "" if form is None else form.sqs.queue_url if form.sqs else ", ".join(form.topics)


def _request(method: str, route: str, url: str, headers: Path | None, body: bytes) -> "Request":
    from connectors.protocol.channel import Request
    from vaart import clock

    parts = urlsplit(route)
    named: dict[str, list[str]] = {}
    for number, line in enumerate(headers.read_text().splitlines() if headers else [], 1):
        name, colon, value = line.partition(":")
        if line.strip() and not colon:
            raise UsageFault(f"{headers} line {number}: write a header as `Name: value`")
        if colon:
            named.setdefault(name.strip().lower(), []).append(value.strip())
    query = parse_qsl(parts.query, keep_blank_values=True)
    return Request(method.upper(), parts.path, url, named, query, body, clock.wall())


def _words_of(outcome: "Outcome") -> dict[str, Any]:
    from connectors.protocol.channel import Challenge, Malformed, NeedKey, Refused, Verdict

    match outcome:
        case Verdict():
            events = [{"type": type(event).__name__, "event": event} for event in outcome.events]
            rejects = [{"reason": each.reason, "detail": each.detail} for each in outcome.rejects]
            fetches = [{"what": each.what, "id": each.id} for each in outcome.fetches]
            return {"events": events, "rejects": rejects, "fetches": fetches}
        case Refused():
            return {"why": outcome.why}
        case Malformed():
            return {"why": outcome.detail}
        case NeedKey():
            return {"why": f"it is signed by a key that has to be fetched first: {outcome.name}"}
        case Challenge():
            return {"status": outcome.answer.status, "answer": outcome.answer.body.decode(errors="replace")}


def _show(rows: Sequence[dict[str, Any]], *names: str) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table()
    for name in names:
        table.add_column(name, overflow="fold", no_wrap=name == names[0])
    for row in rows:
        table.add_row(*(str(row[name]) for name in names))
    Console().print(table)
