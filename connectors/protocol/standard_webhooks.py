"""Whether a request is signed as Standard Webhooks has it: `webhook-id`, `webhook-timestamp`, `webhook-signature`.

`v1,` and the base64 of the HMAC-SHA256 of id, time and body, with points between them; there may be several
(standard-webhooks/standard-webhooks, spec).
"""

import base64
import hmac

from connectors.protocol import signatures
from connectors.protocol.channel import Request, Source

PREFIX, VERSION = "whsec_", "v1,"
TOLERANCE_US = 5 * 60 * 1_000_000
SIGNATURES_MAX = 10


def is_signed(request: Request, source: Source) -> bool:
    """Whether one of its signatures is one of the source's secrets, and its time within 5 minutes of ours."""
    named, told_at = request.header("webhook-id"), request.header("webhook-timestamp")
    if (
        not named
        or not told_at
        or not told_at.isascii()
        or not told_at.isdigit()
        or len(told_at) > len("1764064800000")
    ):
        return False
    if abs(int(told_at) * 1_000_000 - request.received_at) > TOLERANCE_US:
        return False
    signed = f"{named}.{told_at}.".encode() + request.body
    given = (request.header("webhook-signature") or "").split(" ")[:SIGNATURES_MAX]
    found = [each.removeprefix(VERSION).encode() for each in given if each.startswith(VERSION)]
    keys = [signatures.from_base64(secret.removeprefix(PREFIX)) for secret in source.secrets]
    made = [base64.b64encode(hmac.digest(key, signed, "sha256")) for key in keys if key]
    same = [hmac.compare_digest(ours, theirs) for ours in made for theirs in found]
    return any(same)
