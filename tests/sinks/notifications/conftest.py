"""The notification sink's surroundings on real servers: topics, schemas, tables, and far sides that remember."""

import asyncio
import email
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from email.message import Message as Mail
from typing import Any

import psycopg
import pytest
from aiohttp import web
from aiosmtpd.controller import Controller
from confluent_kafka import OFFSET_BEGINNING, Consumer, TopicPartition

from schemas import ids
from schemas.avsc import schema_of
from schemas.codec import Codec, subject_of
from schemas.events.dead_letters import DeadLettered
from schemas.events.notifications import NotificationOutcomeReported, NotificationRequested
from schemas.meta import Meta
from schemas.registry import Registry
from schemas.topic import Topic
from schemas.topics import DEAD_LETTERS, NOTIFICATION_OUTCOMES, NOTIFICATIONS_REQUESTED
from sinks.notifications.service import serve
from sinks.postgres import schema
from vaart import kafka
from vaart.addresses import Addresses
from vaart.admin import Topics, Wanted
from vaart.settings import Settings, load

PARTITIONS = 2
WITHIN_S = 60.0
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
QUICK = {"VAART_KAFKA__EXTRA__SESSION_TIMEOUT_MS": "6000"}
"""A member that was killed is missed as soon as the broker allows."""
AT = 1_795_600_000_000_000


def request(number: int, **changes: Any) -> NotificationRequested:
    """A request of the thank-you journey, by e-mail."""
    notification_id = ids.uuid5(f"notification:{number}")
    meta = Meta(event_id=notification_id, occurred_at=AT, received_at=AT, channel="crm", source="vaart")
    fields: dict[str, Any] = {
        "meta": meta,
        "notification_id": notification_id,
        "profile_id": ids.profile_id(f"customer:{number}"),
        "journey": "thank_you",
        "instance_key": "",
        "step": "thank_you",
        "template": "thank_you",
        "medium": "email",
        "address": f"customer-{number}@example.org",
    }
    return NotificationRequested(**(fields | changes))


@dataclass
class World:
    """Topics and tables of one test."""

    settings: Settings
    addresses: Addresses
    environment: dict[str, str]
    codec: Codec

    def ask(self, *requests: NotificationRequested) -> None:
        """The requests are on their topic."""
        encode = self.codec.encoder(NOTIFICATIONS_REQUESTED, NotificationRequested)
        self.put(*((each.profile_id, encode(each)) for each in requests))

    def put(self, *records: tuple[str, bytes]) -> None:
        """The bytes are on the topic of requests."""
        with kafka.Publisher(self.settings, self.addresses) as publisher:
            for key, value in records:
                publisher.publish(NOTIFICATIONS_REQUESTED.name, key, value)

    def outcomes(self) -> list[NotificationOutcomeReported]:
        """Every committed outcome."""
        return self._all(NOTIFICATION_OUTCOMES)

    def letters(self) -> list[DeadLettered]:
        """Every committed dead letter."""
        return self._all(DEAD_LETTERS)

    def statuses(self) -> dict[str, tuple[str, str | None, int]]:
        """By notification: status, reason, attempts."""
        with psycopg.connect(self.addresses.postgres) as connection:
            query = "SELECT notification_id, status, reason, attempts FROM ops.notification_deliveries"
            return {row[0]: row[1:] for row in connection.execute(query)}

    def is_settled(self, count: int) -> bool:
        """Whether `count` notifications are decided and told."""
        with psycopg.connect(self.addresses.postgres) as connection:
            query = """SELECT (SELECT count(*) FROM ops.notification_deliveries WHERE status <> 'claimed'),
                (SELECT count(*) FROM ops.notification_outbox)"""
            return connection.execute(query).fetchone() == (count, 0)

    def _all(self, topic: Topic) -> list[Any]:
        decode = self.codec.decoder(topic)
        name = kafka.topic_name(self.settings, topic.name)
        config = kafka.consumer_config(self.settings, self.addresses, "test")
        consumer = Consumer({**config, "enable.partition.eof": True})
        consumer.assign([TopicPartition(name, each, OFFSET_BEGINNING) for each in range(PARTITIONS)])
        found: list[Any] = []
        ended = 0
        while ended < PARTITIONS:
            for message in consumer.consume(100, timeout=1):
                ended += message.error() is not None
                if message.error() is None:
                    found.append(decode(message.value()))
        consumer.close()
        return found


