"""DHL's times: with an offset, and without one."""

from typing import cast

from connectors.channels.dhl import receive
from connectors.protocol import values
from connectors.protocol.channel import Verdict
from schemas.events.parcels import ParcelStatusReported
from tests.connectors.channels.samples.dhl import DELIVERED, SAMPLES, SECRET, TRANSIT, sent, shipment, sign


def test_a_time_without_an_offset_is_one_of_the_source() -> None:
    found = cast(Verdict, receive(sign(sent(shipment(DELIVERED, TRANSIT)), SECRET), SAMPLES.source))
    events = cast(list[ParcelStatusReported], found.events)
    assert [event.at for event in events] == [
        values.moment("2025-11-24T11:30:00Z"),
        values.moment("2025-11-24T07:00:00Z"),
    ]
    assert [(event.status, event.raw_code) for event in events] == [
        ("delivered", "delivered"),
        ("in_transit", "transit"),
    ]
    assert events[0].location == "Utrecht"
