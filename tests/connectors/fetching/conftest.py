"""A shop that can be asked for what its webhooks point at, and the topics and schemas that its answers need."""

import json
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from connectors.vendors.shopify.api import FOLDER
from schemas.avsc import schema_of
from schemas.codec import Codec, subject_of
from schemas.events.ingest import FetchRequested, ReferenceLearned
from schemas.events.stock import StockLevelReported
from schemas.meta import Meta
from schemas.registry import Registry
from schemas.topic import Topic
from schemas.topics import DEAD_LETTERS, FETCHES, REFERENCES, STOCK, route
from vaart import clock, kafka
from vaart.addresses import Addresses
from vaart.admin import Topics, Wanted
from vaart.reading import Reader
from vaart.settings import Settings

USED: dict[Topic, tuple[type, ...]] = {
    FETCHES: FETCHES.events,
    REFERENCES: REFERENCES.events,
    STOCK: (StockLevelReported,),
    DEAD_LETTERS: DEAD_LETTERS.events,
}


@dataclass
class Shop:
    """It knows the items whose ids are even. Answers that are `scripted` come first. It notes what it was asked."""

    scripted: list[int] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    url: str = ""

    async def item(self, request: web.Request) -> web.Response:
        named = request.match_info["id"]
        self.asked.append(named)
        if self.scripted:
            return web.Response(status=self.scripted.pop(0))
        if int(named) % 2:
            return web.Response(status=403)
        return web.json_response({"inventory_item": {"id": int(named), "sku": f"sku-{named}"}})

    async def levels(self, request: web.Request) -> web.Response:
        named = request.query["inventory_item_ids"]
        level = {"inventory_item_id": int(named), "location_id": 1, "available": 3}
        level["updated_at"] = "2025-11-24T10:00:00Z"  # type: ignore[assignment]
        return web.json_response({"inventory_levels": [level]})


@pytest.fixture
async def shop() -> AsyncIterator[Shop]:
    found = Shop()
    app = web.Application()
    app.router.add_get(f"/{FOLDER}/inventory_items/{{id}}.json", found.item)
    app.router.add_get(f"/{FOLDER}/inventory_levels.json", found.levels)
    async with TestServer(app, host="127.0.0.1") as server:
        found.url = str(server.make_url("")).rstrip("/")
        yield found


@dataclass
class Rig:
    """Fetches of the shop, and what stands on the topics."""

    settings: Settings
    addresses: Addresses
    codec: Codec

    def want(self, *named: str, source: str = "shop-nl", at: int | None = None) -> None:
        """After this its requests point at these items."""
        with kafka.Publisher(self.settings, self.addresses) as publisher:
            for each in named:
                self._publish(publisher, _wanted(each, source, clock.wall() if at is None else at))

    def learn(self, item: str, sku: str) -> None:
        """After this the topic of references says so."""
        meta = _wanted(item, "shop-nl", clock.wall()).meta
        learned = ReferenceLearned(meta=meta, kind="inventory_item", foreign_id=item, ours=sku)
        with kafka.Publisher(self.settings, self.addresses) as publisher:
            self._publish(publisher, learned)

    def events(self, topic: Topic) -> list[Any]:
        """All that is there."""
        decode, partitions = self.codec.decoder(topic), range(self.settings.kafka.partitions)
        with Reader(self.settings, self.addresses, "test") as reader:
            starts = {each: reader.bounds(topic.name, each)[0] for each in partitions}
            return [decode(message.value()) for message in reader.records(topic.name, starts)]

    def _publish(self, publisher: kafka.Publisher, event: FetchRequested | ReferenceLearned) -> None:
        topic, key = route(event, "secret")
        publisher.publish(topic.name, key, self.codec.encoder(topic, type(event))(event))


def _wanted(named: str, source: str, at: int) -> FetchRequested:
    meta = Meta(event_id=f"{named}-{at}", occurred_at=at, received_at=at, channel="web", source=source)
    return FetchRequested(meta=meta, what="inventory_item", foreign_id=named)


@pytest.fixture
def codec(settings: Settings, servers: Addresses) -> Iterator[Codec]:
    registry = Registry(servers.registry)
    for topic, structs in USED.items():
        for struct in structs:
            subject = subject_of(topic, struct, settings.kafka.topic_prefix)
            registry.register(subject, schema_of(struct), "FULL_TRANSITIVE")
    yield Codec(registry, settings.kafka.topic_prefix)
    registry.close()


@pytest.fixture
def rig(settings: Settings, servers: Addresses, codec: Codec) -> Rig:
    names = {kafka.topic_name(settings, topic.name): topic for topic in USED}
    wanted = [Wanted(name, settings.kafka.partitions, 1, topic.config()) for name, topic in names.items()]
    Topics(kafka.admin(settings, servers), servers.kafka).create(wanted)
    return Rig(settings, servers, codec)


@pytest.fixture
def file(tmp_path: Path) -> Callable[[str], Path]:
    """The file of sources, with the shop at that address, which is asked only for what is pointed at."""

    def write(url: str) -> Path:
        path = tmp_path / "sources.yaml"
        form = {
            "channel": "shopify",
            "secrets": [{"env": "SHOP_TOKEN"}],
            "poll": {"base_url": url, "token": {"env": "SHOP_TOKEN"}, "networks": ["127.0.0.0/8"]},
        }
        path.write_text(json.dumps({"sources": {"shop-nl": form}}))
        return path

    return write
