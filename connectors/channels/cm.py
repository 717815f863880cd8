"""CM.com: messages that come in by SMS, WhatsApp and others, and what became of those sent (the JSON forms).

| request | events |
| --- | --- |
| a message (`from`, `to`, `message`) | MessageReceived |
| a status report (`messages.msg`, one or several) | MessageStatusReported |
| another | nothing |

Codes of a report: 0 accepted and 1 rejected on its way, 2 delivered, 3 failed, 4 read; another is unknown. A report
names the message by the `reference` that it was sent with. A message that comes in has no id of its own: it is known by
whom it is from and to, its time and its words; its `reference` is that of the message it answers.

Times of messages are UTC; those of reports have no zone and are taken as the source's, else as UTC. CM.com signs
nothing: a secret in the address is all that it knows (`/in/cm/{source}/{secret}`). What is not answered with
200 comes again: a message for a month, a report for a week (developers.cm.com, "Incoming Messages" and "Incoming Status
Reports").
"""

from collections.abc import Iterator

import msgspec

from connectors.protocol import documents, facts, messages, people, signatures, values
from connectors.protocol.channel import Channel, Evidence, Outcome, Refused, Request, Source, Verdict
from connectors.protocol.documents import NotReadable, Unfit
from connectors.protocol.facts import Facts
from connectors.protocol.messages import Fate
from schemas import ids
from schemas.events.service import Attachment, MessageReceived
from schemas.meta import Event, Identifier, Instant

MEDIUM = "messaging"
UTC = "UTC"
SHORT_CODE_MAX = 6
"""Digits of a number that only its own country's networks know, at most."""


class Party(msgspec.Struct):
    number: str | int
    name: str | None = None


class Media(msgspec.Struct, rename="camel"):
    media_uri: str | None = None
    content_type: str | None = None


class Text(msgspec.Struct):
    text: str | None = None
    media: Media | None = None


class Message(msgspec.Struct, rename="camel"):
    to: Party
    time_utc: str
    sender: Party = msgspec.field(name="from")
    message: Text = msgspec.field(default_factory=Text)
    reference: str | None = None
    message_context: str | None = None
    channel: str = ""


class Told(msgspec.Struct, rename="camel"):
    code: str | int | None = None
    error_code: str | int | None = None


class Report(msgspec.Struct):
    to: str | int
    reference: str
    received: str
    status: Told = msgspec.field(default_factory=Told)


def receive(request: Request, source: Source) -> Outcome:
    """One message, or one report or several."""
    if not signatures.same(source.secrets, request.route.strip("/")):
        return Refused("the address does not hold the secret")
    made = Facts(request, source, MEDIUM)
    try:
        found = documents.parse(request.body)
    except NotReadable as error:
        return facts.put_aside(request.body, error)
    if not isinstance(found, dict):
        return facts.put_aside(request.body, Unfit("must be an object"))
    if isinstance(found.get("messages"), dict):
        told = found["messages"].get("msg")
        reports = told if isinstance(told, list) else [told]
        return facts.gather(reports, lambda item: _status(made, source, documents.fit(item, Report)))
    if "message" in found:
        return facts.gather([found], lambda item: _received(made, source, documents.fit(item, Message)))
    return Verdict()


def _received(made: Facts, source: Source, found: Message) -> Iterator[Event]:
    sender, ours = _number(found.sender.number), _number(found.to.number)
    said = (sender, ours, found.time_utc, found.channel, found.message.text, _media_uri(found))
    named = ids.uuid5(f"cm:{':'.join(each or '' for each in said)}")
    files = [Attachment(url=uri, content_type=_content_type(found))] if (uri := _media_uri(found)) else []
    yield MessageReceived(
        meta=made.meta(MessageReceived, named, values.moment(found.time_utc, UTC), _who(source, sender)),
        conversation_id=f"{ours}:{sender}",
        message_id=named,
        author=found.sender.name or None,
        text=found.message.text or None,
        attachments=files,
        reply_to=found.message_context or found.reference or None,
    )


def _status(made: Facts, source: Source, found: Report) -> Iterator[Event]:
    code = str(found.status.code)
    status = _STATUS.get(code, messages.UNKNOWN)
    error = found.status.error_code
    yield from messages.told(
        made,
        Fate(
            named=f"{found.reference}:{_number(found.to)}:{code}",
            message_id=found.reference,
            status=status,
            at=_at(found.received, source),
            medium=messages.SMS,
            recipient=people.number_of(_number(found.to), source.region),
            notification_id=messages.our_id(found.reference),
            code=code if status == messages.UNKNOWN else (str(error) if error else None),
        ),
    )


def _at(told: str, source: Source) -> Instant:
    return values.moment(told, source.zone or UTC)


def _number(told: str | int) -> str:
    """A number in one form: with its country, `0031612345678` becomes `+31612345678`."""
    text = str(told).strip()
    if text.startswith("00"):
        return f"+{text[2:]}"
    return (
        f"+{text}" if text.isdecimal() and not text.startswith("0") and len(text) > SHORT_CODE_MAX else text
    )


def _who(source: Source, number: str) -> list[Identifier]:
    return people.known_as(source.name, phone=number, region=source.region)


def _media_uri(found: Message) -> str | None:
    return found.message.media.media_uri if found.message.media else None


def _content_type(found: Message) -> str | None:
    return found.message.media.content_type if found.message.media else None


_STATUS = {
    "0": messages.SENT,
    "1": messages.FAILED,
    "2": messages.DELIVERED,
    "3": messages.FAILED,
    "4": messages.OPENED,
}

CHANNEL = Channel(
    name="cm",
    title="CM.com",
    medium=MEDIUM,
    receive=receive,
    proof="secret address",
    evidence=Evidence(
        "documented",
        "documented",
        "developers.cm.com (Incoming Messages, Incoming Status Reports); what the codes of a report mean is assumed",
    ),
)
