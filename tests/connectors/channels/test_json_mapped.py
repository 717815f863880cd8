"""Mappings, and the ways in which a document may be signed."""

import base64
import hmac
import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

import msgspec
import pytest
import yaml
from standardwebhooks import Webhook

from connectors.channels.json_mapped import Form, receive
from connectors.protocol import mapping_faults
from connectors.protocol.channel import Challenge, Refused, Request, Source, Verdict
from schemas.events.activity import ReviewSubmitted
from schemas.events.service import CommentPosted, SocialMentioned
from tests.connectors.channels.samples.json_mapped import MAPPINGS, SAMPLES, SECRET, review, sent, sign
from tests.connectors.channels.sampling import post, with_headers

STANDARD = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
SIGNED = Source("reviews", (STANDARD,), {"mapping": SAMPLES.source.options["mapping"]})


def by_its_library(request: Request) -> Request:
    at = datetime.fromtimestamp(request.received_at // 1_000_000, UTC)
    return with_headers(
        request,
        webhook_id="msg_1",
        webhook_timestamp=str(int(at.timestamp())),
        webhook_signature="v1,AAAA " + Webhook(STANDARD).sign("msg_1", at, request.body.decode()),
    )


def test_a_review_by_its_mapping() -> None:
    event = cast(
        ReviewSubmitted, cast(Verdict, receive(sign(sent(review()), SECRET), SAMPLES.source)).events[0]
    )
    assert (event.review_id, event.platform, event.rating, event.scale) == ("r1", "trustpilot", 4, 5)
    assert event.meta.identifiers[0].value == "sam@example.com"
    assert event.meta.occurred_at == 1_763_985_600_000_000


def test_standard_webhooks_as_its_library_signs() -> None:
    request = by_its_library(sent(review()))
    assert isinstance(receive(request, SIGNED), Verdict)
    for changed in (
        replace(request, body=request.body + b" "),
        replace(request, received_at=request.received_at + 301_000_000),
        replace(request, received_at=request.received_at - 301_000_000),
        with_headers(request, webhook_id="msg_2"),
        with_headers(request, webhook_timestamp="²"),
    ):
        assert isinstance(receive(changed, SIGNED), Refused)


def test_a_token_of_ours() -> None:
    source = replace(SAMPLES.source, options={**SAMPLES.source.options, "signed_by": "bearer"})
    assert isinstance(receive(with_headers(sent(), authorization=f"Bearer {SECRET}"), source), Verdict)
    assert isinstance(receive(with_headers(sent(), authorization="Bearer x"), source), Refused)


def social(name: str) -> Source:
    told = yaml.safe_load((MAPPINGS / f"{name}.yaml").read_text())
    return Source("social", ("another", SECRET), {"mapping": told, "signed_by": name})


POST = {
    "data": {
        "id": "1790",
        "text": "Lovely dress @shop",
        "author_id": "22",
        "conversation_id": "1790",
        "created_at": "2025-11-24T12:00:00.000Z",
    },
    "matching_rules": [{"id": "1", "tag": "shop"}],
}
COMMENT = {
    "client_key": "bwo2m45353a6k85",
    "event": "comment.update",
    "create_time": 1763985600,
    "user_openid": "act.example",
    "content": json.dumps({"comment_id": 77, "video_id": 9, "comment_action": "insert"}),
}


def of_x(document: object) -> Request:
    request = post(json.dumps(document).encode())
    digest = hmac.digest(SECRET.encode(), request.body, "sha256")
    return with_headers(request, x_twitter_webhooks_signature="sha256=" + base64.b64encode(digest).decode())


def of_tiktok(document: object) -> Request:
    request = post(json.dumps(document).encode())
    digest = hmac.digest(SECRET.encode(), b"1763985601." + request.body, "sha256")
    return with_headers(request, tiktok_signature=f"t=1763985601,s={digest.hex()}")


def test_a_post_of_x() -> None:
    found = receive(of_x(POST), social("x"))
    assert isinstance(found, Verdict)
    event = cast(SocialMentioned, found.events[0])
    assert (event.platform, event.post_id, event.author, event.meta.channel) == ("x", "1790", "22", "social")
    assert isinstance(receive(replace(of_x(POST), body=b"{}"), social("x")), Refused)


def test_x_is_shown_that_its_secret_is_known_and_no_document_is_signed_for_anybody() -> None:
    asked = replace(post(b""), method="GET", query=(("crc_token", "abc-1"),))
    found = receive(asked, social("x"))
    assert isinstance(found, Challenge)
    digest = base64.b64encode(hmac.digest(b"another", b"abc-1", "sha256")).decode()
    assert json.loads(found.answer.body) == {"response_token": f"sha256={digest}"}
    for token in ("", '{"data":{}}', "a" * 201, "a b"):
        assert isinstance(receive(replace(asked, query=(("crc_token", token),)), social("x")), Refused)
    assert isinstance(receive(asked, replace(social("x"), secrets=())), Refused)
    assert isinstance(receive(asked, social("tiktok")), Refused)


def test_a_comment_on_tiktok() -> None:
    found = receive(of_tiktok(COMMENT), social("tiktok"))
    assert isinstance(found, Verdict)
    event = cast(CommentPosted, found.events[0])
    assert (event.comment_id, event.post_id, event.meta.occurred_at) == ("77", "9", 1_763_985_600_000_000)
    hidden = {**COMMENT, "content": json.dumps({"comment_id": 77, "video_id": 9, "comment_action": "delete"})}
    assert receive(of_tiktok(hidden), social("tiktok")) == Verdict()
    stale = with_headers(of_tiktok(COMMENT), tiktok_signature="t=1,s=00")
    assert isinstance(receive(stale, social("tiktok")), Refused)


@pytest.mark.parametrize("path", sorted(MAPPINGS.glob("*.yaml")), ids=lambda path: path.stem)
def test_shipped_mappings_fit(path: Path) -> None:
    assert list(mapping_faults.faults(msgspec.convert(yaml.safe_load(path.read_text()), Form))) == []
