"""The vendors' clients for browsers, on a page of another origin, against the gateway."""

import json
from collections.abc import Awaitable, Callable

import pytest

from schemas.events.activity import (
    CampaignTouched,
    CustomActivityRecorded,
    CustomerIdentified,
    IdentifiersLinked,
    PageViewed,
)
from schemas.events.baskets import CartLineAdded
from tests.connectors.clients.conftest import Opened, Seen

Page = Callable[[str, str], Awaitable[str]]
ROUTES = {
    "segment_browser.js": {f"POST /v1/{word}" for word in "ptiga"},
    "segment_batching_browser.js": {"POST /v1/b"},
}


@pytest.mark.parametrize("full", [0, 3])
@pytest.mark.parametrize("script", ["segment_browser.js", "segment_batching_browser.js"])
async def test_segment(opened: Opened, page: Page, script: str, full: int) -> None:
    """Whoever is told that there is no room comes again."""
    async with opened(full=full) as seen:
        await page(script, seen.url)
    assert {each.route for each in seen.requests} <= ROUTES[script]
    it_was_a_visit(seen)
    assert seen.one(CustomerIdentified).user_id == "97980"
    assert len(seen.of(IdentifiersLinked)) == 1


@pytest.mark.parametrize("full", [0, 3])
async def test_rudderstack(opened: Opened, page: Page, full: int) -> None:
    async with opened(full=full) as seen:
        await page("rudder_browser.js", f"{seen.url}/rudderstack")
    it_was_a_visit(seen)
    assert seen.one(PageViewed).session_id
    assert seen.one(CustomerIdentified).traits["email"] == "Sam@Example.com"


async def test_rudderstack_by_beacons(opened: Opened, page: Page) -> None:
    async with opened() as seen:
        await page("rudder_beacon_browser.js", f"{seen.url}/rudderstack")
    it_was_a_visit(seen)
    assert any("beacon" in each.route for each in seen.requests)


@pytest.mark.parametrize("full", [0, 2])
async def test_snowplow(opened: Opened, page: Page, full: int) -> None:
    async with opened(full=full) as seen:
        await page("snowplow_browser.js", seen.url)
    it_was_a_visit(seen)
    assert [each.name for each in seen.of(CustomActivityRecorded)] == ["play", "stop"]
    assert seen.one(PageViewed).session_id


async def test_a_page_of_another_origin_than_those_allowed_sends_nothing(opened: Opened, page: Page) -> None:
    async with opened(origins=("https://www.shop.example",)) as seen:
        await page("rudder_browser.js", f"{seen.url}/rudderstack")
    assert seen.events == []


def it_was_a_visit(seen: Seen) -> None:
    assert seen.letters == []
    ids = {event.meta.event_id for event in seen.events}
    assert len(ids) == len(seen.events)
    viewed, touched, added = seen.one(PageViewed), seen.one(CampaignTouched), seen.one(CartLineAdded)
    assert viewed.url is not None
    assert "utm_source=instagram" in viewed.url
    assert viewed.title == "Dresses"
    assert (touched.source, touched.campaign) == ("instagram", "winter")
    assert (touched.click_id_kind, touched.click_id) == ("gclid", "Cj0KCQ")
    assert (added.cart_id, added.line.sku, added.line.total) == ("c-1", "dress-36", 399_000)
    kinds = {each.kind for each in added.meta.identifiers}
    assert {"anonymous_id", "customer_id"} <= kinds
    told = json.dumps([event.meta.context for event in seen.events]) + viewed.url
    assert "email=" not in told
    assert "gateway=" not in told
