"""Whether a request carries a secret of its source, for senders that sign nothing but send one along."""

import base64
import binascii

from connectors.protocol import signatures
from connectors.protocol.channel import Request, Source


def are_right(request: Request, source: Source) -> bool:
    """Whether the password of `Authorization: Basic`, whatever its user name, or the token of `Bearer` is a secret."""
    scheme, _, given = (request.header("authorization") or "").partition(" ")
    told = given.strip() if scheme.lower() == "bearer" else _password(scheme, given)
    return signatures.same(source.secrets, told)


def _password(scheme: str, given: str) -> str:
    if scheme.lower() != "basic":
        return ""
    try:
        return base64.b64decode(given.strip(), validate=True).decode().partition(":")[2]
    except (binascii.Error, ValueError):
        return ""
