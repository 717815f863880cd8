"""Whether a request was signed with a secret or a key that its source has. Every comparison takes constant time.

Each function answers True or False and raises nothing, whatever it is given: strangers choose what comes in.
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Callable, Iterable, Sequence

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import load_der_public_key


class _Vouched(str):
    """Equal to no text that comes in: it is known by being this object."""

    __slots__ = ()


VOUCHED = _Vouched("vouched")
"""In place of a source's secrets, where a request was proved to be the source's when it came and is read again."""
VOUCHED_KEY = bytes(bytearray(b"vouched key"))
"""The same in place of a sender's key."""
NO_SECRET = "no source has this secret"  # noqa: S105
"""Compared with where there is none, so that an unknown source takes as long as a known one."""


def is_vouched(secrets: Sequence[str]) -> bool:
    """Whether the request need not be proved again."""
    return len(secrets) == 1 and secrets[0] is VOUCHED


def hmac_hex(secrets: Iterable[str], signed: bytes, signature: str | None, digest: str = "sha256") -> bool:
    """Whether `signature` is the HMAC of `signed` under one of `secrets`, as hexadecimal digits in lower case."""
    return _any(secrets, signed, _raw(signature), digest, lambda found: found.hex().encode())


def hmac_base64(secrets: Iterable[str], signed: bytes, signature: str | None, digest: str = "sha256") -> bool:
    """The same, as base64 with its padding."""
    return _any(secrets, signed, _raw(signature), digest, base64.b64encode)


def md5_hex_before(secrets: Iterable[str], signed: bytes, signature: str | None) -> bool:
    """Whether `signature` is the MD5 of `signed` with one of `secrets` behind it, in hexadecimal digits: for senders
    that offer nothing better.
    """
    known, given = list(secrets), (signature or "").encode()
    if is_vouched(known):
        return True
    made = [hashlib.md5(signed + each.encode(), usedforsecurity=False).hexdigest() for each in _some(known)]
    fits = [hmac.compare_digest(each.encode(), given) for each in made]
    return any(fits)


def same(secrets: Iterable[str], told: str | None) -> bool:
    """Whether the sender knows one of `secrets`."""
    known = list(secrets)
    if is_vouched(known):
        return True
    given = _raw(told)
    found = [hmac.compare_digest(each.encode(), given) for each in _some(known)]
    return bool(given) and any(found)


def rsa_sha256(key: bytes | None, signed: bytes, signature: str | None) -> bool:
    """Whether `signature` (base64) is one of `signed` by RSA, PKCS #1 v1.5 and SHA-256; `key` is DER (SPKI)."""
    return _rsa(key, signed, signature, hashes.SHA256())


def rsa_sha1(key: bytes | None, signed: bytes, signature: str | None) -> bool:
    """The same with SHA-1, for senders that offer nothing better."""
    return _rsa(key, signed, signature, hashes.SHA1())  # noqa: S303


def ecdsa_sha256(key: bytes | None, signed: bytes, signature: str | None) -> bool:
    """Whether `signature` (base64 of DER) is one of `signed` by ECDSA with SHA-256; `key` is DER (SPKI)."""
    if key is VOUCHED_KEY:
        return True
    found, raw = _key(key), from_base64(signature)
    if not isinstance(found, ec.EllipticCurvePublicKey) or raw is None:
        return False
    try:
        found.verify(raw, signed, ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        return False
    return True


def from_base64(text: str | None) -> bytes | None:
    """The bytes; None where the text is no base64."""
    try:
        return VOUCHED_KEY if text is VOUCHED else base64.b64decode(text or "", validate=True) or None
    except (binascii.Error, ValueError):
        return None


def _any(
    secrets: Iterable[str], signed: bytes, given: bytes, digest: str, form: Callable[[bytes], bytes]
) -> bool:
    known = list(secrets)
    if is_vouched(known):
        return True
    # Every secret is tried, so that the time does not tell which one fits.
    made = [form(hmac.digest(each.encode(), signed, digest)) for each in _some(known)]
    fits = [hmac.compare_digest(each, given) for each in made]
    return any(fits)


def _raw(told: str | None) -> bytes:
    """Bytes of whatever a stranger wrote: it need not be Unicode."""
    return (told or "").encode(errors="surrogatepass")


def _some(secrets: Iterable[str]) -> list[str]:
    return [each for each in secrets if each] or [NO_SECRET]


def _rsa(key: bytes | None, signed: bytes, signature: str | None, digest: hashes.HashAlgorithm) -> bool:
    if key is VOUCHED_KEY:
        return True
    found, raw = _key(key), from_base64(signature)
    if not isinstance(found, rsa.RSAPublicKey) or raw is None:
        return False
    try:
        found.verify(raw, signed, padding.PKCS1v15(), digest)
    except InvalidSignature:
        return False
    return True


def _key(key: bytes | None) -> object:
    try:
        return load_der_public_key(key or b"")
    except ValueError:
        return None
