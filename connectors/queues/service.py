"""Queues and others' topics as a service: the composition root of `vaart serve queues`."""

import asyncio
import signal
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

import structlog

from connectors import sources
from connectors.gateway import hearing
from connectors.gateway.delivery import PRODUCER
from connectors.gateway.encoding import Encoding
from connectors.polling.ledger import Ledger
from connectors.queues import stands
from connectors.queues.sqs import SqsQueue
from connectors.queues.taking import Taking
from connectors.queues.topic_reader import TopicReader
from connectors.queues.topics import Topics, group_of
from connectors.queues.turning import Turner, turns
from connectors.references.table import References
from connectors.sources import Installed, Sources
from schemas.codec import Codec
from schemas.registry import Registry
from schemas.topics import CURSORS, REFERENCES
from vaart import clock, kafka
from vaart.addresses import Addresses
from vaart.errors import ConfigFault, VaartError
from vaart.health import Health, HealthServer
from vaart.kafka import Publisher
from vaart.settings import Kafka, Settings

BEAT_S = 1.0
SPARE_THREADS = 4
LEDGER = "queue:"
"""Before the source's name in its transactional id: it may have a poller, too, and no name holds a colon."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Around:
    """What all sources share."""

    settings: Settings
    addresses: Addresses
    codec: Codec

    @property
    def encoding(self) -> Encoding:
        """A new one."""
        return Encoding(self.codec, self.settings.identifier_secret.get_secret_value())


async def serve(settings: Settings, addresses: Addresses) -> None:
    """Takes in the records of every source that has a `queue` section until SIGTERM or SIGINT; a turn is ended first.

    Raises DependencyAway when our Kafka cannot be reached, ConfigFault when no source has such a section.
    """
    loaded = sources.load(settings.gateway.sources) if settings.gateway.sources else sources.Sources()
    _queued(loaded)
    kafka.wait_until_reachable(settings, addresses)
    registry = Registry.of(addresses.registry, settings.registry, settings.state_dir)
    codec = Codec(registry, settings.kafka.topic_prefix)
    references = References(settings, addresses, codec.decoder(REFERENCES))
    health = Health()
    management = HealthServer(settings, health)
    try:
        found = _queued(references.told_to(loaded))
        # Each source waits in a thread of its own.
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(len(found) + SPARE_THREADS))
        await asyncio.to_thread(references.load)
        around = Around(settings, addresses, codec)
        await _taken_in([turner(each, around) for each in found], health)
    except BaseExceptionGroup as failed:
        expected = failed.subgroup(VaartError)
        raise (expected or failed).exceptions[0] from None
    finally:
        management.close()
        references.close()
        registry.close()
    log.info("queues_stopped")


def turner(found: Installed, around: Around) -> Turner:
    """What takes a source's records in."""
    form = found.form.queue
    assert form is not None
    taking = Taking(found, around.encoding, clock.wall)
    hearing.expect(found.channel.name, found.source.name, found.form)
    if form.sqs is not None:
        return SqsQueue(found, taking, lambda: _publisher(around), clock.wall)
    settings, addresses = around.settings, around.addresses
    key = stands.key_of(found.source.name)
    ledger = Ledger(settings, addresses, LEDGER + found.source.name, key, around.codec.decoder(CURSORS))
    reader = TopicReader(*connection(found, around), form.topics, clock.wall)
    return Topics(found.source.name, reader, ledger, taking, around.encoding, clock.wall)


def connection(found: Installed, around: Around) -> tuple[dict[str, Any], dict[str, Any]]:
    """The settings of a consumer and an administrator where its topics are. Nothing of ours goes elsewhere."""
    form = found.form.queue
    assert form is not None
    settings, addresses = around.settings, around.addresses
    if form.bootstrap:
        extra = form.security.client(found.queue_secrets) if form.security else {}
        addresses = replace(addresses, kafka=form.bootstrap)
        settings = settings.model_copy(update={"kafka": Kafka(extra=extra)})
    group = group_of(found.source.name)
    return kafka.consumer_config(settings, addresses, group), kafka.admin_config(settings, addresses)


def _publisher(around: Around) -> Publisher:
    kafka.wait_until_reachable(around.settings, around.addresses)
    return Publisher(around.settings, around.addresses, {"message.max.bytes": PRODUCER["message.max.bytes"]})


async def _taken_in(turners: Sequence[Turner], health: Health) -> None:
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    async with asyncio.TaskGroup() as group:
        for each in turners:
            health.check(f"queue {each.name}", _fault_of(each))
            group.create_task(turns(each, stopping))
            log.info("queue_read", source=each.name)
        while not stopping.is_set():
            health.beat()
            try:
                async with asyncio.timeout(BEAT_S):
                    await stopping.wait()
            except TimeoutError:
                continue


def _fault_of(turner: Turner) -> Any:
    return lambda: turner.fault


def _queued(loaded: Sources) -> list[Installed]:
    found = loaded.with_section("queue")
    if not found:
        raise ConfigFault(
            "no source has a queue: give one a `queue` section in the file that VAART_GATEWAY__SOURCES names."
        )
    return found
