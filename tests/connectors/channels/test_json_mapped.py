"""Mappings, and the ways in which a document may be signed."""

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
from connectors.protocol.channel import Refused, Request, Source, Verdict
from schemas.events.activity import ReviewSubmitted
from tests.connectors.channels.samples.json_mapped import MAPPINGS, SAMPLES, SECRET, review, sent, sign
from tests.connectors.channels.sampling import with_headers

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


@pytest.mark.parametrize("path", sorted(MAPPINGS.glob("*.yaml")), ids=lambda path: path.stem)
def test_shipped_mappings_fit(path: Path) -> None:
    assert list(mapping_faults.faults(msgspec.convert(yaml.safe_load(path.read_text()), Form))) == []
