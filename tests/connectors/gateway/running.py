"""`vaart serve gateway` as a process of its own: what is sent to it byte by byte, what it writes, holds and keeps."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import httpx
import psutil
from confluent_kafka import OFFSET_BEGINNING, Consumer, TopicPartition

from connectors.protocol.channel import Request
from schemas.avsc import schema_of
from schemas.codec import Codec, subject_of
from schemas.events.activity import PageViewed
from schemas.events.ingest import RequestReceived
from schemas.registry import Registry
from schemas.topic import Topic
from schemas.topics import ACTIVITY, DEAD_LETTERS, ORDERS, RAW, REFERENCES, STOCK
from tests.connectors.channels.samples import shopify
from vaart import kafka
from vaart.addresses import Addresses
from vaart.admin import Topics, Wanted
from vaart.settings import Settings, load

USED: dict[Topic, tuple[type, ...]] = {
    STOCK: STOCK.events[:2],
    ORDERS: tuple(each for each in ORDERS.events if each.__name__ in ("OrderPlaced", "SoldInStore")),
    ACTIVITY: (PageViewed,),
    RAW: RAW.events,
    DEAD_LETTERS: DEAD_LETTERS.events,
    REFERENCES: REFERENCES.events,
}
COMMAND = (sys.executable, "-m", "vaart.cli", "serve", "gateway")
PARTITIONS = 2
STARTS_WITHIN_S, ENDS_WITHIN_S = 30.0, 20.0
ANSWERS_WITHIN_S = 15.0
HEAD = b"HTTP/1."
MUCH = {"per_second": 100_000, "burst": 100_000}
SHOP, WRITE_KEY, OTHER_SECRET = "/in/shopify/shop-nl", "wk_edge", "shpss_of_another_shop"
SHOPS = {"channel": "shopify", "zone": "Europe/Amsterdam", "currency": "EUR", "region": "NL", **MUCH}
PROOF = "X-Odd-Proof"
MAPPING = {
    "event": "StockSold",
    "id": ["/id"],
    "fields": {
        "sku": "/sku",
        "location_id": "/at",
        "quantity": "whole /count",
        "document_id": "/id",
        "line_id": "/id",
    },
}
SOURCES: dict[str, Any] = {
    "shop-nl": {**SHOPS, "secrets": [{"env": "SHOP"}]},
    "shop-be": {**SHOPS, "secrets": [{"env": "SHOP_BE"}]},
    "shop-in-rotation": {**SHOPS, "secrets": [{"env": "SHOP_NEW"}, {"env": "SHOP_OLD"}]},
    "shop-after-rotation": {**SHOPS, "secrets": [{"env": "SHOP_NEW"}]},
    "site": {"channel": "segment", "write_keys": [WRITE_KEY], **MUCH},
    "carrier": {"channel": "myparcel", "secrets": [{"env": "CARRIER"}], **MUCH},
    "service": {"channel": "cloudevents", "secrets": [{"env": "SERVICE"}], **MUCH},
    "reviews": {
        "channel": "json_mapped",
        "secrets": [{"env": "REVIEWS"}],
        "options": {"signed_by": "hmac", "header": PROOF, "mapping": MAPPING},
        **MUCH,
    },
}
NEW_SECRET, OLD_SECRET = "shpss_new", "shpss_old"
SECRETS = {
    "SHOP": shopify.SECRET,
    "SHOP_BE": OTHER_SECRET,
    "SHOP_NEW": NEW_SECRET,
    "SHOP_OLD": OLD_SECRET,
    "CARRIER": "address-of-the-carrier",
    "SERVICE": "token-of-the-service",
    "REVIEWS": "secret-of-the-reviews",
    "VAART_IDENTIFIER_SECRET": "secret-of-identifiers",
}


@dataclass
class Ground:
    """Topics and schemas under a prefix of their own, and what stands on the topics."""

    addresses: Addresses
    folder: Path
    prefix: str = field(default_factory=lambda: f"t{uuid.uuid4().hex[:12]}.")
    variables: Mapping[str, str] = field(default_factory=dict)

    @property
    def environment(self) -> dict[str, str]:
        """What a gateway on it is started with."""
        others = {name: value for name, value in os.environ.items() if not name.startswith("VAART_")}
        return others | {
            "VAART_KAFKA__BOOTSTRAP_SERVERS": self.addresses.kafka,
            "VAART_KAFKA__TOPIC_PREFIX": self.prefix,
            "VAART_KAFKA__PARTITIONS": str(PARTITIONS),
            "VAART_REGISTRY__URL": self.addresses.registry,
            "VAART_POSTGRES__DSN": self.addresses.postgres,
            "VAART_STATE_DIR": str(self.folder),
            "VAART_GATEWAY__PORT": "0",
            **self.variables,
        }

    @property
    def settings(self) -> Settings:
        """What those variables say."""
        return load(self.environment)

    def prepare(self, used: Mapping[Topic, tuple[type, ...]] = USED) -> None:
        """The topics are there, and the schemas of `used`."""
        wanted = [
            Wanted(kafka.topic_name(self.settings, topic.name), PARTITIONS, 1, topic.config())
            for topic in USED
        ]
        Topics(kafka.admin(self.settings, self.addresses), self.addresses.kafka).create(wanted)
        with Registry(self.addresses.registry) as registry:
            for topic, structs in used.items():
                for struct in structs:
                    subject = subject_of(topic, struct, self.prefix)
                    registry.register(subject, schema_of(struct), "FULL_TRANSITIVE")

    def topics(self) -> set[str]:
        """The topics of the prefix, without it."""
        found = kafka.admin(self.settings, self.addresses).list_topics(timeout=10).topics
        return {name.removeprefix(self.prefix) for name in found if name.startswith(self.prefix)}

    def values(self, topic: Topic) -> list[bytes]:
        """Every record of the topic, each partition in its order."""
        config = kafka.consumer_config(self.settings, self.addresses, "test")
        consumer = Consumer({**config, "enable.partition.eof": True})
        name = kafka.topic_name(self.settings, topic.name)
        consumer.assign([TopicPartition(name, each, OFFSET_BEGINNING) for each in range(PARTITIONS)])
        found: list[bytes] = []
        left = PARTITIONS
        while left:
            for message in consumer.consume(1_000, timeout=0.1):
                if message.error():
                    left -= 1
                else:
                    found.append(message.value() or b"")
        consumer.close()
        return found

    def events(self, topic: Topic) -> list[Any]:
        """The same, decoded."""
        with Registry(self.addresses.registry) as registry:
            decode = Codec(registry, self.prefix).decoder(topic)
            return [decode(value) for value in self.values(topic)]

    def requests(self) -> list[RequestReceived]:
        """The requests that are kept as they came."""
        return [each for each in self.events(RAW) if isinstance(each, RequestReceived)]


class Running:
    """A gateway that listens at `port`; `lines` is what it wrote to stdout, `words` what it wrote to stderr."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.process = process
        self.lines: list[bytes] = []
        self.words: list[bytes] = []
        self._readers = [
            threading.Thread(target=_gather, args=each, daemon=True)
            for each in ((process.stdout, self.lines), (process.stderr, self.words))
        ]
        for reader in self._readers:
            reader.start()
        wait_until(lambda: len(self._addresses()) == 2 or process.poll() is not None, STARTS_WITHIN_S)
        assert process.poll() is None, b"".join(self.lines + self.words).decode()
        self.management, self.url = self._addresses()
        self.port = int(self.url.rpartition(":")[2])
        self._seen = psutil.Process(process.pid)

    def memory(self) -> int:
        """Bytes that it holds."""
        return int(self._seen.memory_info().rss)

    def files(self) -> int:
        """File descriptors that it has open."""
        return int(self._seen.num_fds())

    def metrics(self) -> str:
        """What its management port tells."""
        return httpx.get(self.management + "/metrics").text

    def say(self, raw: bytes, answers: int = 1) -> bytes:
        """What it answers to these bytes: until it hangs up, or that many answers have begun."""
        with socket.create_connection(("127.0.0.1", self.port), ANSWERS_WITHIN_S) as opened:
            with suppress(ConnectionError):  # it hung up before it had all
                opened.sendall(raw)
            return _heard(opened, answers)

    def stop(self) -> int:
        """Its exit code after SIGTERM; all that it wrote has been read."""
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(ENDS_WITHIN_S)
        for reader in self._readers:
            reader.join(ENDS_WITHIN_S)
        return code

    def _addresses(self) -> list[str]:
        told = [json.loads(line) for line in self.lines if b"_listens" in line]
        return [each["address"] for each in told]


