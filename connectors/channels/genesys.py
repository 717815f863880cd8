"""Genesys Cloud: EventBridge documents of its conversations, sent on by an EventBridge API destination.

| topic (`v2.detail.events.conversation.{id}.`) | events |
| --- | --- |
| customer.start | CallStarted of voice, else ConversationStarted |
| customer.end | CallEnded of voice, else ConversationClosed |
| acd.start | ConversationAssigned to the queue |
| user.start | ConversationAssigned to the agent |
| another (acw, flow.outcome and so on) | nothing |

A request is one document or a list of them. EventBridge signs nothing: a secret in the address is all that it
knows (`/in/genesys/{source}/{secret}`).
"""

from collections.abc import Callable, Iterator

import msgspec

from connectors.protocol import documents, facts, people, signatures, values
from connectors.protocol.channel import Channel, Evidence, Outcome, Refused, Request, Source
from connectors.protocol.documents import NotReadable
from connectors.protocol.facts import Facts
from schemas.events.service import (
    CallEnded,
    CallStarted,
    ConversationAssigned,
    ConversationClosed,
    ConversationStarted,
)
from schemas.meta import Event, Identifier, Instant

PHONE, CHAT = "phone", "chat"
VOICE = "VOICE"
TEL = "tel:"


class Body(msgspec.Struct, rename="camel"):
    conversation_id: str
    event_time: int | None = None
    session_id: str | None = None
    media_type: str = ""
    direction: str = "inbound"
    ani: str | None = None
    dnis: str | None = None
    queue_id: str | None = None
    user_id: str | None = None
    disconnect_type: str | None = None
    interacting_duration_ms: int | None = None


class Detail(msgspec.Struct, rename="camel"):
    topic_name: str
    event_body: Body


class Document(msgspec.Struct):
    detail: Detail
    id: str | None = None


def receive(request: Request, source: Source) -> Outcome:
    """One document or several."""
    if not signatures.same(source.secrets, request.route.strip("/")):
        return Refused("the address does not hold the secret")
    try:
        found = documents.parse(request.body)
    except NotReadable as error:
        return facts.put_aside(request.body, error)
    centre = Centre(request, source)
    return facts.gather(found if isinstance(found, list) else [found], centre.told)


class Centre:
    """Reads the documents of one request of a contact centre. An event that is told twice in it is one."""

    def __init__(self, request: Request, source: Source) -> None:
        self._made = {medium: Facts(request, source, medium) for medium in (PHONE, CHAT)}
        self._source = source
        self._seen: set[str] = set()

    def told(self, item: object) -> list[Event]:
        detail = documents.fit(item, Document).detail
        read = _TOPICS.get(".".join(detail.topic_name.rsplit(".", 2)[-2:]))
        events = [] if read is None else list(read(self, detail.event_body))
        new = [event for event in events if event.meta.event_id not in self._seen]
        self._seen.update(event.meta.event_id for event in new)
        return new

    def started(self, body: Body) -> Iterator[Event]:
        named, who = body.conversation_id, self._who(body)
        if body.media_type.upper() == VOICE:
            yield CallStarted(
                meta=self._made[PHONE].meta(CallStarted, named, _at(body), who),
                conversation_id=named,
                call_id=named,
                direction=body.direction.lower(),
                from_number=_number(body.ani),
                to_number=_number(body.dnis),
                queue=body.queue_id,
            )
            return
        yield ConversationStarted(
            meta=self._made[CHAT].meta(ConversationStarted, named, _at(body), who),
            conversation_id=named,
            medium=body.media_type.lower() or CHAT,
        )

    def ended(self, body: Body) -> Iterator[Event]:
        named, who = body.conversation_id, self._who(body)
        session = f"{named}:{body.session_id or body.event_time or ''}"
        if body.media_type.upper() == VOICE:
            duration = body.interacting_duration_ms
            yield CallEnded(
                meta=self._made[PHONE].meta(CallEnded, session, _at(body), who),
                conversation_id=named,
                call_id=named,
                direction=body.direction.lower(),
                from_number=_number(body.ani),
                to_number=_number(body.dnis),
                queue=body.queue_id,
                duration_s=None if duration is None else duration // 1_000,
                outcome=body.disconnect_type,
            )
            return
        yield ConversationClosed(
            meta=self._made[CHAT].meta(ConversationClosed, session, _at(body), who),
            conversation_id=named,
            reason=body.disconnect_type,
        )

    def assigned(self, body: Body) -> Iterator[Event]:
        medium = PHONE if body.media_type.upper() == VOICE else CHAT
        named = f"{body.conversation_id}:{body.session_id or body.event_time or ''}"
        yield ConversationAssigned(
            meta=self._made[medium].meta(ConversationAssigned, named, _at(body), self._who(body)),
            conversation_id=body.conversation_id,
            team=body.queue_id,
            agent_id=body.user_id,
        )

    def _who(self, body: Body) -> list[Identifier]:
        told = body.dnis if body.direction.lower() == "outbound" else body.ani
        return people.known_as(self._source.name, phone=_number(told), region=self._source.region)


def _number(told: str | None) -> str | None:
    return told.removeprefix(TEL) if told and told.startswith(TEL) else None


def _at(body: Body) -> Instant | None:
    return None if body.event_time is None else values.millis(body.event_time)


_TOPICS: dict[str, Callable[[Centre, Body], Iterator[Event]]] = {
    "customer.start": Centre.started,
    "customer.end": Centre.ended,
    "acd.start": Centre.assigned,
    "user.start": Centre.assigned,
}

CHANNEL = Channel(
    name="genesys",
    title="Genesys Cloud",
    medium=CHAT,
    receive=receive,
    proof="secret address",
    evidence=Evidence(
        "assumed",
        "assumed",
        "public EventBridge fixtures of customer.start and customer.end; others assumed",
    ),
)
