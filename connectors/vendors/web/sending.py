"""How Segment's and RudderStack's clients send their calls: one, many at once, or in the address of a picture.

Content types lie: JSON comes as text/plain, and gzip as a form, without its encoding being named. The write key is in
the Basic authorization, the query, the body, or each call of a batch. It is public: it says which source it is.
"""

import base64
import binascii
from typing import Any

from connectors.protocol import facts
from connectors.protocol.bodies import parsed, parsed_of
from connectors.protocol.channel import (
    Answer,
    Malformed,
    Outcome,
    Request,
    Source,
    Verdict,
)
from connectors.protocol.documents import NotReadable
from connectors.vendors.web.calls import Reader
from connectors.vendors.web.hits import once
from connectors.vendors.web.payload import Envelope
from connectors.vendors.web.properties import pointed

SHORT = {"i": "identify", "t": "track", "p": "page", "s": "screen", "g": "group", "a": "alias", "b": "batch"}
BATCHES = frozenset({"batch", "import"})
CALLS = "identify|track|page|screen|group|alias|merge"
PICTURE = Answer(
    200,
    base64.b64decode("R0lGODlhAQABAIAAAAAAAAAAACH5BAEAAAAALAAAAAABAAEAAAICRAEAOw=="),
    "image/gif",
    {"Cache-Control": "no-store"},
)
"""A transparent one of a single pixel."""


def write_key(request: Request) -> str | None:
    """The write key of a request, None where it has none."""
    told = _basic(request.header("authorization")) or request.parameter("writeKey")
    if told or request.method == "GET":
        return told or _key_in(_in_picture(request))
    try:
        return _key_in(parsed_of(request))
    except NotReadable:
        return None


def receive(request: Request, source: Source) -> Outcome:
    """The events of all calls in a request; the last part of its path says what it holds."""
    word = request.route.rstrip("/").rpartition("/")[2]
    kind = SHORT.get(word, word)
    if request.method == "GET":
        return _read(request, source, Envelope(), [_typed(_in_picture(request), kind)], PICTURE)
    try:
        told = parsed_of(request)
    except NotReadable as error:
        return Malformed(str(error))
    if not isinstance(told, dict):
        return Malformed("it is no object")
    if kind not in BATCHES:
        return _read(request, source, Envelope(), [_typed(told, kind)])
    return _batch(request, source, told)


def _batch(request: Request, source: Source, told: dict[str, Any]) -> Outcome:
    calls = told.get("batch")
    if not isinstance(calls, list) or not calls:
        return Malformed("`batch` must be a list of calls")
    context, sent_at = told.get("context"), told.get("sentAt")
    envelope = Envelope(
        context if isinstance(context, dict) else None, sent_at if isinstance(sent_at, str | int) else None
    )
    return _read(request, source, envelope, calls)


def _read(
    request: Request, source: Source, envelope: Envelope, calls: list[Any], answer: Answer | None = None
) -> Verdict:
    reader = Reader(request, source, envelope)
    verdict = facts.gather(calls, reader.events)
    return Verdict(once(verdict.events), verdict.rejects, answer=answer)


def _typed(told: dict[str, Any], kind: str) -> dict[str, Any]:
    """A call that is sent alone need not say what the path says."""
    return {**told, "type": told.get("type") or kind}


def _in_picture(request: Request) -> dict[str, Any]:
    """What the address of a picture says: in `data` as base64 of JSON, or in parameters whose names have points."""
    data = request.parameter("data")
    if data is None:
        return pointed((name, value) for name, value in request.query if name != "writeKey")
    try:
        found = parsed(base64.urlsafe_b64decode(data + "=" * (-len(data) % 4)))
    except (binascii.Error, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _key_in(told: Any) -> str | None:
    if not isinstance(told, dict):
        return None
    calls = told.get("batch")
    first = calls[0] if isinstance(calls, list) and calls else None
    own = first.get("writeKey") if isinstance(first, dict) else None
    found = told.get("writeKey") or own
    return found if isinstance(found, str) else None


def _basic(header: str | None) -> str | None:
    """The name in `Basic base64(name:)`."""
    scheme, _, told = (header or "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        return base64.b64decode(told.strip()).decode().partition(":")[0] or None
    except (binascii.Error, ValueError):
        return None
