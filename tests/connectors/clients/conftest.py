"""The gateway's own routes on a free port, whose events a test reads; and a page of another origin that sends to it."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar, cast

import httpx
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from connectors.gateway.bodies import Bodies
from connectors.gateway.delivery import SpoolFull
from connectors.gateway.door import Door
from connectors.gateway.keys import Keys
from connectors.gateway.limits import Limits
from connectors.gateway.spool import Kept
from connectors.gateway.webhooks import Webhooks
from connectors.protocol.channel import Reject, Source
from connectors.sources import BY_NAME, Installed, SourceForm, Sources
from schemas.avsc import schema_of
from schemas.coders import Writer
from schemas.events.dead_letters import DeadLettered
from schemas.events.ingest import RequestReceived
from schemas.meta import Entry, Event
from schemas.topic import Topic
from schemas.topics import route
from tests.connectors.clients.installing import Clients, browse, fetched
from vaart import clock

KEYS = {"segment": "wk_segment", "rudderstack": "wk_rudder", "snowplow": "shop", "ga4": "G-1234"}
SECRETS = {
    "ga4": ("ga4-api-secret",),
    "cloudevents": ("a token of the tests", "whsec_c2VjcmV0IG9mIHRoZSB0ZXN0cw=="),
}
SECRET = "identifier secret"
E = TypeVar("E", bound=Event)


@dataclass
class Seen:
    """What would go to Kafka, in its order. For the first `full` requests that hold events there is no room."""

    url: str = ""
    full: int = 0
    sheds: bool = False
    events: list[Event] = field(default_factory=list)
    requests: list[RequestReceived] = field(default_factory=list)
    letters: list[DeadLettered] = field(default_factory=list)
    _asked: list[Event | Entry] = field(default_factory=list)

    def of(self, kind: type[E]) -> list[E]:
        """The events of one type."""
        return [event for event in self.events if isinstance(event, kind)]

    def one(self, kind: type[E]) -> E:
        """The only event of one type."""
        found = self.of(kind)
        assert len(found) == 1, [type(event).__name__ for event in self.events]
        return found[0]

    async def records(self, events: Sequence[Event]) -> list[Kept]:
        """Each is written by its schema, so that one which does not fit fails here."""
        self._asked.extend(events)
        return [_kept(event) for event in events]

    async def fitted(self, events: Sequence[Event]) -> tuple[list[Kept], list[Reject]]:
        """The same, and that none is rejected."""
        return await self.records(events), []

    async def entry(self, topic: Topic, key: str, entry: Entry) -> Kept:
        """A dead letter."""
        self._asked.append(entry)
        return Kept(topic.name, key, b"")

    async def keep(self, records: Sequence[Kept]) -> None:
        """Stands for Kafka and the disk."""
        asked, self._asked = self._asked, []
        if self.full > 0:
            self.full -= 1
            raise SpoolFull
        for each in asked:
            if isinstance(each, RequestReceived):
                self.requests.append(each)
            elif isinstance(each, DeadLettered):
                self.letters.append(each)
            else:
                self.events.append(cast(Event, each))


Opened = Callable[..., Any]
Page = Callable[[str], Awaitable[str]]


@pytest.fixture
def opened() -> Opened:
    """`async with opened() as seen`: the gateway at `seen.url`, for pages of any of `origins`."""

    @asynccontextmanager
    async def open_one(full: int = 0, origins: tuple[str, ...] = ("*",)) -> AsyncIterator[Seen]:
        seen = Seen(full=full)
        async with httpx.AsyncClient() as asking:
            door = Door(
                sources=_sources(origins),
                encoding=cast(Any, seen),
                delivery=cast(Any, seen),
                keys=Keys(asking),
                limits=Limits(lambda: 0.0),
                bodies=Bodies(),
                clock=clock.wall,
            )
            app = web.Application()
            Webhooks(door).add_to(app)
            async with TestServer(app) as server:
                seen.url = str(server.make_url("")).rstrip("/")
                yield seen

    return open_one


@pytest.fixture
async def gateway(opened: Opened) -> AsyncIterator[Seen]:
    async with opened() as seen:
        yield seen


@pytest.fixture
async def clients() -> Clients:
    return await fetched()


@pytest.fixture
async def page(clients: Clients, tmp_path: Path) -> AsyncIterator[Callable[..., Awaitable[str]]]:
    """`await page(script, gateway's address)`: the script in a browser, at a page with a campaign in its address."""
    scripts: dict[str, str] = {}

    async def show(request: web.Request) -> web.Response:
        told = f"<script>window.GATEWAY = {request.query['gateway']!r}</script>"
        script = scripts["now"].replace("</script", r"<\/script")
        text = f"<title>Dresses</title><body>{told}<script>{script}</script></body>"
        return web.Response(text=text, content_type="text/html")

    app = web.Application()
    app.router.add_get("/dresses", show)
    async with TestServer(app) as server:

        async def open_it(script: str, gateway: str) -> str:
            scripts["now"] = await clients.bundled(script)
            query = {
                "gateway": gateway,
                "utm_source": "instagram",
                "utm_campaign": "winter",
                "gclid": "Cj0KCQ",
                "email": "sam@example.com",
            }
            return await browse(str(server.make_url("/dresses").with_query(query)), tmp_path / "chromium")

        yield open_it


def _sources(origins: tuple[str, ...]) -> Sources:
    """One source of each channel whose clients are here, called `<channel>-nl`."""
    installed = {
        f"{name}-nl": Installed(
            BY_NAME[name],
            Source(f"{name}-nl", SECRETS.get(name, ()), {}, "Europe/Amsterdam", "EUR", "NL"),
            SourceForm(channel=name, write_keys=(KEYS[name],) if name in KEYS else (), origins=origins),
        )
        for name in {**KEYS, **SECRETS}
    }
    by_key = {
        (found.channel.name, key): found for found in installed.values() for key in found.form.write_keys
    }
    return Sources(installed, by_key)


def _kept(event: Event) -> Kept:
    topic, key = route(event, SECRET)
    return Kept(topic.name, key, Writer(schema_of(type(event)), type(event), b"").write(event))
