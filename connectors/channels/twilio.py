"""Twilio: messages that come in, what became of those sent, and the status callbacks of calls.

| request | events |
| --- | --- |
| a message (`Body`, `From`), by SMS or WhatsApp | MessageReceived; with `OptOutType` STOP or START ConsentChanged |
| `MessageStatus` queued, accepted, scheduled, sending, sent | MessageStatusReported sent |
| `MessageStatus` delivered, read | MessageStatusReported delivered, opened |
| `MessageStatus` undelivered, failed, canceled | MessageStatusReported failed; bounced where the number takes none |
| the same with ErrorCode 21610 (the customer answered STOP) | also ConsentChanged |
| `CallStatus` initiated, ringing, in-progress | CallStarted, which is one for each call |
| `CallStatus` completed, busy, no-answer, failed, canceled | CallEnded |
| another, such as the JSON of event streams | nothing |

Messages carry no time: theirs is when they came in. A call's own address (`A call comes in`) must not be ours, since
what we answer hangs up.

Signature: base64 of the HMAC of the address as Twilio knows it, with or without its port, and of the form's names and
values in their order; of JSON the hash stands in the address (`bodySHA256`). SHA-1 with the account's token, or what
`X-Twilio-Webhooks-Signature-Settings` says with a shared key (twilio/twilio-python 9.13, twilio/request_validator.py;
twilio.com/docs/usage/webhooks). Twilio gives up what is not taken: it tries again only where no connection was made.
"""

from collections.abc import Iterator, Mapping
from email.utils import mktime_tz, parsedate_tz
from urllib.parse import parse_qsl

from connectors.protocol import facts, messages, people, twilio_signature, values
from connectors.protocol.channel import (
    Answer,
    Answers,
    Channel,
    Evidence,
    Outcome,
    Refused,
    Request,
    Source,
    Verdict,
)
from connectors.protocol.documents import Unfit
from connectors.protocol.facts import Facts
from connectors.protocol.messages import Fate
from schemas.events.activity import ConsentChanged
from schemas.events.service import Attachment, CallEnded, CallStarted, MessageReceived
from schemas.meta import Event, Identifier, Instant

MEDIUM, PHONE = "messaging", "phone"
FIELDS_MAX = 1_000
MEDIA_MAX = 20
REPLIED_STOP = "21610"
TAKES_NONE = {"21211", "21614", "30005", "30006"}
"""Error codes of a number that does not exist, or is no mobile phone."""
NO_REPLY = Answer(200, b'<?xml version="1.0" encoding="UTF-8"?><Response/>', "text/xml")

Fields = Mapping[str, str]


def receive(request: Request, source: Source) -> Outcome:
    """One message, one status or one call."""
    form = _form(request)
    if not twilio_signature.is_signed(request, source, form):
        return Refused("the signature does not fit")
    if request.parameter(twilio_signature.BODY_HASH) is not None:
        return Verdict()  # JSON, of which none is read
    fields = dict(form or request.query)
    delivery = request.header("i-twilio-idempotency-token") or ""
    try:
        return Verdict(list(_events(request, source, fields, delivery)))
    except Unfit as error:
        return facts.put_aside(request.body, error)


def _form(request: Request) -> list[tuple[str, str]]:
    try:
        text = request.body.decode(errors="replace")
        return parse_qsl(text, keep_blank_values=True, max_num_fields=FIELDS_MAX)
    except ValueError:
        return []


def _events(request: Request, source: Source, fields: Fields, delivery: str) -> Iterator[Event]:
    made = Facts(request, source, MEDIUM, delivery)
    sid = fields.get("MessageSid") or fields.get("SmsSid")
    if sid and fields.get("MessageStatus", "received") not in ("received", "receiving"):
        yield from messages.told(made, _fate(sid, fields))
    elif sid and "From" in fields:
        yield from _received(made, source, sid, fields)
    elif fields.get("CallSid"):
        yield from _call(Facts(request, source, PHONE, delivery), source, fields)


def _fate(sid: str, fields: Fields) -> Fate:
    word, code = fields["MessageStatus"], fields.get("ErrorCode") or None
    status = messages.BOUNCED if code in TAKES_NONE else _STATUS.get(word, messages.UNKNOWN)
    return Fate(
        named=f"{sid}:{word}",
        message_id=sid,
        status=status,
        at=None,
        medium=_medium(fields.get("To", "")),
        recipient=_bare(fields.get("To", "")),
        code=word if status == messages.UNKNOWN else code,
        forbids=code == REPLIED_STOP,
    )


