"""Which windows PostNL is asked for."""

import json

from connectors.pollers.postnl_statuses import HOUR_US, NOTHING, POLLER
from connectors.protocol import values
from connectors.protocol.poller import Answered
from tests.connectors.channels.samples.postnl import SAMPLES, UPDATED

NOW = values.moment("2025-11-24T12:00:00Z")
SOURCE = SAMPLES.source


def test_a_window_is_two_hours_of_dutch_time() -> None:
    asked = POLLER.ask(values.moment("2025-11-24T08:00:00Z"), "", SOURCE)
    assert asked.path == "shipment/v2/status/10461423/updatedshipments"
    assert asked.query["period"] == ["2025-11-24T09:00:00", "2025-11-24T11:00:00"]


def test_windows_follow_each_other_until_now() -> None:
    since, page, seen = NOW - 5 * HOUR_US, "", []
    while True:
        found = POLLER.read(Answered(b"", {}, NOW, NOTHING, since, page), SOURCE)
        page = found.next_page
        if not page:
            break
        seen.append(int(page))
    assert seen == [NOW - 3 * HOUR_US, NOW - HOUR_US]
    assert found.newest == NOW


def test_what_postnl_has_forgotten_is_not_asked_for() -> None:
    found = POLLER.read(Answered(b"", {}, NOW, NOTHING, NOW - 500 * HOUR_US, ""), SOURCE)
    assert int(found.next_page) == NOW - 47 * HOUR_US


def test_what_changed_is_told() -> None:
    found = POLLER.read(Answered(json.dumps([UPDATED]).encode(), {}, NOW, 200, NOW - HOUR_US, ""), SOURCE)
    assert [type(event).__name__ for event in found.events] == ["ParcelStatusReported"]
