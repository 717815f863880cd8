"""Sendcloud's signature by its own vector, and the words and times of a status."""

from typing import cast

import pytest

from connectors.channels.sendcloud import receive
from connectors.protocol.channel import Refused, Source, Verdict
from schemas.events.parcels import ParcelStatusReported
from tests.connectors.channels.samples.sendcloud import AT, SAMPLES, SECRET, sent, sign
from tests.connectors.channels.sampling import post

VECTOR = "1eed4b3d41f4653ac64fd56f1bf1cbfd349e4482cbc11dff7134bd93e5da4b0a"
"""Of the body {"key": "value"} with the key "secretkey": sendcloud.dev, "Webhooks overview"."""


def test_its_own_vector_holds() -> None:
    request = post(b'{"key": "value"}', sendcloud_signature=VECTOR)
    assert not isinstance(receive(request, Source("x", ("secretkey",))), Refused)
    assert isinstance(receive(request, Source("x", ("secretkez",))), Refused)


@pytest.mark.parametrize(
    ("code", "status"),
    [(11, "delivered"), (93, "delivered"), (12, "at_pickup_point"), (8, "failed_attempt"), (1337, "unknown")],
)
def test_a_status_in_our_words(code: int, status: str) -> None:
    found = receive(sign(sent(status={"id": code}), SECRET), SAMPLES.source)
    event = cast(ParcelStatusReported, cast(Verdict, found).events[0])
    assert (event.status, event.raw_code, event.carrier) == (status, str(code), "postnl")
    assert event.at == event.meta.occurred_at == AT * 1_000
    assert event.order_reference == "ORD12334"
