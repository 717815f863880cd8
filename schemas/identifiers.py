"""How a customer is known: which identifier is the strongest, and the key that shows no person."""

import hmac
from base64 import b32encode
from collections.abc import Sequence

from schemas.meta import Identifier

CUSTOMER_ID = "customer_id"
LOYALTY_CARD = "loyalty_card"
EMAIL = "email"
PHONE = "phone"
ANONYMOUS_ID = "anonymous_id"

PERSONAL_KINDS = frozenset({EMAIL, PHONE, "whatsapp", "sms"})
"""Kinds whose value is, or may contain, an address of a person. In keys they stand as an HMAC."""

_STRONGEST_FIRST = {CUSTOMER_ID: 1, LOYALTY_CARD: 2, EMAIL: 3, PHONE: 4}
_OTHER, _WEAKEST = 5, 6
_HMAC_BYTES = 16
"""128 bits: 26 characters of base32."""


class SecretMissing(ValueError):
    """A personal identifier cannot become a key without the deployment's identifier secret."""


def strongest(identifiers: Sequence[Identifier]) -> Identifier | None:
    """The identifier that says most about who it is; of equals the first in the order of kind and value."""
    if not identifiers:
        return None
    return min(identifiers, key=lambda each: (rank(each.kind), each.kind, each.value))


def rank(kind: str) -> int:
    """1 is the strongest kind; kinds that are not listed come before anonymous ids, which are last."""
    return _STRONGEST_FIRST.get(kind, _WEAKEST if kind == ANONYMOUS_ID else _OTHER)


def key_of(identifier: Identifier, secret: str = "") -> str:
    """`kind:value`; the value of a personal kind is 128 bits of its HMAC-SHA256 under `secret`, in base32.

    E-mail addresses are compared trimmed and in lower case. Raises SecretMissing for a personal kind when
    `secret` is empty.
    """
    kind, value = identifier.kind, identifier.value
    if kind not in PERSONAL_KINDS:
        return f"{kind}:{value}"
    return f"{kind}:{hidden(kind, value.strip().lower(), secret)}"


def hidden(kind: str, value: str, secret: str) -> str:
    """128 bits of the HMAC-SHA256 of `kind:value` under `secret`, as 26 characters of base32.

    Raises SecretMissing when `secret` is empty.
    """
    if not secret:
        raise SecretMissing(
            f"a key of kind {kind!r} would show a person: set VAART_IDENTIFIER_SECRET, "
            "the same for every producer"
        )
    digest = hmac.digest(secret.encode(), f"{kind}:{value}".encode(), "sha256")[:_HMAC_BYTES]
    return b32encode(digest).decode().rstrip("=").lower()
