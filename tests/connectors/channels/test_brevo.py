"""What Brevo's events become, and what it is answered."""

from typing import Any

from connectors.channels import brevo
from connectors.protocol.channel import Verdict
from schemas.events.marketing import MessageStatusReported
from tests.connectors.channels.samples.brevo import CAMPAIGN, SAMPLES, SECRET, event, sent, sign

AT = 1_763_979_023_000_000


def status(document: dict[str, Any]) -> MessageStatusReported:
    found = brevo.receive(sign(sent(document), SECRET), SAMPLES.source)
    assert isinstance(found, Verdict)
    told = found.events[0]
    assert isinstance(told, MessageStatusReported)
    return told


def test_the_time_is_that_of_its_epoch_in_either_unit() -> None:
    for document in (
        event("opened"),
        event("opened", ts_epoch=AT // 1_000_000),
        event("opened", ts_epoch=None),
        CAMPAIGN,
    ):
        assert status(document).meta.occurred_at == AT


def test_a_proxy_is_a_machine() -> None:
    assert [status(event(kind)).is_machine for kind in ("opened", "proxy_open", "unique_proxy_open")] == [
        False,
        True,
        True,
    ]


def test_a_campaigns_mail_has_the_id_of_campaign_and_recipient() -> None:
    one = status(CAMPAIGN)
    assert one.campaign == "Winter dresses"
    assert one.message_id == status({**CAMPAIGN, "event": "click", "email": "SAM@example.com"}).message_id
    assert one.message_id != status({**CAMPAIGN, "camp_id": 18}).message_id
    assert "sam" not in one.message_id


def test_it_is_known_which_notification_of_ours_a_mail_was() -> None:
    ours = "7d9f9a1e-54a7-5c25-9d0a-3e1e9b6a0a11"
    assert (
        status(event("opened", **{"X-Mailin-custom": f'{{"notification_id": "{ours}"}}'})).notification_id
        == ours
    )
    assert status(event("opened", **{"message-id": f"<{ours}@shop.example>"})).notification_id == ours
    assert status(event("opened", **{"X-Mailin-custom": "[1"})).notification_id is None


def test_two_clicks_on_two_links_in_one_moment_are_two() -> None:
    one, two = (status(event("click", link=f"https://shop.example/{n}")) for n in (1, 2))
    assert one.meta.event_id != two.meta.event_id
    assert (one.url, two.url) == ("https://shop.example/1", "https://shop.example/2")


def test_no_answer_makes_it_give_an_event_up() -> None:
    answers = brevo.CHANNEL.answers
    assert {answers.refused.status, answers.overloaded.status, answers.malformed.status} == {429}
