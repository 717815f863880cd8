"""A shop that must be asked, on a port of its own, and the topics and schemas that its answers need."""

import json
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from connectors.gateway.encoding import Encoding
from connectors.plans.checking import Plan
from connectors.pollers.shopify_orders import PATH, POLLER
from connectors.polling.asking import Asking, Credential
from connectors.polling.guard import Guarded
from connectors.polling.ledger import Ledger
from connectors.polling.sweeping import Sweeps, key_of
from schemas.avsc import schema_of
from schemas.codec import Codec, subject_of
from schemas.registry import Registry
from schemas.topic import Topic
from schemas.topics import CURSORS, DEAD_LETTERS, FETCHES, ORDERS, REFERENCES
from tests.connectors.channels.samples.shopify import ORDER, SAMPLES
from vaart import kafka
from vaart.addresses import Addresses
from vaart.admin import Topics, Wanted
from vaart.reading import Reader
from vaart.settings import Settings

USED = {
    ORDERS: tuple(each for each in ORDERS.events if each.__name__ in ("OrderPlaced", "OrderReported")),
    CURSORS: CURSORS.events,
    DEAD_LETTERS: DEAD_LETTERS.events,
    FETCHES: FETCHES.events,
    REFERENCES: REFERENCES.events,
}
NOW = 1_764_000_000_000_000
"""24 November 2025, 16:00 UTC."""
LOGIN = "/admin/oauth/access_token"


def order(number: int, minute: int) -> dict[str, Any]:
    return {**ORDER, "id": number, "updated_at": f"2025-11-24T12:{minute:02}:00+01:00"}


@dataclass
class Shop:
    """What it answers: its pages, behind `scripted` answers that come first. It notes what it was asked."""

    pages: list[list[dict[str, Any]]]
    scripted: list[web.Response] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    tokens: list[str] = field(default_factory=list)
    url: str = ""

    async def orders(self, request: web.Request) -> web.Response:
        self.asked.append(request.path_qs)
        self.tokens.append(request.headers.get("X-Shopify-Access-Token", ""))
        if self.scripted:
            return self.scripted.pop(0)
        at = int(request.query.get("page_info", "0"))
        more = at + 1 < len(self.pages)
        link = {"Link": f'<{self.url}/{PATH}?limit=250&page_info={at + 1}>; rel="next"'} if more else {}
        return web.json_response({"orders": self.pages[at]}, headers=link)

    async def login(self, request: web.Request) -> web.Response:
        self.asked.append(request.path)
        logins = self.asked.count(LOGIN)
        return web.json_response({"access_token": f"token-{logins}", "expires_in": 86_399})


@pytest.fixture
async def shop() -> AsyncIterator[Shop]:
    found = Shop([[order(1, 0), order(2, 1)], [order(3, 2)]])
    app = web.Application()
    app.router.add_get(f"/{PATH}", found.orders)
    app.router.add_post(LOGIN, found.login)
    async with TestServer(app, host="127.0.0.1") as server:
        found.url = str(server.make_url("")).rstrip("/")
        yield found


@dataclass
class Rig:
    """Pollers of the shop, and what stands on the topics."""

    settings: Settings
    addresses: Addresses
    codec: Codec
    shop: Shop

    def sweeps(self, client: httpx.AsyncClient, plan: Plan | None = None) -> Sweeps:
        name = SAMPLES.source.name
        ledger = Ledger(
            self.settings, self.addresses, name, key_of(name, POLLER.name), self.codec.decoder(CURSORS)
        )
        asking = Asking(client, self.shop.url, POLLER.api, Credential("hush"), lambda: NOW)
        encoding = Encoding(self.codec, "secret")
        return Sweeps(POLLER, SAMPLES.source, asking, ledger, encoding, lambda: NOW, plan)

    def events(self, topic: Topic = ORDERS) -> list[Any]:
        """All that is committed."""
        decode, partitions = self.codec.decoder(topic), range(self.settings.kafka.partitions)
        with Reader(self.settings, self.addresses, "test") as reader:
            starts = {each: reader.bounds(topic.name, each)[0] for each in partitions}
            return [decode(message.value()) for message in reader.records(topic.name, starts)]

    def ids(self) -> list[str]:
        """Each event's type and order, in their order."""
        return sorted(f"{type(each).__name__} {each.order_id}" for each in self.events())


EACH_ONCE = sorted(f"{kind} {number}" for kind in ("OrderPlaced", "OrderReported") for number in (1, 2, 3))


@pytest.fixture
def codec(settings: Settings, servers: Addresses) -> Iterator[Codec]:
    registry = Registry(servers.registry)
    for topic, structs in USED.items():
        for struct in structs:
            registry.register(
                subject_of(topic, struct, settings.kafka.topic_prefix), schema_of(struct), "FULL_TRANSITIVE"
            )
    yield Codec(registry, settings.kafka.topic_prefix)
    registry.close()


@pytest.fixture
def rig(settings: Settings, servers: Addresses, codec: Codec, shop: Shop) -> Rig:
    names = {kafka.topic_name(settings, topic.name): topic for topic in USED}
    wanted = [Wanted(name, settings.kafka.partitions, 1, topic.config()) for name, topic in names.items()]
    Topics(kafka.admin(settings, servers), servers.kafka).create(wanted)
    return Rig(settings, servers, codec, shop)


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    from ipaddress import ip_network

    async with httpx.AsyncClient(transport=Guarded([ip_network("127.0.0.0/8")]), trust_env=False) as found:
        yield found


@pytest.fixture
def file(tmp_path: Path) -> Callable[[str], Path]:
    """The file of sources, with the shop at that address."""

    def write(url: str) -> Path:
        path = tmp_path / "sources.yaml"
        poll = {"poller": POLLER.name, "base_url": url, "every_s": 3600, "token": {"env": "SHOP_TOKEN"}}
        form = {
            "channel": "shopify",
            "secrets": [{"env": "SHOP_TOKEN"}],
            "zone": "Europe/Amsterdam",
            "currency": "EUR",
            "region": "NL",
            "poll": {**poll, "networks": ["127.0.0.0/8"]},
        }
        path.write_text(json.dumps({"sources": {"shop-nl": form}}))
        return path

    return write
