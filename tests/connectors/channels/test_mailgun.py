"""What Mailgun's events become, and what its signature is worth."""

from typing import Any

from connectors.channels import mailgun
from connectors.protocol.channel import Refused, Verdict
from schemas.events.marketing import MessageStatusReported
from tests.connectors.channels.samples.mailgun import SAMPLES, SECRET, TOKEN, sent, sign
from tests.connectors.channels.sampling import post


def status(kind: str, **more: Any) -> MessageStatusReported:
    found = mailgun.receive(sign(sent(kind, **more), SECRET), SAMPLES.source)
    assert isinstance(found, Verdict)
    event = found.events[0]
    assert isinstance(event, MessageStatusReported)
    return event


def test_a_temporary_failure_is_no_bounce() -> None:
    assert status("failed", severity="temporary").status == "deferred"
    hard = status(
        "failed", severity="permanent", **{"delivery-status": {"code": 550, "enhanced-code": "5.1.1"}}
    )
    assert (hard.status, hard.provider_code) == ("bounced", "5.1.1")


def test_its_time_is_exact_and_its_token_is_kept() -> None:
    event = status("delivered")
    assert event.meta.occurred_at == 1_763_978_637_153_125
    assert event.meta.source_event_id == TOKEN


def test_a_bot_is_a_machine_and_nobody_is_none() -> None:
    assert status("opened", **{"client-info": {"bot": "apple"}}).is_machine
    assert not status("opened", **{"client-info": {"bot": ""}}).is_machine


def test_it_is_known_which_notification_of_ours_a_mail_was() -> None:
    ours = "7d9f9a1e-54a7-5c25-9d0a-3e1e9b6a0a11"
    assert status("delivered", **{"user-variables": {"notification_id": ours}}).notification_id == ours
    by_smtp = status("delivered", message={"headers": {"message-id": f"{ours}@shop.example"}})
    assert by_smtp.notification_id == ours


def test_a_forged_or_missing_signature_is_refused_whatever_the_body() -> None:
    forged = b'{"signature":{"timestamp":"1","token":"2","signature":"3"},"event-data":{"event":"delivered"}}'
    for body in (forged, b'{"signature":null}', b"timestamp=1&token=2&signature=3", b"[]"):
        assert isinstance(mailgun.receive(post(body), SAMPLES.source), Refused)