@dataclass
class Edge:
    """A gateway that many tests send to, and the topics that it writes."""

    ground: Ground
    gateway: Running


@contextmanager
def running(ground: Ground, sources: Mapping[str, Any] = SOURCES, **more: str) -> Iterator[Running]:
    """A gateway with those sources, on settings and secrets beside the usual ones."""
    file = ground.folder / "sources.yaml"
    file.write_text(json.dumps({"sources": sources}))  # JSON is YAML
    process = subprocess.Popen(
        COMMAND,
        env=ground.environment | SECRETS | {"VAART_GATEWAY__SOURCES": str(file)} | more,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    try:
        yield Running(process)
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()


def wait_until(holds: Callable[[], bool], within_s: float) -> None:
    """Returns once it holds."""
    deadline = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.02)


def spoken(method: str, path: str, body: bytes = b"", /, **headers: str) -> bytes:
    """A request as bytes; header names are written with underscores."""
    told = {"Host": "in.example", "Content-Length": str(len(body))}
    told |= {name.replace("_", "-"): value for name, value in headers.items()}
    lines = [
        f"{method} {path} HTTP/1.1",
        *(f"{name}: {value}" for name, value in told.items() if value),
        "",
        "",
    ]
    return "\r\n".join(lines).encode() + body


def signed(document: Any, topic: str = "orders/create", secret: str = shopify.SECRET) -> Request:
    """A webhook of the shop; a document of bytes is its body."""
    request = shopify.sent(topic, None if isinstance(document, bytes) else document)
    body = document if isinstance(document, bytes) else request.body
    return shopify.sign(replace(request, body=body), secret)


def told(request: Request, path: str = SHOP) -> bytes:
    """The request as bytes."""
    return spoken("POST", path, request.body, **{name: values[0] for name, values in request.headers.items()})


def stranger(number: int) -> str:
    """An address of its own for each of 16 million."""
    return f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"


def status(answer: bytes) -> int:
    """Of the first answer; 0 where there is none."""
    return int(answer[9:12]) if answer.startswith(HEAD) else 0


def _gather(stream: Any, into: list[bytes]) -> None:
    into.extend(iter(stream.readline, b""))


def _heard(opened: socket.socket, answers: int) -> bytes:
    found = b""
    with suppress(ConnectionError):
        while found.count(HEAD) < answers and (chunk := opened.recv(65_536)):
            found += chunk
    return found
