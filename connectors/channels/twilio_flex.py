"""Twilio Flex: the task router's events, by a webhook sink of Event Streams.

| type (`com.twilio.taskrouter.`) | events |
| --- | --- |
| task.created | ConversationStarted |
| reservation.accepted | ConversationAssigned |
| task.completed, task.canceled | ConversationClosed |
| another | nothing |

A request is a CloudEvent or a list of them. A conversation is a task: what was said in it comes by `twilio`, or by the
medium's own channel. Its customer stands in the task's attributes, JSON in a text, in the shop's own words: `from`
or `customerAddress`, an address such as `whatsapp:+31612345678`.

Signature: as of `twilio`, where the address holds the hash of the body (twilio.com/docs/events).
"""

from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from connectors.protocol import documents, facts, people, twilio_signature, values
from connectors.protocol.channel import Channel, Evidence, Outcome, Refused, Request, Source
from connectors.protocol.documents import NotReadable
from connectors.protocol.facts import Facts
from schemas.events.service import ConversationAssigned, ConversationClosed, ConversationStarted
from schemas.meta import Event, Identifier, Instant

MEDIUM = "chat"
PREFIX = "com.twilio.taskrouter."
ADDRESSES = ("customerAddress", "from")


class Task(msgspec.Struct):
    task_sid: str
    task_attributes: str | None = None
    task_channel_unique_name: str | None = None
    task_queue_name: str | None = None
    worker_sid: str | None = None
    reservation_sid: str | None = None
    task_canceled_reason: str | None = None
    task_completed_reason: str | None = None


class Holder(msgspec.Struct):
    payload: Task


class CloudEvent(msgspec.Struct):
    type: str
    time: str | None = None
    data: dict[str, Any] = {}


def receive(request: Request, source: Source) -> Outcome:
    """One event or several."""
    if request.parameter(twilio_signature.BODY_HASH) is None or not twilio_signature.is_signed(
        request, source
    ):
        return Refused("the signature does not fit")
    try:
        found = documents.parse(request.body)
    except NotReadable as error:
        return facts.put_aside(request.body, error)
    made, seen = Facts(request, source, MEDIUM), set[str]()

    def told(item: Any) -> list[Event]:
        event = documents.fit(item, CloudEvent)
        read = _TYPES.get(event.type.removeprefix(PREFIX))
        if read is None:
            return []
        task = documents.fit(event.data, Holder).payload
        at = None if event.time is None else values.moment(event.time)
        new = [each for each in read(made, source, task, at) if each.meta.event_id not in seen]
        seen.update(each.meta.event_id for each in new)
        return new

    return facts.gather(found if isinstance(found, list) else [found], told)


def _started(made: Facts, source: Source, task: Task, at: Instant | None) -> Iterator[Event]:
    yield ConversationStarted(
        meta=made.meta(ConversationStarted, task.task_sid, at, _who(source, task)),
        conversation_id=task.task_sid,
        medium=task.task_channel_unique_name or MEDIUM,
    )


def _assigned(made: Facts, source: Source, task: Task, at: Instant | None) -> Iterator[Event]:
    named = f"{task.task_sid}:{task.reservation_sid or task.worker_sid or ''}"
    yield ConversationAssigned(
        meta=made.meta(ConversationAssigned, named, at, _who(source, task)),
        conversation_id=task.task_sid,
        team=task.task_queue_name,
        agent_id=task.worker_sid,
    )


def _closed(made: Facts, source: Source, task: Task, at: Instant | None) -> Iterator[Event]:
    yield ConversationClosed(
        meta=made.meta(ConversationClosed, task.task_sid, at, _who(source, task)),
        conversation_id=task.task_sid,
        reason=task.task_canceled_reason or task.task_completed_reason,
    )


def _who(source: Source, task: Task) -> list[Identifier]:
    try:
        attributes = documents.parse((task.task_attributes or "{}").encode())
    except NotReadable:
        return []
    told = [attributes.get(name) for name in ADDRESSES] if isinstance(attributes, dict) else []
    address = next((each for each in told if isinstance(each, str)), "")
    return people.known_as(source.name, phone=address.rpartition(":")[2], region=source.region)


Read = Callable[[Facts, Source, Task, Instant | None], Iterator[Event]]

_TYPES: dict[str, Read] = {
    "task.created": _started,
    "reservation.accepted": _assigned,
    "task.completed": _closed,
    "task.canceled": _closed,
}

CHANNEL = Channel(
    name="twilio_flex",
    title="Twilio Flex",
    medium=MEDIUM,
    receive=receive,
    proof="signature",
    evidence=Evidence(
        "documented",
        "assumed",
        "twilio-python (signature); public receivers of taskrouter events (their fields)",
    ),
)
