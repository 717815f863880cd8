"""Stored requests, read again by a channel that knows more by now."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from connectors.channels.shopify import CHANNEL
from connectors.sources import Installed, SourceForm, Sources
from schemas.topics import DEAD_LETTERS, ORDERS
from tests.connectors.channels.samples import shopify
from tests.connectors.gateway.conftest import Log, Open, Parts
from tests.connectors.gateway.test_webhooks import PATH, posted, signed
from vaart.cli.main import app

pytestmark = pytest.mark.servers

RECEIPT = {**shopify.ORDER, "source_name": "pos", "location_id": 655441491}


@pytest.fixture
def told(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[str]:
    """The words of a command that reads with a source that has a zone."""
    for name, value in (environment | {"VAART_KAFKA__PARTITIONS": "2", "SHOP": shopify.SECRET}).items():
        monkeypatch.setenv(name, value)
    path = tmp_path / "sources.yaml"
    path.write_text(
        "sources: {shop-nl: {channel: shopify, secrets: [{env: SHOP}], zone: Europe/Amsterdam, currency: EUR}}"
    )
    return [
        "requests",
        "redrive",
        "--source",
        "shop-nl",
        "--since",
        "2020-01-01T00:00Z",
        "--sources",
        str(path),
    ]


async def run(words: list[str]) -> Result:
    """A loop of its own is made by the command."""
    return await asyncio.to_thread(lambda: CliRunner().invoke(app, words))


async def test_what_could_not_be_read_for_want_of_a_zone_is_read_again(
    opened: Open, log: Log, told: list[str]
) -> None:
    before = replace(shopify.SAMPLES.source, zone=None)
    sources = Sources({"shop-nl": Installed(CHANNEL, before, SourceForm(channel="shopify"))})
    async with opened(Parts(sources)) as (client, _):
        assert (await posted(client, signed(RECEIPT), PATH)).status == 200
        assert (await posted(client, signed(shopify.ORDER), PATH)).status == 200
    assert [letter.reason for letter in log.events(1, DEAD_LETTERS)] == ["unfit"]
    (first,) = log.events(1, ORDERS)

    looked = await run([*told, "--dry-run"])
    assert (looked.exit_code, "SoldInStore" in looked.output) == (0, True), (looked.output, looked.exception)
    assert len(log.events(2, ORDERS)) == 1

    assert (await run([*told, "--yes"])).exit_code == 0
    kept = log.events(3, ORDERS)
    assert sorted(type(event).__name__ for event in kept) == ["OrderPlaced", "OrderPlaced", "SoldInStore"]
    assert {event.meta.event_id for event in kept if type(event) is type(first)} == {first.meta.event_id}

    listed = await run(["requests", "list", "--since", "2020-01-01T00:00Z", "--output", "json"])
    assert '"verdict": "1 rejected"' in listed.output
    assert shopify.SECRET not in listed.output
