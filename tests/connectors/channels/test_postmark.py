"""What Postmark's records become, and who may send them."""

import base64
from typing import Any

from connectors.channels import postmark
from connectors.protocol.channel import Refused, Verdict
from schemas.events.activity import ConsentChanged
from schemas.events.marketing import MessageStatusReported
from schemas.meta import Event
from tests.connectors.channels.samples.postmark import BOUNCE, CHANGE, OPEN, SAMPLES, SECRET, sent, sign
from tests.connectors.channels.sampling import with_headers


def events(record: dict[str, Any]) -> list[Event]:
    found = postmark.receive(sign(sent(record), SECRET), SAMPLES.source)
    assert isinstance(found, Verdict)
    return found.events


def status(record: dict[str, Any]) -> MessageStatusReported:
    event = events(record)[0]
    assert isinstance(event, MessageStatusReported)
    return event


def test_seven_digits_of_a_second_and_an_offset_are_read() -> None:
    assert status(OPEN).meta.occurred_at == 1_764_015_701_249_368


def test_only_a_bad_address_bounces() -> None:
    kinds = (
        "HardBounce",
        "BadEmailAddress",
        "SoftBounce",
        "Transient",
        "SpamNotification",
        "DnsError",
        "new",
    )
    assert [status({**BOUNCE, "Type": kind}).status for kind in kinds] == [
        "bounced", "bounced", "failed", "deferred", "failed", "failed", "failed",
    ]  # fmt: skip


def test_a_bounce_is_known_by_its_id_and_an_open_by_its_time() -> None:
    again = {**BOUNCE, "BouncedAt": "2025-11-24T16:29:50Z"}
    assert status(BOUNCE).meta.event_id == status(again).meta.event_id
    later = {**OPEN, "ReceivedAt": "2025-11-24T16:22:41.2493688-04:00"}
    assert status(OPEN).meta.event_id != status(later).meta.event_id


def test_only_the_recipient_gives_and_takes_consent() -> None:
    told = [e for e in events(CHANGE) if isinstance(e, ConsentChanged)]
    assert [(e.granted, e.address, e.medium) for e in told] == [(False, "sam@example.com", "email")]
    assert [type(e) for e in events({**CHANGE, "Origin": "Admin"})] == [MessageStatusReported]


def test_a_token_is_as_good_as_a_password_and_nothing_else_is() -> None:
    request = sent(OPEN)
    told = base64.b64encode(f"a:b:{SECRET}".encode()).decode()
    assert isinstance(
        postmark.receive(with_headers(request, authorization=f"Bearer {SECRET}"), SAMPLES.source), Verdict
    )
    for given in (
        f"Basic {told}",
        f"Basic {SECRET}",
        SECRET,
        "Basic ",
        "Bearer ",
        f"Digest {SECRET}",
        "Basic /w==",
    ):
        assert isinstance(
            postmark.receive(with_headers(request, authorization=given), SAMPLES.source), Refused
        )
