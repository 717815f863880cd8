"""What a provider's words about a message become."""

from dataclasses import replace

import pytest

from connectors.protocol import messages
from connectors.protocol.channel import Source
from connectors.protocol.facts import Facts
from connectors.protocol.messages import Fate
from schemas.events.activity import ConsentChanged
from schemas.events.marketing import MessageStatusReported
from schemas.meta import Event, Identifier
from tests.connectors.channels.sampling import post

OURS = "7d9f9a1e-54a7-5c25-9d0a-3e1e9b6a0a11"
FATE = Fate(named="1", message_id="m", status=messages.DELIVERED, at=1, recipient=" Sam@Example.com ")


def told(fate: Fate) -> list[Event]:
    return list(messages.told(Facts(post(b""), Source("mail"), "email"), fate))


def consent(fate: Fate) -> ConsentChanged | None:
    return next((each for each in told(fate) if isinstance(each, ConsentChanged)), None)


@pytest.mark.parametrize(
    ("status", "granted"),
    [
        (messages.COMPLAINED, False),
        (messages.UNSUBSCRIBED, False),
        (messages.RESUBSCRIBED, True),
        (messages.BOUNCED, None),
        (messages.FAILED, None),
        (messages.UNKNOWN, None),
    ],
)
def test_only_what_the_customer_said_is_about_consent(status: str, granted: bool | None) -> None:
    found = consent(replace(FATE, status=status))
    assert (found and found.granted) is granted
    assert found is None or (found.purpose, found.medium, found.address) == (
        "marketing",
        "email",
        "sam@example.com",
    )


def test_a_failure_may_be_a_no() -> None:
    found = consent(replace(FATE, status=messages.FAILED, forbids=True))
    assert found is not None
    assert not found.granted


def test_nobody_and_no_purpose_change_no_consent() -> None:
    complained = replace(FATE, status=messages.COMPLAINED)
    assert consent(replace(complained, purpose=None)) is None
    assert consent(replace(complained, recipient="nobody")) is None
    assert consent(replace(complained, recipient=None, others=(Identifier("messenger", "1"),))) is not None


def test_a_recipient_is_an_address_or_a_number() -> None:
    for fate, recipient, kind in (
        (FATE, "sam@example.com", "email"),
        (replace(FATE, medium=messages.SMS, recipient="+31 6 12345678"), "+31612345678", "phone"),
    ):
        (event,) = told(fate)
        assert isinstance(event, MessageStatusReported)
        assert event.recipient == recipient
        assert event.meta.identifiers == [Identifier(kind, recipient)]


@pytest.mark.parametrize(
    ("added", "message_id", "found"),
    [
        ({"notification_id": "n-1"}, f"<{OURS}@shop.example>", "n-1"),
        ({"notification_id": 1}, f"<{OURS.upper()}@shop.example>", OURS),
        (None, f"{OURS}@shop.example", OURS),
        ({}, f"<x{OURS}@shop.example>", None),
        ({}, None, None),
    ],
)
def test_a_notification_of_ours_is_known_again(
    added: dict[str, object] | None, message_id: str | None, found: str | None
) -> None:
    assert messages.notification_of(added, message_id) == found


def test_only_the_form_of_our_ids_is_ours() -> None:
    assert messages.our_id(OURS) == OURS
    assert [messages.our_id(each) for each in (None, "", "some words", OURS + "0", OURS + "\n")] == [None] * 5
