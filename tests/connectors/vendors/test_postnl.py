"""The traps of PostNL's status documents."""

import json
from typing import Any, cast

import pytest

from connectors.protocol import values
from connectors.protocol.channel import Request, Source, Verdict
from connectors.protocol.documents import NotReadable, Unfit
from connectors.protocol.facts import Facts
from connectors.vendors.postnl.status import moment, statuses
from schemas.events.parcels import ParcelStatusReported

STATUS = {
    "TimeStamp": "24-11-2025 12:30:00",
    "StatusCode": "11",
    "PhaseCode": "4",
    "StatusDescription": "B&amp;B",
}


def read(shipment: Any) -> Verdict:
    request = Request("GET", "", "", {}, (), b"", 1_764_064_800_000_000)
    document = {"CurrentStatus": {"Shipment": shipment}}
    return statuses(Facts(request, Source("postnl-nl"), "carrier"), json.dumps(document).encode())


def test_both_forms_of_a_time_are_dutch_time() -> None:
    noon = values.moment("2025-11-24T11:30:00Z")
    assert moment("24-11-2025 12:30:00") == moment("2025-11-24T12:30:00") == noon
    assert moment("24-07-2025 12:30:00") == values.moment("2025-07-24T10:30:00Z")
    with pytest.raises(Unfit):
        moment("32-13-2025 12:30:00")


def test_one_shipment_is_a_list_of_one() -> None:
    shipment = {"Barcode": "3STEST1", "Reference": "{}", "Status": STATUS}
    one, many = read(shipment), read([shipment])
    assert one == many
    event = cast(ParcelStatusReported, one.events[0])
    assert (event.status, event.raw_code, event.order_reference) == ("delivered", "4/11", None)


def test_empty_is_written_as_a_text() -> None:
    assert read("{}") == read("") == read(None) == Verdict()
    assert read({"Barcode": "3STEST1", "Status": "{}", "OldStatus": "{}"}) == Verdict()


def test_a_history_says_nothing_twice_and_unknown_phases_are_kept() -> None:
    shipment = {"Barcode": "3STEST1", "Status": STATUS, "OldStatus": [STATUS, {**STATUS, "PhaseCode": "99"}]}
    found = cast(list[ParcelStatusReported], read(shipment).events)
    assert [event.status for event in found] == ["delivered", "unknown"]


def test_a_bad_shipment_does_not_spoil_a_good_one() -> None:
    found = read([{"Status": STATUS}, {"Barcode": "3STEST1", "Status": STATUS}])
    assert (len(found.events), len(found.rejects)) == (1, 1)


def test_what_is_no_json_is_not_readable() -> None:
    request = Request("GET", "", "", {}, (), b"", 1)
    with pytest.raises(NotReadable):
        statuses(Facts(request, Source("x"), "carrier"), b"<html>")
