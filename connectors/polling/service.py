"""The pollers as a service: the composition root of `vaart serve poller`."""

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack

import httpx
import structlog

from connectors import sources
from connectors.fetchers import FETCHERS
from connectors.fetching.answering import Answering
from connectors.fetching.desk import Desk
from connectors.fetching.publishing import Sending
from connectors.fetching.reading import Fetches
from connectors.gateway import hearing
from connectors.gateway.encoding import Encoding
from connectors.polling.asking import TIMEOUT_S, Asking, Credential
from connectors.polling.form import APIS, POLLER_BY_NAME, PollForm
from connectors.polling.guard import Guarded
from connectors.polling.ledger import Ledger
from connectors.polling.stopping import until_stopped
from connectors.polling.sweeping import Sweeps, key_of
from connectors.protocol.poller import Poller
from connectors.references.table import References
from connectors.sources import Installed
from schemas.codec import Codec
from schemas.registry import Registry
from schemas.topics import CURSORS, FETCHES, REFERENCES
from vaart import clock, kafka
from vaart.addresses import Addresses
from vaart.errors import ConfigFault, VaartError
from vaart.health import Health, HealthServer
from vaart.settings import Settings

log = structlog.get_logger()


async def serve(settings: Settings, addresses: Addresses) -> None:
    """Asks every source that has a `poll` section until SIGTERM or SIGINT. A page that is on its way is given up.

    Raises DependencyAway when Kafka cannot be reached, ConfigFault when no source is to be asked.
    """
    loaded = sources.load(settings.gateway.sources) if settings.gateway.sources else sources.Sources()
    kafka.wait_until_reachable(settings, addresses)
    registry = Registry.of(addresses.registry, settings.registry, settings.state_dir)
    codec = Codec(registry, settings.kafka.topic_prefix)
    references = References(settings, addresses, codec.decoder(REFERENCES))
    health = Health()
    management = HealthServer(settings, health)
    try:
        asked = _asked(references.told_to(loaded))
        await asyncio.to_thread(references.load)
        async with AsyncExitStack() as stack, asyncio.TaskGroup() as group:
            office = _Office(settings, addresses, codec, health)
            askings = {each.source.name: await _asking(each, stack) for each in asked}
            tasks = [
                group.create_task(office.poll(each, POLLER_BY_NAME[name], askings[each.source.name]))
                for each in asked
                for name in _form(each).poller
            ]
            tasks.append(group.create_task(office.fetch(asked, askings)))
            await until_stopped(health)
            for each in tasks:
                each.cancel()
    except BaseExceptionGroup as failed:
        expected = failed.subgroup(VaartError)
        raise (expected or failed).exceptions[0] from None
    finally:
        management.close()
        references.close()
        registry.close()
    log.info("pollers_stopped")


class _Office:
    """What all sources that are asked share."""

    def __init__(self, settings: Settings, addresses: Addresses, codec: Codec, health: Health) -> None:
        self._settings = settings
        self._addresses = addresses
        self._codec = codec
        self._health = health
        self._encoding = Encoding(codec, settings.identifier_secret.get_secret_value())

    async def poll(self, found: Installed, poller: Poller, asking: Asking) -> None:
        """Asks one source for one thing, for ever; returns once another process has taken it."""
        form, source = _form(found), found.source
        key, decode = key_of(source.name, poller.name), self._codec.decoder(CURSORS)
        ledger = Ledger(self._settings, self._addresses, f"{source.name}.{poller.name}", key, decode)
        sweeps = Sweeps(poller, source, asking, ledger, self._encoding, clock.wall, found.plan)
        hearing.expect(poller.name, source.name, found.form)
        self._health.check(f"poll {source.name} {poller.name}", lambda: sweeps.fault)
        log.info("poller_asks", source=source.name, poller=poller.name)
        try:
            await sweeps.run(form.every_s)
        finally:
            await asyncio.to_thread(ledger.close)

    async def fetch(self, asked: Sequence[Installed], askings: dict[str, Asking]) -> None:
        """Asks for what the requests of these sources point at, for ever."""
        with kafka.Publisher(self._settings, self._addresses) as publisher:
            send = Sending(publisher).send
            answering = {
                each.source.name: Answering(
                    {one.what: one for one in FETCHERS if one.channel == each.channel.name},
                    each.source,
                    askings[each.source.name],
                    self._encoding,
                    send,
                    clock.wall,
                    each.plan,
                )
                for each in asked
            }
            fetches = Fetches(self._settings, self._addresses, self._codec.decoder(FETCHES))
            desk = Desk(fetches, answering, clock.wall)
            self._health.check("fetches", lambda: next(iter(desk.faults.values()), None))
            try:
                await desk.run()
            finally:
                await asyncio.to_thread(fetches.close)


async def _asking(found: Installed, stack: AsyncExitStack) -> Asking:
    """One source's, by connections of its own."""
    form = _form(found)
    client = httpx.AsyncClient(
        transport=Guarded(form.networks), trust_env=False, follow_redirects=False, timeout=TIMEOUT_S
    )
    await stack.enter_async_context(client)
    credential = Credential(found.credential, form.client_id)
    return Asking(client, form.base_url, APIS[found.channel.name], credential, clock.wall, form.login_url)


def _form(found: Installed) -> PollForm:
    assert found.form.poll is not None
    return found.form.poll


def _asked(loaded: sources.Sources) -> list[Installed]:
    found = loaded.with_section("poll")
    if not found:
        raise ConfigFault(
            "no source is to be asked: give one a `poll` section in the file that VAART_GATEWAY__SOURCES names."
        )
    return found
