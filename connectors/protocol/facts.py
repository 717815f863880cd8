"""What every event of a request has in common, and the loop that lets a bad item not spoil the good ones."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from connectors.protocol.channel import Reject, Request, Source, Verdict
from connectors.protocol.documents import NotReadable, Unfit, written
from schemas import ids
from schemas.meta import Event, Identifier, Instant, Meta

UNREADABLE, UNFIT = "unreadable", "unfit"
"""Why an item is rejected."""
RAW_OCCURRED_AT = "occurred_at_raw"
"""In `meta.context`: what the sender said, in microseconds since 1970, where its clock was ahead of ours."""
ITEM_BYTES_MAX = 256 * 1024


class Facts:
    """Makes the meta of the events of one request."""

    def __init__(self, request: Request, source: Source, medium: str, delivery: str = "") -> None:
        self._received_at = request.received_at
        self._source = source.name
        self._medium = medium
        self._delivery = delivery

    def meta(
        self,
        kind: type[Event],
        business_id: str,
        occurred_at: Instant | None,
        who: Iterable[Identifier] = (),
        context: Mapping[str, str] | None = None,
    ) -> Meta:
        """The meta of an event of type `kind`. `business_id` names what happened: the document, its version or line.

        The same fact has the same id, whichever request reports it. Nothing occurs later than it is received.
        """
        told = {name: value for name, value in (context or {}).items() if value}
        at = self._received_at if occurred_at is None else occurred_at
        if at > self._received_at:
            told[RAW_OCCURRED_AT], at = str(at), self._received_at
        return Meta(
            event_id=ids.event_id(self._source, kind.__name__, business_id),
            occurred_at=at,
            received_at=self._received_at,
            channel=self._medium,
            source=self._source,
            source_event_id=self._delivery,
            identifiers=list(who),
            context=told,
        )


def gather(items: Iterable[Any], read: Callable[[Any], Iterable[Event]]) -> Verdict:
    """The events that `read` makes of each item; an item that is Unfit is rejected, and makes none."""
    verdict = Verdict()
    for item in items:
        try:
            verdict.events.extend(read(item))
        except Unfit as unfit:
            verdict.rejects.append(Reject(UNFIT, str(unfit), written(item)[:ITEM_BYTES_MAX]))
    return verdict


def put_aside(body: bytes, error: NotReadable | Unfit) -> Verdict:
    """A request of which nothing could be made."""
    reason = UNFIT if isinstance(error, Unfit) else UNREADABLE
    return Verdict(rejects=[Reject(reason, str(error), body[:ITEM_BYTES_MAX])])
