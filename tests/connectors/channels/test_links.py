"""Where a code leads, and what is known of its scan."""

from dataclasses import replace
from typing import Any

import pytest

from connectors.channels.links import CHANNEL
from connectors.protocol.channel import Answer, Challenge, Source, Verdict
from schemas.events.activity import CampaignTouched, CodeScanned
from tests.connectors.channels.samples.links import SAMPLES, scan


def led(code: str, source: Source = SAMPLES.source) -> Answer:
    found: Any = CHANNEL.receive(scan(code), source)
    assert isinstance(found, Verdict | Challenge)
    assert found.answer is not None
    return found.answer


def test_a_scan_says_where_it_was_made() -> None:
    found: Any = CHANNEL.receive(scan("spring"), SAMPLES.source)
    scanned, touched = found.events
    assert isinstance(scanned, CodeScanned)
    assert (scanned.store_id, scanned.placement, scanned.campaign) == ("haarlem", "window", "spring-26")
    assert isinstance(touched, CampaignTouched)
    assert (touched.campaign, touched.content) == ("spring-26", "window")


@pytest.mark.parametrize(
    ("code", "target"),
    [
        ("spring", "https://www.shop.example/spring?utm_source=window"),
        ("nothing", "https://www.shop.example/"),
        ("//evil.example/", "https://www.shop.example/"),
    ],
)
def test_it_leads_where_the_source_says_and_nowhere_else(code: str, target: str) -> None:
    answer = led(code)
    assert (answer.status, answer.headers["Location"]) == (302, target)
    assert answer.headers["Cache-Control"] == "no-store"


def test_what_is_no_address_of_the_web_is_not_led_to() -> None:
    assert led("script").status == 404


def test_two_scans_are_two() -> None:
    asked = scan("shelf-7")
    first: Any = CHANNEL.receive(asked, SAMPLES.source)
    second: Any = CHANNEL.receive(replace(asked, received_at=asked.received_at + 1), SAMPLES.source)
    assert first.events[0].meta.event_id != second.events[0].meta.event_id
