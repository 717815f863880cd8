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
    """`kind:value`; for a personal kind the value is the HMAC-SHA256 under `secret`, cut to 128 bits, in base32.

    E-mail addresses are compared trimmed and in lower case. Raises SecretMissing for a personal kind without a secret.
    """
    kind, value = identifier.kind, identifier.value
    if kind not in PERSONAL_KINDS:
        return f"{kind}:{value}"
    if not secret:
        raise SecretMissing(
            f"an identifier of kind {kind!r} is personal: set VAART_IDENTIFIER_SECRET, the same for every producer"
        )
    named = f"{kind}:{value.strip().lower()}".encode()
    digest = hmac.digest(secret.encode(), named, "sha256")[:_HMAC_BYTES]
    return f"{kind}:{b32encode(digest).decode().rstrip('=').lower()}"
