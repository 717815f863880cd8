"""What the conformance suite needs of a channel: requests as its sender makes them, and how they are signed."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from connectors.protocol.channel import Channel, Request, Source

RECEIVED_AT = 1_764_064_800_000_000
"""2025-11-25 10:00 UTC."""

Sign = Callable[[Request, str], Request]
"""`sign(request, secret)`: the request as a sender that knows `secret` sends it."""


@dataclass(frozen=True, slots=True)
class Sample:
    """A request before it is signed, and the event types that it gives, in their order.

    `rejected` of its items are put aside; `fetches` are what it asks for. One that `is_answered` is a challenge.
    """

    name: str
    request: Request
    gives: Sequence[str] = ()
    rejected: int = 0
    fetches: Sequence[str] = ()
    is_answered: bool = False


@dataclass(frozen=True, slots=True)
class Samples:
    """All of one channel. `covers_body` says that the signature does. `source` has the secret `secret` alone."""

    channel: Channel
    source: Source
    secret: str
    sign: Sign
    samples: Sequence[Sample]
    covers_body: bool = True
    has_ids: bool = True
    """False where nothing in a request says what happened, so that each request is a fact of its own."""
    other: str = "another secret of the same length, or so"
    """A secret that is not the source's, for a channel whose secrets have a form."""


def post(body: bytes, route: str = "", *, at: int = RECEIVED_AT, url: str = "", **headers: str) -> Request:
    """A POST of `body`; header names are written with underscores."""
    named = {name.replace("_", "-").lower(): (value,) for name, value in headers.items()}
    return Request("POST", route, url or f"https://in.example/in{route}", named, (), body, at)


def with_headers(request: Request, **headers: str) -> Request:
    """The request with further headers, or with others in their place."""
    named = {name.replace("_", "-").lower(): (value,) for name, value in headers.items()}
    return replace(request, headers={**request.headers, **named})