def _received(made: Facts, source: Source, sid: str, fields: Fields) -> Iterator[Event]:
    sender, medium = _bare(fields["From"]), _medium(fields["From"])
    who = _who(source, sender, fields.get("WaId"))
    yield MessageReceived(
        meta=made.meta(MessageReceived, sid, None, who),
        conversation_id=f"{_bare(fields.get('To', ''))}:{sender}",
        message_id=sid,
        author=fields.get("ProfileName") or None,
        text=fields.get("Body") or None,
        attachments=_media(fields),
        reply_to=fields.get("OriginalRepliedMessageSid") or None,
    )
    choice = fields.get("OptOutType", "").upper()
    if choice in ("STOP", "START"):
        yield ConsentChanged(
            meta=made.meta(ConsentChanged, sid, None, who),
            purpose=messages.MARKETING,
            medium=medium,
            address=people.number_of(sender, source.region),
            granted=choice == "START",
        )


def _call(made: Facts, source: Source, fields: Fields) -> Iterator[Event]:
    sid, status = fields["CallSid"], fields.get("CallStatus", "")
    parent, is_inbound = fields.get("ParentCallSid"), fields.get("Direction") == "inbound"
    customer = fields.get("From" if is_inbound else "To", "")
    # A leg of another call goes to whoever answers it for us.
    who = [] if parent else _who(source, _bare(customer), None)
    at, direction = _at(fields.get("Timestamp")), "inbound" if is_inbound else "outbound"
    if status in _UNDER_WAY:
        yield CallStarted(
            meta=made.meta(CallStarted, sid, at, who),
            conversation_id=parent or sid,
            call_id=sid,
            direction=direction,
            from_number=fields.get("From") or None,
            to_number=fields.get("To") or None,
        )
    elif status in _ENDED:
        seconds = fields.get("CallDuration")
        yield CallEnded(
            meta=made.meta(CallEnded, sid, at, who),
            conversation_id=parent or sid,
            call_id=sid,
            direction=direction,
            from_number=fields.get("From") or None,
            to_number=fields.get("To") or None,
            duration_s=values.whole(seconds) if seconds else None,
            outcome=status,
        )


def _media(fields: Fields) -> list[Attachment]:
    told = fields.get("NumMedia", "0")
    many = min(int(told), MEDIA_MAX) if told.isdecimal() and len(told) < 4 else 0
    return [
        Attachment(url=fields[f"MediaUrl{n}"], content_type=fields.get(f"MediaContentType{n}"))
        for n in range(many)
        if fields.get(f"MediaUrl{n}")
    ]


def _medium(address: str) -> str:
    """Addresses of other media than SMS begin with the medium's name: `whatsapp:+31612345678`."""
    prefix, colon, _ = address.partition(":")
    return prefix.lower() if colon else messages.SMS


def _bare(address: str) -> str:
    return address.rpartition(":")[2]


def _who(source: Source, number: str, wa_id: str | None) -> list[Identifier]:
    others = (Identifier(messages.WHATSAPP, wa_id),) if wa_id else ()
    return people.known_as(source.name, phone=number, region=source.region, others=others)


def _at(told: str | None) -> Instant | None:
    """A time such as `Mon, 24 Nov 2025 10:00:00 +0000`. Raises Unfit."""
    if not told:
        return None
    try:
        found = parsedate_tz(told)
        return values.seconds(mktime_tz(found)) if found else None
    except (ValueError, OverflowError):
        raise Unfit("must be a time, such as Mon, 24 Nov 2025 10:00:00 +0000") from None


_STATUS = {
    "queued": messages.SENT,
    "accepted": messages.SENT,
    "scheduled": messages.SENT,
    "sending": messages.SENT,
    "sent": messages.SENT,
    "delivered": messages.DELIVERED,
    "read": messages.OPENED,
    "undelivered": messages.FAILED,
    "failed": messages.FAILED,
    "canceled": messages.FAILED,
}
_UNDER_WAY = {"initiated", "ringing", "in-progress"}
_ENDED = {"completed", "busy", "no-answer", "failed", "canceled"}

CHANNEL = Channel(
    name="twilio",
    title="Twilio",
    medium=MEDIUM,
    receive=receive,
    proof="signature",
    evidence=Evidence(
        "vendor's vector",
        "documented",
        "twilio/twilio-python tests/unit/test_request_validator.py; twilio.com/docs",
    ),
    answers=Answers(ok=NO_REPLY),
    methods=("GET", "POST"),
    retries=False,
)
