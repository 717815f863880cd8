"""The vendors' clients for servers, in Python and node, against the gateway: what they send becomes our events."""

import pytest

from schemas.events.activity import (
    CampaignTouched,
    CustomActivityRecorded,
    CustomerIdentified,
    IdentifiersLinked,
    PageViewed,
    ScreenViewed,
    StoreVisited,
    TraitsChanged,
)
from schemas.events.baskets import CartLineAdded
from schemas.events.orders import OrderPlaced
from schemas.meta import Identifier
from tests.connectors.clients.conftest import Seen
from tests.connectors.clients.installing import Clients

MINUTE_US = 60_000_000
CLEAN = "https://shop.example/?utm_source=mail"


def names(gateway: Seen) -> set[str]:
    return {type(event).__name__ for event in gateway.events}


def nothing_is_lost(gateway: Seen) -> None:
    assert gateway.letters == []
    ids = [event.meta.event_id for event in gateway.events]
    assert len(set(ids)) == len(ids)
    recent = [each for each in gateway.events if each.meta.received_at - each.meta.occurred_at < MINUTE_US]
    assert len(recent) >= len(gateway.events) - 1


@pytest.mark.parametrize("packing", ["plain", "gzip"])
async def test_segment_for_python(gateway: Seen, clients: Clients, packing: str) -> None:
    await clients.python_sends("segment_python.py", gateway.url, packing)
    nothing_is_lost(gateway)
    identified = gateway.one(CustomerIdentified)
    assert identified.traits == {"email": "Sam@Example.com", "born": "1990-05-01T00:00:00+00:00"}
    assert Identifier("email", "sam@example.com") in identified.meta.identifiers
    order = gateway.one(OrderPlaced)
    assert (order.order_id, order.totals.total, order.lines[0].sku) == ("o-1", 425_000, "dress-36")
    asked = gateway.one(CustomActivityRecorded)
    assert (asked.name, asked.properties_json) == ("Review Asked", '{"days":3}')
    assert abs(asked.meta.occurred_at - 1_704_164_645_000_000) < MINUTE_US
    assert gateway.one(PageViewed).url == gateway.one(CampaignTouched).landing_url == CLEAN
    assert gateway.one(ScreenViewed).name == "Home"
    assert gateway.one(IdentifiersLinked).to_identifier == Identifier("customer_id", "segment-nl:97980")
    changed = gateway.of(TraitsChanged)
    assert [(each.set, each.removed) for each in changed] == [
        ({}, ["plan"]),
        ({"group_id": "g-1", "group.name": "Initech"}, []),
    ]


@pytest.mark.parametrize("packing", ["plain", "gzip"])
async def test_rudderstack_for_python(gateway: Seen, clients: Clients, packing: str) -> None:
    await clients.python_sends("rudder_python.py", f"{gateway.url}/rudderstack", packing)
    nothing_is_lost(gateway)
    assert gateway.one(CustomerIdentified).traits == {"email": "Sam@Example.com"}
    assert gateway.one(CartLineAdded).line.total == 399_000
    assert gateway.one(PageViewed).url == gateway.one(CampaignTouched).landing_url == CLEAN
    assert gateway.one(TraitsChanged).set == {"group_id": "g-1", "group.name": "Initech"}
    assert gateway.one(IdentifiersLinked).to_identifier == Identifier("customer_id", "rudderstack-nl:97980")


@pytest.mark.parametrize("method", ["post", "get"])
async def test_snowplow_for_python(gateway: Seen, clients: Clients, method: str) -> None:
    await clients.python_sends("snowplow_python.py", gateway.url, method)
    it_is_what_snowplow_sent(gateway)


async def test_segment_for_node(gateway: Seen, clients: Clients) -> None:
    await clients.node_sends("segment_node.mjs", gateway.url)
    nothing_is_lost(gateway)
    assert gateway.one(CustomerIdentified).user_id == "97980"
    assert gateway.one(OrderPlaced).totals.total == 425_000
    assert gateway.one(PageViewed).url == gateway.one(CampaignTouched).landing_url == CLEAN
    assert gateway.one(ScreenViewed).name == "Home"
    assert gateway.one(IdentifiersLinked).to_identifier == Identifier("customer_id", "segment-nl:97980")
    assert len(gateway.of(TraitsChanged)) == 2


@pytest.mark.parametrize("packing", ["plain", "gzip"])
async def test_rudderstack_for_node(gateway: Seen, clients: Clients, packing: str) -> None:
    await clients.node_sends("rudder_node.mjs", f"{gateway.url}/rudderstack", packing)
    nothing_is_lost(gateway)
    assert gateway.one(CustomerIdentified).traits == {"email": "Sam@Example.com"}
    assert gateway.one(CartLineAdded).line.quantity == 2
    assert gateway.one(PageViewed).url == gateway.one(CampaignTouched).landing_url == CLEAN
    assert len(gateway.of(IdentifiersLinked)) == 1


@pytest.mark.parametrize("method", ["post", "get"])
async def test_snowplow_for_node(gateway: Seen, clients: Clients, method: str) -> None:
    await clients.node_sends("snowplow_node.mjs", gateway.url, method)
    it_is_what_snowplow_sent(gateway)


async def test_google_analytics_for_python(gateway: Seen, clients: Clients) -> None:
    """What is only checked is not kept."""
    await clients.python_sends("ga4_python.py", gateway.url)
    assert gateway.letters == []
    order = gateway.one(OrderPlaced)
    assert (order.order_id, order.totals.total, order.lines[0].total) == ("T_1", 399_000, 330_000)
    assert abs(order.meta.received_at - order.meta.occurred_at - 10 * MINUTE_US) < MINUTE_US
    assert gateway.one(PageViewed).url == gateway.one(CampaignTouched).landing_url == CLEAN
    assert gateway.one(TraitsChanged).set == {"tier": "gold"}


@pytest.mark.parametrize("mode", ["structured", "binary"])
@pytest.mark.parametrize("proof", ["token", "signed"])
async def test_cloudevents_for_python(gateway: Seen, clients: Clients, mode: str, proof: str) -> None:
    await clients.python_sends(
        "cloudevents_python.py", f"{gateway.url}/in/cloudevents/cloudevents-nl", mode, proof
    )
    visited = gateway.one(StoreVisited)
    assert (visited.store_id, visited.method, visited.meta.source_event_id) == ("haarlem", "wifi", "😀 1")
    assert visited.meta.received_at - visited.meta.occurred_at < MINUTE_US


def it_is_what_snowplow_sent(gateway: Seen) -> None:
    nothing_is_lost(gateway)
    assert gateway.one(PageViewed).url == gateway.one(CampaignTouched).landing_url == CLEAN
    played = gateway.one(CustomActivityRecorded)
    assert played.name == "play"
    assert '"category":"video"' in played.properties_json
    added = gateway.one(CartLineAdded)
    assert (added.cart_id, added.currency, added.line.sku, added.line.total) == (
        "c-1",
        "EUR",
        "dress-36",
        399_000,
    )
    assert Identifier("customer_id", "snowplow-nl:97980") in added.meta.identifiers
