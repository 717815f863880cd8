"""Zendesk: who wrote, and what is private."""

from typing import cast

from connectors.channels.zendesk import receive
from connectors.protocol import values
from connectors.protocol.channel import Verdict
from schemas.events.service import MessageSent
from tests.connectors.channels.samples.zendesk import SAMPLES, SECRET, comment, sign


def test_a_note_is_private_and_never_a_customer_s() -> None:
    found = cast(Verdict, receive(sign(comment(is_public=False), SECRET), SAMPLES.source))
    event = found.events[0]
    assert isinstance(event, MessageSent)
    assert event.is_private
    assert event.meta.occurred_at == values.moment("2025-11-24T09:33:18.254571Z")