@pytest.fixture
def world(
    settings: Settings, servers: Addresses, environment: dict[str, str], database: str
) -> Iterator[World]:
    addresses = Addresses(servers.kafka, servers.registry, database, database)
    registry = Registry(servers.registry)
    topics = (NOTIFICATIONS_REQUESTED, NOTIFICATION_OUTCOMES, DEAD_LETTERS)
    for topic in topics:
        for struct in topic.events:
            subject = subject_of(topic, struct, settings.kafka.topic_prefix)
            registry.register(subject, schema_of(struct), "FULL_TRANSITIVE")
    wanted = [Wanted(kafka.topic_name(settings, topic.name), PARTITIONS, 1, {}) for topic in topics]
    Topics(kafka.admin(settings, addresses), servers.kafka).create(wanted)
    schema.upgrade(database)
    yield World(settings, addresses, environment, Codec(registry, settings.kafka.topic_prefix))
    registry.close()


@dataclass
class Sink:
    """`vaart sink notifications` as a process."""

    process: subprocess.Popen[str]

    def dies(self) -> None:
        """Waits until it was killed at its failpoint."""
        self.process.communicate(timeout=WITHIN_S)
        assert self.process.returncode == -signal.SIGKILL

    def stops(self) -> str:
        """Ends it by SIGTERM; answers what it logged."""
        self.process.send_signal(signal.SIGTERM)
        told, _ = self.process.communicate(timeout=WITHIN_S)
        assert self.process.returncode == 0
        return told


Start = Callable[..., Sink]


@pytest.fixture
def start(world: World) -> Iterator[Start]:
    """`start(NAME=value ...)` runs a sink with these variables besides."""
    started: list[subprocess.Popen[str]] = []

    def begin(**variables: str) -> Sink:
        process = subprocess.Popen(
            [sys.executable, "-m", "vaart.cli", "sink", "notifications"],
            env=world.environment | QUICK | variables,
            stdout=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return Sink(process)

    yield begin
    for process in started:
        if process.poll() is None:
            os.kill(process.pid, signal.SIGKILL)
        process.communicate()


class Served:
    """The sink in a thread of this process: a start is quick."""

    def __init__(self, world: World, variables: dict[str, str]) -> None:
        self._stopping = threading.Event()
        settings = load(world.environment | variables)
        self._pool = ThreadPoolExecutor(1)
        self._result = self._pool.submit(serve, settings, world.addresses, self._stopping)

    def stops(self) -> None:
        """Ends it; raises what it ended with."""
        self._stopping.set()
        self._result.result(WITHIN_S)
        self._pool.shutdown()


Serve = Callable[..., Served]


@pytest.fixture
def served(world: World) -> Iterator[Serve]:
    """`served(NAME=value ...)` runs a sink with these variables besides."""
    started: list[Served] = []

    def begin(**variables: str) -> Served:
        started.append(Served(world, variables))
        return started[-1]

    yield begin
    for each in started:
        each.stops()


def until(is_so: Callable[[], bool]) -> None:
    """Returns once `is_so`; fails after WITHIN_S."""
    deadline = time.monotonic() + WITHIN_S
    while not is_so():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.1)


@dataclass
class Mailbox:
    """What an SMTP server took; `refusal` is its answer while set."""

    port: int = 0
    mails: list[Mail] = field(default_factory=list)
    refusal: str = ""

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:
        if not self.refusal:
            self.mails.append(email.message_from_bytes(envelope.content))
        return self.refusal or "250 taken"


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        found = Mailbox(free.getsockname()[1])
    server = Controller(found, hostname="127.0.0.1", port=found.port)
    server.start()
    yield found
    server.stop()


@dataclass
class Receiver:
    """What a webhook's far side got. `answers` are the statuses of the next answers; 200 when they are used up."""

    url: str = ""
    posts: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)

    async def take(self, asked: web.Request) -> web.Response:
        self.posts.append(
            ({name.lower(): value for name, value in asked.headers.items()}, await asked.read())
        )
        return web.Response(status=self.answers.pop(0) if self.answers else 200)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A web server in a thread of its own."""
    found = Receiver()
    loop = asyncio.new_event_loop()

    async def listen() -> web.AppRunner:
        app = web.Application()
        app.router.add_post("/hook", found.take)
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        found.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
        return runner

    runner = loop.run_until_complete(listen())
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    yield found
    asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result()
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()
