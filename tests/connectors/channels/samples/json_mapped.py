"""A document of a review platform, by the mapping that is shipped for it."""

import hmac
import json
from pathlib import Path
from typing import Any

import yaml

from connectors.channels.json_mapped import CHANNEL
from connectors.protocol.channel import Request, Source
from tests.connectors.channels.sampling import Sample, Samples, post, with_headers

SECRET = "hmac secret"
MAPPINGS = Path(__file__).parents[4] / "deploy" / "mappings"
TRUSTPILOT = yaml.safe_load((MAPPINGS / "trustpilot.yaml").read_text())


def sign(request: Request, secret: str) -> Request:
    if not secret:
        return request
    return with_headers(request, x_signature=hmac.digest(secret.encode(), request.body, "sha256").hex())


def review(**changes: Any) -> dict[str, Any]:
    told = {
        "id": "r1",
        "stars": 4,
        "text": "Quick",
        "createdAt": "2025-11-24T12:00:00Z",
        "referenceId": "1001",
    }
    consumer = {"consumer": {"email": "Sam@example.com"}}
    return {"eventName": "service-review-created", "eventData": {**told, **consumer, **changes}}


def sent(*events: Any) -> Request:
    return post(json.dumps({"events": events}).encode())


SAMPLES = Samples(
    CHANNEL,
    Source("reviews", (SECRET,), {"mapping": TRUSTPILOT, "signed_by": "hmac"}),
    SECRET,
    sign,
    (
        Sample("a review", sent(review()), ("ReviewSubmitted",)),
        Sample(
            "a bad one beside a good one", sent(review(stars="x"), review()), ("ReviewSubmitted",), rejected=1
        ),
        Sample("without an id", sent(review(id=None)), rejected=1),
        Sample("another event", sent({**review(), "eventName": "service-review-deleted"})),
        Sample("no events", post(b"{}")),
    ),
)
