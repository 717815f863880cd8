"""SendGrid's own vector, and what its events become."""

from dataclasses import replace

from connectors.channels import sendgrid
from connectors.protocol.channel import Refused, Request, Source, Verdict
from schemas.events.activity import ConsentChanged
from schemas.events.marketing import MessageStatusReported
from tests.connectors.channels.samples.sendgrid import SAMPLES, SECRET, event, sent, sign
from tests.connectors.channels.sampling import post

# sendgrid/sendgrid-python test/unit/test_eventwebhook.py
PUBLIC_KEY = (
    "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE83T4O/n84iotIvIW4mdBgQ/7dAfSmpqIM8kF9mN1flpVKS3GRqe62gw+2fNNRaINXvVpiglSI8e"
    "NEc6wEA3F+g=="
)
OTHER_KEY = (
    "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEqTxd43gyp8IOEto2LdIfjRQrIbsd4SXZkLW6jDutdhXSJCWHw8REntlo7aNDthvj+y7GjUuFDb/"
    "R1NGe1OPzpA=="
)
VECTOR = post(
    b'[{"email":"hello@world.com","event":"dropped","reason":"Bounced Address",'
    b'"sg_event_id":"ZHJvcC0xMDk5NDkxOS1MUnpYbF9OSFN0T0doUTRrb2ZTbV9BLTA",'
    b'"sg_message_id":"LRzXl_NHStOGhQ4kofSm_A.filterdrecv-p3mdw1-756b745b58-kmzbl-18-5F5FC76C-9.0",'
    b'"smtp-id":"<LRzXl_NHStOGhQ4kofSm_A@ismtpd0039p1iad1.sendgrid.net>","timestamp":1600112492}]\r\n',
    X_Twilio_Email_Event_Webhook_Timestamp="1600112502",
    X_Twilio_Email_Event_Webhook_Signature="MEUCIGHQVtGj+Y3LkG9fLcxf3qfI10QysgDWmMOVmxG0u6ZUAiEAyBiXDWzM+uOe5W0JuG+luQAbPIqHh"
    "89M15TluLtEZtM=",
)


def test_the_vendors_vector_is_taken() -> None:
    found = sendgrid.receive(VECTOR, Source("mail", (OTHER_KEY, PUBLIC_KEY)))
    assert isinstance(found, Verdict)
    assert [
        (e.message_id, e.status, e.meta.occurred_at)
        for e in found.events
        if isinstance(e, MessageStatusReported)
    ] == [("LRzXl_NHStOGhQ4kofSm_A", "failed", 1_600_112_492_000_000)]


def test_the_vendors_vector_needs_its_key_and_its_line_end() -> None:
    source = Source("mail", (PUBLIC_KEY,))
    assert isinstance(sendgrid.receive(VECTOR, Source("mail", (OTHER_KEY,))), Refused)
    assert isinstance(sendgrid.receive(replace(VECTOR, body=VECTOR.body.rstrip()), source), Refused)


def test_secrets_that_are_no_keys_refuse() -> None:
    assert isinstance(sendgrid.receive(VECTOR, Source("mail", ("no key", "bm8ga2V5"))), Refused)


def statuses(*events: object) -> list[MessageStatusReported]:
    found = sendgrid.receive(sign(sent(*events), SECRET), SAMPLES.source)
    assert isinstance(found, Verdict)
    return [each for each in found.events if isinstance(each, MessageStatusReported)]


def test_a_block_is_no_bounce_since_the_address_is_good() -> None:
    hard, soft = statuses(
        event("bounce", type="bounce", status="5.1.1"),
        event("bounce", sg_event_id="2", type="blocked", status="5.7.1"),
    )
    assert (hard.status, hard.provider_code) == ("bounced", "5.1.1")
    assert (soft.status, soft.provider_code) == ("failed", "5.7.1")


def test_a_server_of_sendgrid_is_no_message() -> None:
    one, two = statuses(
        event("dropped", sg_message_id="filter0093p1las1.9128.5717FB8127.0"),
        event(
            "dropped",
            sg_event_id="2",
            sg_message_id="filter0093p1las1.9128.5717FB8127.0",
            **{"smtp-id": "<b@c>"},
        ),
    )
    assert (one.message_id, two.message_id) == ("<14c5d75ce93.dfd.64b469@ismtpd-555>", "<b@c>")


def test_it_is_known_which_notification_of_ours_a_mail_was() -> None:
    ours = "7d9f9a1e-54a7-5c25-9d0a-3e1e9b6a0a11"
    added, by_smtp, others = statuses(
        event("open", notification_id=ours, sg_machine_open=True),
        event("delivered", **{"smtp-id": f"<{ours}@shop.example>"}),
        event("click", url="https://shop.example/"),
    )
    assert (added.notification_id, by_smtp.notification_id, others.notification_id) == (ours, ours, None)
    assert (added.is_machine, others.is_machine, others.url) == (True, False, "https://shop.example/")
    assert (added.recipient, added.campaign) == ("sam@example.com", "back in stock")


def test_leaving_a_group_is_about_its_purpose() -> None:
    found = sendgrid.receive(sign(_left(12), SECRET), SAMPLES.source)
    other = sendgrid.receive(sign(_left(13), SECRET), SAMPLES.source)
    told = [
        e for o in (found, other) if isinstance(o, Verdict) for e in o.events if isinstance(e, ConsentChanged)
    ]
    assert [(e.purpose, e.granted, e.address) for e in told] == [
        ("newsletter", False, "sam@example.com"),
        ("marketing", False, "sam@example.com"),
    ]


def _left(group: int) -> Request:
    return sent(event("group_unsubscribe", asm_group_id=group))
