"""What a repeat of the samples does not show: the challenge, foreign recipients, and what an order says."""

import json
from dataclasses import replace

from connectors.channels.adobe_commerce import CHANNEL
from connectors.protocol.channel import Challenge, NeedKey, Refused, Verdict
from schemas.events.orders import OrderPlaced
from tests.connectors.channels.samples.adobe_commerce import (
    CHALLENGE,
    CLIENT,
    ORDER,
    PATH_1,
    SAMPLES,
    SECRET,
    happening,
    sent,
    sign,
)


def test_the_challenge_is_read_back() -> None:
    found = CHANNEL.receive(CHALLENGE, SAMPLES.source)
    assert isinstance(found, Challenge)
    assert found.answer.body == b"8ec8d794"


def test_a_challenge_is_short_and_printable() -> None:
    for told in ("", "a" * 201, "a\nb"):
        assert isinstance(
            CHANNEL.receive(replace(CHALLENGE, query=(("challenge", told),)), SAMPLES.source), Refused
        )


def test_what_is_signed_for_another_client_is_refused() -> None:
    foreign = {**happening("customer_save_commit_after", {}), "recipient_client_id": CLIENT + "b"}
    for request in (sent(foreign), sent(happening("rma_save_commit_after", {}), foreign), sent(["x"])):
        assert isinstance(CHANNEL.receive(sign(request, SECRET), SAMPLES.source), Refused)


def test_a_key_that_is_not_there_yet_is_asked_for_at_adobe() -> None:
    signed = sign(sent(happening("sales_order_save_commit_after", ORDER)), SECRET)
    assert CHANNEL.receive(signed, replace(SAMPLES.source, keys={})) == NeedKey(PATH_1)
    assert CHANNEL.keys is not None
    assert CHANNEL.keys.url(PATH_1, SAMPLES.source) == f"https://static.adobeioevents.com{PATH_1}"
    for path in ("//evil.example/a.pem", "/../a.pem", "@evil.example/a.pem", "/a.pem?b"):
        assert CHANNEL.keys.url(path, SAMPLES.source) is None or path.startswith("//") is False


def test_the_parts_of_a_configured_product_are_not_lines() -> None:
    found = CHANNEL.receive(
        sign(sent(happening("sales_order_save_commit_after", ORDER)), SECRET), SAMPLES.source
    )
    assert isinstance(found, Verdict)
    placed = found.events[0]
    assert isinstance(placed, OrderPlaced)
    [line] = placed.lines
    assert (line.quantity, line.unit_price, line.discount, line.total) == (1, 999_500, 50_000, 949_500)
    assert (placed.totals.total, placed.totals.discount) == (949_500, 50_000)
    assert json.loads(json.dumps([each.value for each in placed.meta.identifiers])) == [
        "shop-nl:7",
        "sam@example.com",
        "+31612345678",
    ]
