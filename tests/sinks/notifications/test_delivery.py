"""How one notification leaves: by a real SMTP server, by a real webhook, or into the log."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from pydantic import SecretStr
from standardwebhooks import Webhook as Verifier

from schemas.events.notifications import NotificationRequested
from sinks.notifications.delivery import Delivery, routes
from sinks.notifications.outcomes import Failed, Later, Outcome, Reason, Sent
from sinks.notifications.templates import Templates
from tests.sinks.notifications.conftest import SECRET, Mailbox, Receiver, request
from vaart.errors import ConfigFault
from vaart.settings import Notifications


def deliver(settings: Notifications, asked: NotificationRequested) -> Outcome:
    return Delivery(Templates(), *routes(settings)).deliver(asked)


def by_mail(mailbox: Mailbox) -> Notifications:
    return Notifications(
        smtp_host="127.0.0.1", smtp_port=mailbox.port, smtp_security="none", sender="shop@example.com"
    )


def by_hook(receiver: Receiver) -> Notifications:
    return Notifications(webhook_url=receiver.url, webhook_secret=SecretStr(SECRET))


def test_a_mail_has_the_words_of_its_locale_and_an_id_of_its_own(mailbox: Mailbox) -> None:
    asked = request(1, locale="nl-BE", variables={"name": "Chantal"})
    assert deliver(by_mail(mailbox), asked) == Sent()
    (mail,) = mailbox.mails
    assert (mail["To"], mail["From"]) == ("customer-1@example.org", "shop@example.com")
    assert mail["Subject"] == "Bedankt voor je eerste aankoop"
    assert mail["Message-ID"] == f"<{asked.notification_id}@example.com>"
    assert "Hallo Chantal," in str(mail.get_payload())


@pytest.mark.parametrize(
    ("refusal", "outcome"),
    [
        ("550 no such user", Failed(Reason.REFUSED)),
        ("451 come again", Later("smtp_451")),
        ("421 closing", Later("smtp_421")),
    ],
)
def test_what_the_mail_server_answers_decides(mailbox: Mailbox, refusal: str, outcome: Outcome) -> None:
    mailbox.refusal = refusal
    assert deliver(by_mail(mailbox), request(1)) == outcome


def test_a_mail_server_that_is_away_is_tried_again(mailbox: Mailbox) -> None:
    settings = by_mail(mailbox).model_copy(update={"smtp_port": 1})
    assert deliver(settings, request(1)) == Later("smtp_ConnectionRefusedError")


def test_a_mail_is_never_sent_in_clear_when_tls_was_asked_for(mailbox: Mailbox) -> None:
    settings = by_mail(mailbox).model_copy(update={"smtp_security": "starttls"})
    assert deliver(settings, request(1)) == Later("smtp_not_supported")
    assert not mailbox.mails


@pytest.mark.parametrize(
    "address", ["a@b\r\nBcc: c@d", "no address", "a@b, c@d", "é@example.org", "a@é.example", "@"]
)
def test_an_address_that_is_none_fails(mailbox: Mailbox, address: str) -> None:
    assert deliver(by_mail(mailbox), request(1, address=address)) == Failed(Reason.BAD_ADDRESS)
    assert not mailbox.mails


def test_without_an_address_there_is_an_outcome(mailbox: Mailbox) -> None:
    assert deliver(by_mail(mailbox), request(1, address=None)) == Failed(Reason.NO_ADDRESS)


def test_without_a_route_there_is_an_outcome(mailbox: Mailbox) -> None:
    assert deliver(by_mail(mailbox), request(1, medium="sms")) == Failed(Reason.NO_ROUTE)


def test_a_webhook_is_signed_and_carries_the_id(receiver: Receiver) -> None:
    asked = request(1, medium="push", address=None)
    assert deliver(by_hook(receiver), asked) == Sent()
    ((headers, body),) = receiver.posts
    told = Verifier(SECRET).verify(body, headers)
    assert told == json.loads(body)
    assert headers["webhook-id"] == headers["idempotency-key"] == asked.notification_id
    assert told["data"]["subject"] == "Thank you for your first purchase"


@pytest.mark.parametrize("status", [301, 400, 404, 429, 500, 503])
def test_a_webhook_that_does_not_take_it_is_tried_again(receiver: Receiver, status: int) -> None:
    receiver.answers = [status]
    assert deliver(by_hook(receiver), request(1)) == Later(f"webhook_{status}")


def test_410_stops(receiver: Receiver) -> None:
    receiver.answers = [410]
    delivery = Delivery(Templates(), *routes(by_hook(receiver)))
    assert delivery.deliver(request(1)) == Failed(Reason.GONE)
    assert delivery.deliver(request(2)) == Later("webhook_gone")
    assert len(receiver.posts) == 1


@pytest.fixture
def logged() -> Iterator[list[Any]]:
    with structlog.testing.capture_logs() as found:
        yield found


def test_the_log_shows_no_person(logged: list[Any]) -> None:
    asked = request(1, variables={"name": "Chantal"})
    assert deliver(Notifications(), asked) == Sent()
    assert "Chantal" not in str(logged)
    assert "example.org" not in str(logged)
    assert logged[0]["notification_id"] == asked.notification_id


@pytest.mark.parametrize(
    ("template", "reason"),
    [
        ("nothing", Reason.NO_TEMPLATE),
        ("../smtp", Reason.NO_TEMPLATE),
        ("thank_you.en.txt", Reason.NO_TEMPLATE),
        ("", Reason.NO_TEMPLATE),
        ("\0", Reason.NO_TEMPLATE),
    ],
)
def test_a_template_that_is_none_fails(template: str, reason: Reason) -> None:
    assert deliver(Notifications(), request(1, template=template)) == Failed(reason)


@pytest.mark.parametrize(
    "text", ["no subject", "Subject: {{ missing }}\n", "Subject: {{ ''.__class__ }}{{ 1/0 }}\n"]
)
def test_a_template_that_cannot_be_filled_fails(tmp_path: Any, text: str) -> None:
    (tmp_path / "broken.en.txt").write_text(text)
    delivery = Delivery(Templates(tmp_path), *routes(Notifications()))
    assert delivery.deliver(request(1, template="broken")) == Failed(Reason.TEMPLATE_FAILED)


@pytest.mark.parametrize("template", ["thank_you", "win_back"])
@pytest.mark.parametrize("locale", [None, "en", "nl", "de-AT", "../x"])
def test_every_template_needs_no_variable(template: str, locale: str | None) -> None:
    text = Templates().render(template, locale, {})
    assert text.subject
    assert text.body


def test_settings_that_lack_a_part_are_all_told_at_once() -> None:
    with pytest.raises(ConfigFault) as error:
        routes(Notifications(smtp_host="mail", webhook_url="ftp://x"))
    assert "SENDER" in str(error.value)
    assert "WEBHOOK_SECRET" in str(error.value)
    assert "WEBHOOK_URL" in str(error.value)
