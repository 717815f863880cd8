"""Standard Webhooks: the id, the time and the body signed together (github.com/standard-webhooks/standard-webhooks).

A secret is `whsec_` and base64. The signature is that of a moment: an old delivery, sent once more, is no longer one.
"""

import base64
import binascii
import hmac
from collections.abc import Iterable, Iterator

from connectors.protocol import signatures
from connectors.protocol.channel import Request

SECRET = "whsec_"  # noqa: S105
TOLERANCE_US = 5 * 60 * 1_000_000
VERSION = "v1"
HEADERS = ("webhook-id", "webhook-timestamp", "webhook-signature")
NO_KEY = b"no source has this key"
SIGNATURES_MAX = 10


def is_used(request: Request) -> bool:
    """Whether the request carries such a signature, good or not."""
    return "webhook-signature" in request.headers


def is_signed(request: Request, secrets: Iterable[str]) -> bool:
    """Whether it is signed with one of `secrets`, five minutes before or after it was received at most."""
    known = list(secrets)
    if signatures.is_vouched(known):
        return True
    named, told, several = (request.header(name) or "" for name in HEADERS)
    signed = f"{named}.{told}.".encode(errors="replace") + request.body
    given = list(_given(several))
    good = [
        hmac.compare_digest(hmac.digest(key, signed, "sha256"), each)
        for key in list(_keys(known)) or [NO_KEY]
        for each in given
    ]
    return any(good) and bool(named) and _is_now(told, request.received_at)


def _given(told: str) -> Iterator[bytes]:
    for each in told.split(" ")[:SIGNATURES_MAX]:
        version, _, signature = each.partition(",")
        if version == VERSION and (raw := _bytes(signature)):
            yield raw


def _keys(secrets: Iterable[str]) -> Iterator[bytes]:
    for secret in secrets:
        told = secret.removeprefix(SECRET)
        if secret.startswith(SECRET) and (raw := _bytes(told + "=" * (-len(told) % 4))):
            yield raw


def _bytes(told: str) -> bytes | None:
    try:
        return base64.b64decode(told, validate=True)
    except (binascii.Error, ValueError):
        return None


def _is_now(told: str, received_at: int) -> bool:
    if not (told.isascii() and told.isdigit() and len(told) <= 12):
        return False
    return abs(int(told) * 1_000_000 - received_at) <= TOLERANCE_US
