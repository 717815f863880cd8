"""What the requests of Meta's three channels have in common."""

import hmac
import json
from dataclasses import replace
from typing import Any

from connectors.protocol.channel import Request
from tests.connectors.channels.sampling import Sample, post, with_headers


def sign(request: Request, secret: str) -> Request:
    """The body's HMAC; a GET has the token in its query."""
    if not secret:
        return request
    if request.method == "GET":
        return replace(request, query=(*request.query, ("hub.verify_token", secret)))
    digest = hmac.digest(secret.encode(), request.body, "sha256").hex()
    return with_headers(request, x_hub_signature_256=f"sha256={digest}")


def trying() -> Sample:
    query = (("hub.mode", "subscribe"), ("hub.challenge", "1158201444"))
    return Sample("a try", replace(post(b""), method="GET", query=query), is_answered=True)


def sent(kind: str, *entries: Any) -> Request:
    return post(json.dumps({"object": kind, "entry": entries}).encode())
