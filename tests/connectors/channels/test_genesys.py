"""Genesys Cloud: whose number it is, and how long a call was."""

from typing import cast

from connectors.channels.genesys import receive
from connectors.protocol.channel import Verdict
from schemas.events.service import CallEnded
from tests.connectors.channels.samples.genesys import SAMPLES, SECRET, document, sent, sign


def test_an_outbound_call_is_to_the_customer() -> None:
    told = sent(document("customer.end", direction="OUTBOUND", interactingDurationMs=61_500))
    event = cast(CallEnded, cast(Verdict, receive(sign(told, SECRET), SAMPLES.source)).events[0])
    assert event.meta.channel == "phone"
    assert [(each.kind, each.value) for each in event.meta.identifiers] == [("phone", "+31201234567")]
    assert (event.direction, event.duration_s) == ("outbound", 61)
    assert event.meta.occurred_at == 1_763_985_600_123_000
