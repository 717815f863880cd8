"""The gateway as a service: the composition root of `vaart serve gateway`."""

import asyncio
import logging
import platform
import signal
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

import httpx
import structlog
from aiohttp import web

from connectors import sources
from connectors.gateway import hearing
from connectors.gateway.bodies import Bodies
from connectors.gateway.delivery import PRODUCER, Delivery
from connectors.gateway.door import Door
from connectors.gateway.encoding import Encoding
from connectors.gateway.front import Runner
from connectors.gateway.keys import Keys
from connectors.gateway.limits import Limits
from connectors.gateway.refusals import keep_telling
from connectors.gateway.server import application
from connectors.references.table import References
from connectors.sources import Sources
from schemas.codec import Codec
from schemas.registry import Registry, RegistryAway
from schemas.topics import ACTIVITY, RAW, REFERENCES
from vaart import clock, collector, kafka
from vaart.addresses import Addresses
from vaart.errors import ConfigFault, DependencyAway, VaartError
from vaart.health import Health, HealthServer
from vaart.reading import Reader
from vaart.settings import Settings

KEEP_ALIVE_S = 5
"""An idle connection, or one whose request head is slow, is closed after this."""
LINGER_S = 2.0
"""What is left of a body that is not read is thrown away for so long, for the sender to see the answer."""
DRAIN_S_MAX = 10
BEAT_S = 1.0
SPOOL_FOLDER = "spool"
GROUP = "vaart.gateway"

log = structlog.get_logger()


async def serve(settings: Settings, addresses: Addresses) -> None:
    """Listens until SIGTERM or SIGINT, then answers what it has and returns. A second signal ends it at once.

    Raises DependencyAway when Kafka or the registry cannot be reached, ConfigFault when the port is taken.
    """
    loaded = sources.load(settings.gateway.sources) if settings.gateway.sources else Sources()
    kafka.wait_until_reachable(settings, addresses)
    registry = _registry(settings, addresses)
    codec = Codec(registry, settings.kafka.topic_prefix)
    references = References(settings, addresses, codec.decoder(REFERENCES))
    if loaded.by_name:
        await asyncio.to_thread(references.load)
    failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    delivery = Delivery(
        lambda: kafka.Publisher(settings, addresses, PRODUCER),
        settings.state_dir / SPOOL_FOLDER / (settings.instance or platform.node() or "gateway"),
        settings.gateway.spool_bytes_max,
        lambda error: None if failed.done() else failed.set_exception(error),
    )
    health = Health()
    health.check("spool", lambda: "the spool is nearly full: Kafka takes nothing" if delivery.sheds else None)
    management = HealthServer(settings, health)
    try:
        async with httpx.AsyncClient(trust_env=False, follow_redirects=False) as client:
            door = Door(
                sources=references.told_to(loaded),
                encoding=Encoding(codec, settings.identifier_secret.get_secret_value()),
                delivery=delivery,
                keys=Keys(client),
                limits=Limits(time.monotonic),
                bodies=Bodies(),
                clock=clock.wall,
                public_url=settings.gateway.public_url.rstrip("/"),
                proxies=settings.gateway.proxies,
            )
            await asyncio.to_thread(_begin_hearing, settings, addresses, codec, door.sources)
            collector.calm()
            runner = await _listen(settings, application(door, codec))
            async with _telling(door, failed):
                await _until_stopped(health, failed)
                await runner.cleanup()
    finally:
        management.close()
        await delivery.close()
        references.close()
        registry.close()
    log.info("gateway_stopped")


def _begin_hearing(settings: Settings, addresses: Addresses, codec: Codec, known: Sources) -> None:
    """Without it alerts on silent sources begin with what this process hears: no reason not to listen."""
    forms = {name: found.form for name, found in known.by_name.items()}
    try:
        with Reader(settings, addresses, GROUP) as reader:
            hearing.begin(forms, reader, codec.decoder(RAW), settings.kafka.partitions, clock.wall)
    except (VaartError, RegistryAway) as error:
        log.warning("sources_not_looked_up", error=str(error))


@asynccontextmanager
async def _telling(door: Door, failed: asyncio.Future[None]) -> AsyncIterator[None]:
    """What is refused meanwhile is told."""
    task = asyncio.create_task(keep_telling(door.refusals, door.encoding, door.delivery, door.clock))
    task.add_done_callback(partial(_fail_with, failed))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def _fail_with(failed: asyncio.Future[None], task: asyncio.Task[None]) -> None:
    error = None if task.cancelled() else task.exception()
    if error is not None and not failed.done():
        failed.set_exception(error)


def _registry(settings: Settings, addresses: Addresses) -> Registry:
    registry = Registry.of(addresses.registry, settings.registry, settings.state_dir)
    try:
        # Any question will do: what matters is whether there is an answer.
        registry.compatibility(settings.kafka.topic_prefix + ACTIVITY.name)
    except RegistryAway as error:
        if registry.has_copies:
            log.warning("registry_away", error=str(error), goes_on_with="copies of schemas")
            return registry
        raise DependencyAway(
            f"{error}.\nStart it (`vaart up` starts a local one), or set VAART_REGISTRY__URL to its address."
        ) from None
    return registry


async def _listen(settings: Settings, app: web.Application) -> web.AppRunner:
    """The gateway speaks plain HTTP and knows no tokens yet: on 127.0.0.1 it is for this machine only."""
    host, port = settings.gateway.host, settings.gateway.port
    runner = Runner(
        app,
        access_log=None,
        logger=_quiet(),
        keepalive_timeout=KEEP_ALIVE_S,
        lingering_time=LINGER_S,
        shutdown_timeout=DRAIN_S_MAX,
        handle_signals=False,
    )
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port, reuse_port=settings.gateway.shares_port or None).start()
    except OSError as error:
        await runner.cleanup()
        raise ConfigFault(
            f"the gateway cannot listen on {host}:{port} ({error.strerror}): "
            "set VAART_GATEWAY__PORT to a free port, or to 0 for any."
        ) from None
    bound = runner.addresses[0]
    log.info("gateway_listens", address=f"http://{bound[0]}:{bound[1]}")
    return runner


def _quiet() -> logging.Logger:
    """aiohttp quotes malformed requests in its log, and they may hold anything. Our own faults we log ourselves."""
    logger = logging.getLogger("vaart.gateway.http")
    logger.setLevel(logging.CRITICAL + 1)
    return logger


async def _until_stopped(health: Health, failed: asyncio.Future[None]) -> None:
    """Raises what `failed` was set to."""
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    while not stopping.is_set():
        health.beat()
        if failed.done():
            failed.result()
        try:
            async with asyncio.timeout(BEAT_S):
                await stopping.wait()
        except TimeoutError:
            continue
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.remove_signal_handler(number)
    health.check("stopping", lambda: "the gateway is stopping")
