"""How X and TikTok sign what they send about public posts.

X: `x-twitter-webhooks-signature: sha256=<base64>`, the HMAC-SHA256 of the body under the app's consumer secret; and it
asks at times, by `?crc_token=`, to be shown the same of that token (docs.x.com, "Webhooks"). The secret is one and the
same, so that only tokens are answered that could not be a document: else anybody could have one signed.

TikTok: `TikTok-Signature: t=<seconds>,s=<hex>`, the HMAC-SHA256 of `t.body` under the client secret
(developers.tiktok.com, "Check the signature"). How old `t` may be is left to the receiver: TikTok tries for 72 hours.
"""

import base64
import hmac
import json
import re

from connectors.protocol import signatures
from connectors.protocol.channel import Answer, Request, Source

X_HEADER, X_PREFIX, X_TOKEN = "x-twitter-webhooks-signature", "sha256=", "crc_token"
TIKTOK_HEADER = "tiktok-signature"
_TOKEN = re.compile(r"[A-Za-z0-9_-]{1,200}")


def is_of_x(request: Request, source: Source) -> bool:
    """Whether X signed it."""
    told = request.header(X_HEADER) or ""
    given = told.removeprefix(X_PREFIX) if told.startswith(X_PREFIX) else ""
    return signatures.hmac_base64(source.secrets, request.body, given)


def is_of_tiktok(request: Request, source: Source) -> bool:
    """Whether TikTok signed it."""
    parts = dict(part.partition("=")[::2] for part in (request.header(TIKTOK_HEADER) or "").split(","))
    signed = parts.get("t", "").encode(errors="replace") + b"." + request.body
    return signatures.hmac_hex(source.secrets, signed, parts.get("s"))


def answer_to_x(request: Request, source: Source) -> Answer | None:
    """What X wants to be shown; None where it asks for nothing, or the source has no secret."""
    token = request.parameter(X_TOKEN) or ""
    if not source.secrets or not _TOKEN.fullmatch(token):
        return None
    digest = hmac.digest(source.secrets[0].encode(), token.encode(), "sha256")
    told = {"response_token": X_PREFIX + base64.b64encode(digest).decode()}
    return Answer(200, json.dumps(told).encode(), "application/json")
