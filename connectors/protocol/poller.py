"""What a poller is: two pure functions, the next request and what its answer means. The loop does all else.

A sweep asks for what changed since a moment, page by page. The next one begins a little before the newest change that
was told (`overlap_s`), so that what the source wrote late is not missed: what was sent already is not sent again.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from connectors.protocol.channel import Reject, Request, Source
from schemas.meta import Event, Instant


@dataclass(frozen=True, slots=True)
class Ask:
    """A request to the source. `path` is below the source's configured base URL and never leads elsewhere."""

    path: str
    query: Mapping[str, str | list[str]] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    method: str = "GET"
    form: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer that is to be read. Header names are lower case. `since` and `page` are what was asked with."""

    body: bytes
    headers: Mapping[str, str]
    received_at: Instant
    status: int = 200
    since: Instant = 0
    page: str = ""


def as_request(answer: Answered) -> Request:
    """The answer as what its events are made of."""
    return Request("GET", "", "", {}, (), answer.body, answer.received_at)


@dataclass(slots=True)
class Page:
    """What an answer means. `newest` is the latest change in it; `next_page` is empty at the end of a sweep."""

    events: list[Event] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)
    newest: Instant = 0
    next_page: str = ""


@dataclass(frozen=True, slots=True)
class Token:
    """What a login gave: the credential, and for how long it is good."""

    text: str
    good_for_s: float


@dataclass(frozen=True, slots=True)
class Login:
    """How a token is asked for with a client's id and secret. `read` raises Unfit where the answer holds none.

    `base_url` is where, if it is not where the source is.
    """

    ask: Callable[[str, str], Ask]
    read: Callable[[Answered], Token]
    base_url: str = ""


@dataclass(frozen=True, slots=True)
class Api:
    """How a vendor is asked. `authorized` says in which headers a token goes; None where none is asked for.

    `reads` are answers beside the good ones that mean something, such as 404 for what was deleted since.
    """

    authorized: Callable[[str], Mapping[str, str]] | None
    login: Login | None = None
    reads: frozenset[int] = frozenset()
    answer_bytes_max: int = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Poller:
    """One way of asking a source of `channel` for what changed.

    `ask(since, page, source)` is the next request; `read(answer, source)` raises NotReadable or Unfit for an answer of
    which nothing can be made. `start_s` is how far back a source that was never asked is asked.
    """

    name: str
    channel: str
    api: Api
    ask: Callable[[Instant, str, Source], Ask]
    read: Callable[[Answered, Source], Page]
    overlap_s: int = 300
    start_s: int = 24 * 3600
