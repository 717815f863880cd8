"""Polled sources have plans too, and are heard when they answer."""

import httpx
import pytest
from prometheus_client import REGISTRY

from connectors.plans.checking import OFF_PLAN, Plan, Planned
from connectors.pollers.shopify_orders import POLLER
from schemas.events.orders import OrderPlaced
from tests.connectors.channels.samples.shopify import SAMPLES
from tests.connectors.polling.conftest import EACH_ONCE, NOW, Rig

pytestmark = pytest.mark.servers

WAY = {"channel": POLLER.name, "source": SAMPLES.source.name}


def counted() -> float:
    labels = {**WAY, "reason": "unplanned_event"}
    return REGISTRY.get_sample_value("vaart_plan_violations_total", labels) or 0.0


async def test_what_a_poll_brings_is_flagged_once_and_kept(rig: Rig, client: httpx.AsyncClient) -> None:
    before = counted()
    sweeps = rig.sweeps(client, Plan({OrderPlaced: Planned(())}, {}))
    await sweeps.sweep(await sweeps.sweep(await sweeps.opened()))
    assert rig.ids() == EACH_ONCE
    marks = {type(each).__name__: each.meta.context.get(OFF_PLAN) for each in rig.events()}
    assert marks == {"OrderPlaced": None, "OrderReported": "unplanned_event"}
    assert counted() == before + 3


class Enough(Exception):
    """The poller is not to wait."""


async def swept(rig: Rig, client: httpx.AsyncClient) -> float | None:
    """When the source counts as heard after one sweep."""

    async def stop(_: float) -> None:
        raise Enough

    with pytest.raises(Enough):
        await rig.sweeps(client).run(60, stop)
    return heard()


def heard() -> float | None:
    return REGISTRY.get_sample_value("vaart_source_heard_timestamp_seconds", WAY)


async def test_a_source_is_heard_when_it_answers_and_still_is_after_a_restart(
    rig: Rig, client: httpx.AsyncClient
) -> None:
    from vaart import metrics

    assert await swept(rig, client) == NOW / 1_000_000
    metrics.SOURCE_HEARD.remove(*WAY.values())
    await rig.sweeps(client).opened()
    assert heard() == NOW / 1_000_000
