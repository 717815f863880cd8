"""What SES's events become, and whom SNS's envelopes are taken of."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding

from connectors.channels import ses
from connectors.protocol.channel import NeedKey, Refused, Request, Source, Verdict
from schemas.events.marketing import MessageStatusReported
from tests.connectors.channels.samples.ses import (
    BOUNCE,
    CERTIFICATE,
    MAIL,
    SAMPLES,
    SECRET,
    TOPIC,
    envelope,
    event,
    key_pair,
    public_key,
    sign,
)

SOURCE = SAMPLES.source


def statuses(request: Request) -> list[MessageStatusReported]:
    found = ses.receive(sign(request, SECRET), SOURCE)
    assert isinstance(found, Verdict)
    return [each for each in found.events if isinstance(each, MessageStatusReported)]


def test_every_recipient_has_a_status_of_their_own() -> None:
    one, two = statuses(event("Bounce", **BOUNCE))
    assert (one.recipient, one.status, one.provider_code) == ("sam@example.com", "bounced", "5.1.1")
    assert (two.recipient, two.status, two.provider_code) == ("kim@example.com", "bounced", "General")
    assert one.meta.occurred_at == 1_763_996_444_101_000


def test_a_recipient_who_is_named_twice_counts_once() -> None:
    assert (
        len(statuses(event("Delivery", timestamp="2025-11-24T15:00:44Z", recipients=["a@b.nl", "a@b.nl"])))
        == 1
    )


def test_a_passing_bounce_does_not_condemn_the_address() -> None:
    assert {each.status for each in statuses(event("Bounce", **{**BOUNCE, "bounceType": "Transient"}))} == {
        "failed"
    }


def test_it_is_known_which_notification_of_ours_a_mail_was() -> None:
    ours = "7d9f9a1e-54a7-5c25-9d0a-3e1e9b6a0a11"
    by_tag = statuses(event("Send", mail={"tags": {**MAIL["tags"], "notification_id": [ours]}}))
    by_smtp = statuses(event("Send", mail={"commonHeaders": {"messageId": f"<{ours}@shop.example>"}}))
    assert {each.notification_id for each in by_tag + by_smtp} == {ours}
    assert {each.campaign for each in by_tag} == {"back in stock"}


def test_a_changed_message_is_refused() -> None:
    signed = sign(event("Bounce", **BOUNCE), SECRET)
    for old, new in ((b"Permanent", b"Transient"), (b"19ba9823", b"29ba9823"), (b"17:58:59", b"17:58:58")):
        changed = replace(signed, body=signed.body.replace(old, new))
        assert changed.body != signed.body
        assert isinstance(ses.receive(changed, SOURCE), Refused)


def test_a_field_that_was_not_signed_is_refused() -> None:
    told = json.loads(sign(event("Send"), SECRET).body)
    for more in (
        {"Token": "1"},
        {"SubscribeURL": "https://example.com"},
        {"Type": "SubscriptionConfirmation", "Token": "1"},
    ):
        assert isinstance(
            ses.receive(replace(event("Send"), body=json.dumps({**told, **more}).encode()), SOURCE), Refused
        )


def test_another_topic_is_refused_though_amazon_signs_it_too() -> None:
    other = sign(envelope("{}", TopicArn=TOPIC.replace("1234", "4321")), SECRET)
    assert isinstance(ses.receive(other, SOURCE), Refused)
    assert isinstance(ses.receive(sign(event("Send"), SECRET), Source("mail", keys=SOURCE.keys)), Refused)


@pytest.mark.parametrize(
    "url",
    [
        "https://sns.eu-west-1.amazonaws.com.evil.example/SimpleNotificationService-0123456789abcdef.pem",
        "https://sns.us-east-1.amazonaws.com/SimpleNotificationService-0123456789abcdef.pem",
        "https://evil.amazonaws.com/SimpleNotificationService-0123456789abcdef.pem",
        "https://sns.eu-west-1.amazonaws.com/bucket/SimpleNotificationService-0123456789abcdef.pem",
        "https://sns.eu-west-1.amazonaws.com@evil.example/SimpleNotificationService-0123456789abcdef.pem",
        "http://sns.eu-west-1.amazonaws.com/SimpleNotificationService-0123456789abcdef.pem",
        "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-0123456789abcdef.pem\n",
        "",
    ],
)
def test_no_certificate_of_another_host_is_asked_for(url: str) -> None:
    found = ses.receive(sign(envelope("{}", SigningCertURL=url), SECRET), replace(SOURCE, keys={}))
    assert isinstance(found, Refused)
    assert ses.CHANNEL.keys is not None
    assert ses.CHANNEL.keys.url(url, SOURCE) is None


def test_a_certificate_is_asked_for_and_its_key_is_read() -> None:
    found = ses.receive(sign(event("Send"), SECRET), replace(SOURCE, keys={}))
    assert found == NeedKey(CERTIFICATE)
    place = ses.CHANNEL.keys
    assert place is not None
    assert place.url(CERTIFICATE, SOURCE) == CERTIFICATE
    assert place.read(certificate(), CERTIFICATE) == public_key(SECRET)
    assert place.read(b"<Error>no such key</Error>", CERTIFICATE) is None


def certificate() -> bytes:
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "sns.amazonaws.com")])
    key, start = key_pair(SECRET), datetime(2025, 1, 1, tzinfo=UTC)
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(start)
        .not_valid_after(start + timedelta(days=365))
    )
    return built.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM)
