"""Whether Twilio signed a request: by the address as it knows it and the form in it, or the hash of its JSON.

Base64 of the HMAC of the address, with or without its port, and of the form's names and values in their order; of JSON
the hash stands in the address (`bodySHA256`). SHA-1 with the account's token, or what
`X-Twilio-Webhooks-Signature-Settings` says with a shared key (twilio/twilio-python 9.13, twilio/request_validator.py).
"""

import hashlib
from collections.abc import Iterable
from urllib.parse import urlsplit

from connectors.protocol import signatures
from connectors.protocol.channel import Request, Source

DIGESTS = {"HMAC_SHA1": "sha1", "HMAC_SHA256": "sha256"}
BODY_HASH = "bodySHA256"
"""The parameter of the address that holds the hash of a body that is no form."""


def is_signed(request: Request, source: Source, form: Iterable[tuple[str, str]] = ()) -> bool:
    """Whether it did. `form` is what the body holds, where it is a form."""
    digest = DIGESTS.get(_algorithm(request).upper())
    told = request.parameter(BODY_HASH)
    if digest is None or (told is not None and not _is_hash(request.body, told)):
        return False
    fields = "" if told is not None else "".join(name + value for name, value in sorted(set(form)))
    signature = request.header("x-twilio-signature")
    tried = [
        signatures.hmac_base64(source.secrets, (url + fields).encode(errors="replace"), signature, digest)
        for url in _addresses(request.public_url)
    ]
    return any(tried)


def _algorithm(request: Request) -> str:
    name = "x-twilio-webhooks-signature-settings"
    if name not in request.headers:
        return "HMAC_SHA1"
    settings = (part.partition("=") for part in (request.header(name) or "algorithm=none").split(","))
    return next((value.strip() for key, _, value in settings if key.strip() == "algorithm"), "HMAC_SHA1")


def _is_hash(body: bytes, told: str) -> bool:
    return signatures.same([hashlib.sha256(body).hexdigest()], told)


def _addresses(url: str) -> list[str]:
    """The address with its port and without: Twilio signs now this, now that."""
    try:
        parts = urlsplit(url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError:
        return [url]
    host = parts.netloc.rpartition(":")[0] if parts.port else parts.netloc
    return [parts._replace(netloc=netloc).geturl() for netloc in (host, f"{host}:{port}")]
