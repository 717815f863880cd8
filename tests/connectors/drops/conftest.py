"""A till that drops its sales into a folder, and what stands on the topics once they are taken."""

import json
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import OFFSET_BEGINNING, Consumer, TopicPartition

from connectors.drops.checking import place_of, reading_of
from connectors.drops.lying import Place
from connectors.drops.recording import NAME, Records
from connectors.drops.taking import Drops
from connectors.gateway.encoding import Encoding
from connectors.polling.ledger import Ledger
from connectors.polling.sweeping import key_of
from connectors.sources import Installed, load
from schemas.avsc import schema_of
from schemas.codec import Codec, subject_of
from schemas.events.orders import SoldInStore
from schemas.registry import Registry
from schemas.topic import Topic
from schemas.topics import CURSORS, DEAD_LETTERS, ORDERS
from vaart import kafka
from vaart.addresses import Addresses
from vaart.admin import Topics, Wanted
from vaart.errors import DependencyAway
from vaart.reading import Reader
from vaart.settings import Settings

USED = {ORDERS: (SoldInStore,), CURSORS: CURSORS.events, DEAD_LETTERS: DEAD_LETTERS.events}
NOW = 1_800_000_000_000_000
TILL = "till-haarlem"
MAPPING = """\
source: till-haarlem
zone: Europe/Amsterdam
channel: store
events:
  - event: SoldInStore
    table: sales
    group: receipt
    id: receipt
    at: time
    identifiers: [{kind: loyalty_card, value: card}]
    fields:
      receipt_id: receipt
      store_id: {constant: haarlem}
      business_date: time
      currency: {constant: EUR}
      totals: {total: {sum: paid}}
      lines: {line_id: row.ordinal, sku: article, quantity: units, total: paid}
"""
HEADER = "receipt,time,card,article,units,paid\n"


def sales(*receipts: int, paid: str = "1.10") -> str:
    return HEADER + "".join(f"{each},2026-03-28 12:00:00,c{each},apple,2,{paid}\n" for each in receipts)


@dataclass
class Rig:
    """The till's source, and the topics."""

    settings: Settings
    addresses: Addresses
    codec: Codec
    home: Path

    @property
    def folder(self) -> Path:
        return self.home / "till"

    def drop(self, name: str, content: str | bytes) -> Path:
        path = self.folder / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    def names(self, folder: str = "") -> list[str]:
        """The files there, in the order of their names."""
        at = self.folder / folder
        return sorted(each.name for each in at.iterdir() if each.is_file()) if at.exists() else []

    def installed(self, channel: str = "files", **form: Any) -> Installed:
        return load(self.sources(channel, **form), {"TILL": "hush"}).by_name[TILL]

    def sources(self, channel: str = "files", **form: Any) -> Path:
        """The file of sources, with this one."""
        mapping = {"mapping": "mapping.yaml"} if channel == "files" else {}
        drop = {"folder": str(self.folder), "every_s": 0.02, **mapping, **form}
        source = {"channel": channel, "zone": "Europe/Amsterdam", "currency": "EUR", "drop": drop}
        path = self.home / "sources.yaml"
        path.write_text(json.dumps({"sources": {TILL: source}}))
        return path

    def drops(self, found: Installed | None = None, place: Place | None = None) -> Drops:
        found = found or self.installed()
        ledger = Ledger(self.settings, self.addresses, TILL, key_of(TILL, NAME), self.codec.decoder(CURSORS))
        records = Records(TILL, Encoding(self.codec, "secret"), lambda: NOW)
        place = place or place_of(found, self.home)
        return Drops(
            found, place, reading_of(found, self.home), ledger, records, lambda: NOW, self.home / "copies"
        )

    def events(self, topic: Topic = ORDERS) -> list[Any]:
        """All that is committed."""
        decode, found = self.codec.decoder(topic), []
        name = kafka.topic_name(self.settings, topic.name)
        config = kafka.consumer_config(self.settings, self.addresses, "test")
        consumer = Consumer({**config, "enable.partition.eof": True, "fetch.wait.max.ms": 20})
        partitions = self.settings.kafka.partitions
        consumer.assign([TopicPartition(name, each, OFFSET_BEGINNING) for each in range(partitions)])
        while partitions:
            for message in consumer.consume(100, timeout=0.05):
                if message.error():
                    partitions -= 1
                else:
                    found.append(decode(message.value()))
        consumer.close()
        return found

    def receipts(self) -> list[int]:
        """The receipts of all events, as often as they are there."""
        return sorted(int(each.receipt_id) for each in self.events())


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
def rig(settings: Settings, servers: Addresses, codec: Codec, home: Path) -> Rig:
    names = {kafka.topic_name(settings, topic.name): topic for topic in USED}
    wanted = [Wanted(name, settings.kafka.partitions, 1, topic.config()) for name, topic in names.items()]
    Topics(kafka.admin(settings, servers), servers.kafka).create(wanted)
    _wait_for_leaders(settings, servers, list(USED))
    return Rig(settings, servers, codec, home)


def _wait_for_leaders(settings: Settings, servers: Addresses, topics: list[Topic]) -> None:
    """A topic that was just made may have none for a moment."""
    with Reader(settings, servers, "test") as reader:
        for topic in topics:
            for partition in range(settings.kafka.partitions):
                for _ in range(100):
                    with suppress(DependencyAway):
                        reader.bounds(topic.name, partition)
                        break
                    time.sleep(0.05)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A folder with the mapping, and the folder of the till."""
    (tmp_path / "till").mkdir()
    (tmp_path / "mapping.yaml").write_text(MAPPING)
    return tmp_path


async def looked(drops: Drops, times: int = 2) -> None:
    """After this it has looked so often: a file is whole at the second time."""
    for _ in range(times):
        await drops.look()
