"""Chatwoot: whom a message concerns, and its time in both forms."""

from typing import cast

from connectors.channels.chatwoot import receive
from connectors.protocol import values
from connectors.protocol.channel import Verdict
from tests.connectors.channels.samples.chatwoot import SAMPLES, SECRET, sign


def test_a_note_of_an_agent_concerns_the_customer() -> None:
    for name in ("message_created", "ours", "a note"):
        sample = next(each for each in SAMPLES.samples if each.name == name)
        event = cast(Verdict, receive(sign(sample.request, SECRET), SAMPLES.source)).events[0]
        assert event.meta.identifiers[0].value == "chat:89"
        assert event.meta.occurred_at == values.moment("2025-11-24T12:00:00Z")
