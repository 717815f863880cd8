"""Folder and SFTP drops as a service: the composition root of `vaart serve drops`."""

import asyncio
from pathlib import Path

import structlog

from connectors import sources
from connectors.drops.checking import form_of, place_of, raise_faults, reading_of
from connectors.drops.recording import NAME, Records
from connectors.drops.taking import Drops
from connectors.gateway import hearing
from connectors.gateway.encoding import Encoding
from connectors.polling.ledger import Ledger
from connectors.polling.stopping import until_stopped
from connectors.polling.sweeping import key_of
from connectors.sources import Installed
from schemas.codec import Codec
from schemas.registry import Registry
from schemas.topics import CURSORS
from vaart import clock, kafka
from vaart.addresses import Addresses
from vaart.errors import ConfigFault, VaartError
from vaart.health import Health, HealthServer
from vaart.settings import Settings

COPIES = "drops"

log = structlog.get_logger()


async def serve(settings: Settings, addresses: Addresses) -> None:
    """Takes the files of every source that has a `drop` section until SIGTERM or SIGINT.

    A file that is on its way is given up, and gone on with the next time. Raises DependencyAway when Kafka cannot be
    reached, ConfigFault when no source has files or one of them cannot be taken as it is configured.
    """
    found, beside = _dropped(settings.gateway.sources)
    kafka.wait_until_reachable(settings, addresses)
    registry = Registry.of(addresses.registry, settings.registry, settings.state_dir)
    health = Health()
    management = HealthServer(settings, health)
    try:
        codec = Codec(registry, settings.kafka.topic_prefix)
        async with asyncio.TaskGroup() as group:
            drops = [
                group.create_task(take(each, beside, codec, settings, addresses, health)) for each in found
            ]
            await until_stopped(health)
            for each in drops:
                each.cancel()
    except BaseExceptionGroup as failed:
        expected = failed.subgroup(VaartError)
        raise (expected or failed).exceptions[0] from None
    finally:
        management.close()
        registry.close()
    log.info("drops_stopped")


async def take(
    found: Installed, beside: Path, codec: Codec, settings: Settings, addresses: Addresses, health: Health
) -> None:
    """Takes one source's files for ever; returns once another process does."""
    form, name = form_of(found), found.source.name
    ledger = Ledger(settings, addresses, name, key_of(name, NAME), codec.decoder(CURSORS))
    encoding = Encoding(codec, settings.identifier_secret.get_secret_value())
    drops = Drops(
        found,
        place_of(found, beside),
        reading_of(found, beside),
        ledger,
        Records(name, encoding, clock.wall, found.plan),
        clock.wall,
        settings.state_dir / COPIES / name,
    )
    hearing.expect(found.channel.name, name, found.form)
    health.check(f"drop {name}", lambda: drops.fault)
    log.info("drop_watched", source=name, folder=str(form.folder), every_s=form.every_s)
    try:
        await drops.run()
    finally:
        await asyncio.to_thread(ledger.close)


def _dropped(path: Path | None) -> tuple[list[Installed], Path]:
    """The sources whose files are taken, and the folder that their paths are relative to."""
    found = sources.load(path).with_section("drop") if path else []
    if path is None or not found:
        raise ConfigFault(
            "no source has files: give one a `drop` section in the file that VAART_GATEWAY__SOURCES names."
        )
    raise_faults(found, path)
    return found, path.parent
