"""Intercom's words and times."""

from typing import cast

from connectors.channels.intercom import receive
from connectors.protocol import values
from connectors.protocol.channel import Verdict
from schemas.events.service import MessageReceived, MessageSent
from tests.connectors.channels.samples.intercom import KIM, SAMPLES, SECRET, TALK, part, parts, sent, sign


def test_the_words_of_a_body_are_kept() -> None:
    found = cast(Verdict, receive(sign(sent("conversation.user.created", TALK), SECRET), SAMPLES.source))
    message = cast(MessageReceived, found.events[1])
    assert message.text == "Is this in size 36?\nThanks & bye"
    assert message.meta.occurred_at == values.moment("2025-11-24T12:00:00Z")
    assert [(each.kind, each.value) for each in message.meta.identifiers] == [
        ("customer_id", "inbox:5f3a"),
        ("email", "sam@example.com"),
    ]


def test_a_note_is_private_and_concerns_the_customer() -> None:
    noted = sent("conversation.admin.noted", parts(part(KIM, part_type="note")))
    message = cast(MessageSent, cast(Verdict, receive(sign(noted, SECRET), SAMPLES.source)).events[0])
    assert message.is_private
    assert message.author == "Kim"
    assert message.meta.identifiers[0].value == "inbox:5f3a"
