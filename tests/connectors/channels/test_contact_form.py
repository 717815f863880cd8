"""What a contact form says, which source it is for, and where its browser is sent."""

from typing import cast

from connectors.channels.contact_form import key_of, receive
from connectors.protocol.channel import Malformed, Source, Verdict
from schemas.events.activity import FormSubmitted
from tests.connectors.channels.samples.contact_form import SAMPLES, form
from tests.connectors.channels.sampling import post


def test_its_fields_and_who_sent_it() -> None:
    verdict = cast(Verdict, receive(form(), SAMPLES.source))
    event = cast(FormSubmitted, verdict.events[0])
    assert (event.form_id, event.topic, event.order_id) == ("returns", "return", "1001")
    assert set(event.fields) == {"email", "phone", "message"}
    assert [each.value for each in event.meta.identifiers] == ["sam@example.com", "+31612345678"]
    assert verdict.answer is not None
    assert (verdict.answer.status, verdict.answer.headers["Location"]) == (303, "https://shop.example/thanks")


def test_a_robot_is_told_the_same_and_makes_no_event() -> None:
    told, trapped = (receive(form(website=text), SAMPLES.source) for text in ("", "x"))
    assert cast(Verdict, told).answer == cast(Verdict, trapped).answer
    assert cast(Verdict, trapped).events == []


def test_the_key_is_found_wherever_it_stands() -> None:
    assert key_of(form()) == "wk_public"
    assert key_of(post(b'{"key": "wk_json"}')) == "wk_json"
    assert key_of(post(b"\xff")) is None


def test_two_equal_submissions_are_one_unless_they_say_otherwise() -> None:
    found = [
        cast(Verdict, receive(request, SAMPLES.source)).events[0].meta.event_id
        for request in (form(), form(), form(submission_id="2"))
    ]
    assert found[0] == found[1] != found[2]


def test_too_many_fields_are_malformed() -> None:
    request = post("&".join(f"f{number}=1" for number in range(101)).encode())
    assert isinstance(receive(request, Source("pages")), Malformed)
