"""The pollers as a service: the composition root of `vaart serve poller`."""

import asyncio
import signal
from pathlib import Path

import httpx
import structlog

from connectors import sources
from connectors.gateway.encoding import Encoding
from connectors.polling.asking import TIMEOUT_S, Asking, Credential
from connectors.polling.guard import Guarded
from connectors.polling.ledger import Ledger
from connectors.polling.sweeping import Sweeps, key_of
from connectors.sources import POLLER_BY_NAME, Installed
from schemas.codec import Codec
from schemas.registry import Registry
from schemas.topics import CURSORS
from vaart import clock, kafka
from vaart.addresses import Addresses
from vaart.errors import ConfigFault, VaartError
from vaart.health import Health, HealthServer
from vaart.settings import Settings

BEAT_S = 1.0
SCHEMA_FOLDER = "schemas"

log = structlog.get_logger()


async def serve(settings: Settings, addresses: Addresses) -> None:
    """Asks every source that has a `poll` section until SIGTERM or SIGINT. A page that is on its way is given up.

    Raises DependencyAway when Kafka cannot be reached, ConfigFault when no source is to be asked.
    """
    asked = _asked(settings.gateway.sources)
    kafka.wait_until_reachable(settings, addresses)
    registry = Registry(
        addresses.registry,
        settings.registry.username,
        settings.registry.password.get_secret_value(),
        settings.state_dir / SCHEMA_FOLDER,
    )
    health = Health()
    management = HealthServer(settings, health)
    try:
        codec = Codec(registry, settings.kafka.topic_prefix)
        async with asyncio.TaskGroup() as group:
            polls = [group.create_task(poll(each, codec, settings, addresses, health)) for each in asked]
            await _until_stopped(health)
            for each in polls:
                each.cancel()
    except BaseExceptionGroup as failed:
        expected = failed.subgroup(VaartError)
        raise (expected or failed).exceptions[0] from None
    finally:
        management.close()
        registry.close()
    log.info("pollers_stopped")


async def poll(
    found: Installed, codec: Codec, settings: Settings, addresses: Addresses, health: Health
) -> None:
    """Asks one source for ever, by connections of its own; returns once another poller has taken it."""
    form = found.form.poll
    assert form is not None
    poller, source = POLLER_BY_NAME[form.poller], found.source
    ledger = Ledger(
        settings, addresses, source.name, key_of(source.name, poller.name), codec.decoder(CURSORS)
    )
    transport = Guarded(form.networks)
    async with httpx.AsyncClient(
        transport=transport, trust_env=False, follow_redirects=False, timeout=TIMEOUT_S
    ) as client:
        asking = Asking(
            client,
            form.base_url,
            poller,
            Credential(found.credential, form.client_id),
            clock.wall,
            form.login_url,
        )
        encoding = Encoding(codec, settings.identifier_secret.get_secret_value())
        sweeps = Sweeps(poller, source, asking, ledger, encoding, clock.wall)
        health.check(f"poll {source.name}", lambda: sweeps.fault)
        log.info("poller_asks", source=source.name, poller=poller.name)
        try:
            await sweeps.run(form.every_s)
        finally:
            await asyncio.to_thread(ledger.close)


def _asked(path: Path | None) -> list[Installed]:
    known = sources.load(path).by_name.values() if path else ()
    found = [each for each in known if each.form.poll is not None and not each.form.is_paused]
    if not found:
        raise ConfigFault(
            "no source is to be asked: give one a `poll` section in the file that VAART_GATEWAY__SOURCES names."
        )
    return found


async def _until_stopped(health: Health) -> None:
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    while not stopping.is_set():
        health.beat()
        try:
            async with asyncio.timeout(BEAT_S):
                await stopping.wait()
        except TimeoutError:
            continue
