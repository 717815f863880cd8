"""What CM.com's requests become, and whom they are taken of."""

from dataclasses import replace
from typing import Any

from connectors.channels import cm
from connectors.protocol.channel import Refused, Request, Verdict
from schemas.events.marketing import MessageStatusReported
from schemas.events.service import MessageReceived
from schemas.meta import Event, Identifier
from schemas.topics import route
from tests.connectors.channels.samples.cm import MESSAGE, SAMPLES, SECRET, report, reported, sent, sign

AT = 1_763_978_392_000_000


def one(request: Request) -> Event:
    found = cm.receive(sign(request, SECRET), SAMPLES.source)
    assert isinstance(found, Verdict), found
    (event,) = found.events
    return event


def status(code: Any, **more: Any) -> MessageStatusReported:
    event = one(reported(report(code, **more)))
    assert isinstance(event, MessageStatusReported)
    return event


def test_a_message_is_of_a_number_with_its_country_and_of_its_time() -> None:
    event = one(sent(MESSAGE))
    assert isinstance(event, MessageReceived)
    assert event.meta.identifiers == [Identifier("phone", "+31612345678")]
    assert (event.conversation_id, event.meta.occurred_at) == ("+31970101234:+31612345678", AT)
    assert (event.author, event.text, event.attachments) == ("Sam", "Is this in size 36?", [])
    assert "612345678" not in route(event, "identifier secret")[1]


def test_a_message_without_an_id_is_known_by_what_it_says() -> None:
    again = one(sent({**MESSAGE, "reference": "another"}))
    other = one(sent({**MESSAGE, "message": {"text": "And in 38?"}}))
    assert one(sent(MESSAGE)).meta.event_id == again.meta.event_id != other.meta.event_id


def test_codes_are_read_and_new_ones_are_kept() -> None:
    told = [status(code) for code in range(6)]
    assert [each.status for each in told] == ["sent", "failed", "delivered", "failed", "opened", "unknown"]
    assert [each.provider_code for each in told] == [None] * 5 + ["5"]
    assert status(3, errorCode="31").provider_code == "31"


def test_a_report_is_of_the_sources_zone_and_of_our_notification() -> None:
    found = status(2)
    assert found.meta.occurred_at == AT
    assert (found.recipient, found.medium) == ("+31612345678", "sms")
    assert found.notification_id == found.message_id == "7d9f9a1e-54a7-5c25-9d0a-3e1e9b6a0a11"


def test_only_the_whole_secret_opens() -> None:
    request = sent(MESSAGE)
    for route_of in ("", "/", f"/{SECRET[:-1]}", f"/{SECRET}x", f"/a/{SECRET}"):
        assert isinstance(cm.receive(replace(request, route=route_of), SAMPLES.source), Refused)
    assert isinstance(cm.receive(replace(request, route=f"/{SECRET}/"), SAMPLES.source), Verdict)
