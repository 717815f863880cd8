"""What came in at the door: requests as received, and what sources call our things."""

from schemas.meta import Event, Instant


class RequestReceived(Event, frozen=True, gc=False, kw_only=True):
    """A source's request was taken in."""

    request_id: str
    route: str
    headers: dict[str, str] = {}
    body: bytes
    verdict: str


class RequestsRefused(Event, frozen=True, gc=False, kw_only=True):
    """Requests that named a source were refused: told by count, since anybody can send them."""

    request_id: str
    why: str
    count: int
    first_at: Instant


class ReferenceLearned(Event, frozen=True, gc=False, kw_only=True):
    """A source's own id stands for one of ours."""

    kind: str
    foreign_id: str
    ours: str


class FetchRequested(Event, frozen=True, gc=False, kw_only=True):
    """A request only pointed at something of its source, which is to be asked for."""

    what: str
    foreign_id: str


class CursorMoved(Event, frozen=True, gc=False, kw_only=True):
    """A source was asked, and what it answered is sent: where to go on asking."""

    poller: str
    since: Instant
    newest: Instant
    page: str = ""
    seen: list[str] = []
