"""How Meta knocks: the request that tries an address, the signature, and what one request holds.

Meta asks by GET whether an address is ours: one of the source's secrets is the token that was entered beside it, which
is thus a secret as good as the app's own. A POST is signed: HMAC-SHA256 of the body as it came, in hexadecimal digits,
with the app's secret (developers.facebook.com, "Graph API webhooks: getting started"). It holds up to 1,000 updates of
several accounts. It is sent again for up to 36 hours; after an hour without success Messenger leaves the app.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from connectors.protocol import documents, facts, signatures, values
from connectors.protocol.channel import Answer, Challenge, Outcome, Refused, Request, Source
from connectors.protocol.documents import NotReadable, Unfit
from schemas.meta import Event, Instant

SIGNATURE_STARTS = "sha256="
BROKEN = "broken"
"""By this name stands what is no update at all."""
MILLIS_FROM = 100_000_000_000
"""A number of time below this is in seconds."""

Update = dict[str, Any]
"""One update: `account`, `time` and either `field` and `value`, or a `message` of a conversation."""
Read = Callable[[Update], Iterable[Event]]
Split = Callable[[Update], Iterable[Update]]


def whole(update: Update) -> Iterable[Update]:
    """For accounts whose updates hold one thing each."""
    return (update,)


def received(request: Request, source: Source, kind: str, read: Read, split: Split = whole) -> Outcome:
    """What `read` makes of every update of accounts of that `kind`; other kinds make nothing.

    An update that holds several things is `split` first, so that a bad one of them does not spoil the others.
    """
    if request.method == "GET":
        return _tried(request, source)
    signature = (request.header("x-hub-signature-256") or "").removeprefix(SIGNATURE_STARTS)
    if not signatures.hmac_hex(source.secrets, request.body, signature):
        return Refused("the signature does not fit")
    try:
        found = documents.parse(request.body)
        updates = [
            part for each in _documents(found, kind) for update in _updates(each) for part in split(update)
        ]
    except (NotReadable, Unfit) as error:
        return facts.put_aside(request.body, error)
    return facts.gather(updates, lambda update: read(_sound(update)))


def at(told: Any) -> Instant | None:
    """A time of Meta's: milliseconds or seconds, as a number or a text, or ISO 8601. Raises Unfit."""
    if told is None:
        return None
    number = int(told) if isinstance(told, str) and told.isdecimal() and len(told) < 20 else told
    if isinstance(number, int) and not isinstance(number, bool):
        return (values.millis if number >= MILLIS_FROM else values.seconds)(number)
    if isinstance(told, str):
        return values.moment(told)
    raise Unfit("must be a time")


def _tried(request: Request, source: Source) -> Outcome:
    challenge = request.parameter("hub.challenge")
    is_right = signatures.same(source.secrets, request.parameter("hub.verify_token"))
    if not is_right or challenge is None or request.parameter("hub.mode") != "subscribe":
        return Refused("the token does not fit")
    return Challenge(Answer(200, challenge.encode()))


def _documents(found: Any, kind: str) -> Iterator[Any]:
    """The entries of the document, or of each of a list of them."""
    for document in found if isinstance(found, list) else [found]:
        if not isinstance(document, dict) or not isinstance(document.get("entry"), list):
            raise Unfit("must have a list `entry`")
        if document.get("object") == kind:
            yield from document["entry"]


def _updates(entry: Any) -> Iterator[Update]:
    """Of an account: changes, in either shape, and messages, those of which another app has the say among them."""
    if not isinstance(entry, dict):
        yield {BROKEN: entry}
        return
    whose = {"account": str(entry.get("id", "")), "time": entry.get("time")}
    if "field" in entry:
        yield {**whose, "field": entry["field"], "value": entry.get("value")}
    for change in _list(entry, "changes"):
        yield {**change, **whose} if isinstance(change, dict) else {BROKEN: change}
    for message in (*_list(entry, "messaging"), *_list(entry, "standby")):
        yield {**whose, "message": message}


def _list(entry: dict[str, Any], name: str) -> list[Any]:
    found = entry.get(name)
    return found if isinstance(found, list) else []


def _sound(update: Update) -> Update:
    if BROKEN in update:
        raise Unfit("must be an object")
    return update
