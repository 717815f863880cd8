"""CloudEvents: what anybody's service sends in the form of CloudEvents 1.0, alone, many at once, or in headers.

| type | events |
| --- | --- |
| vaart.<name of an event> | that event, of which `data` says the fields; `data.meta` may name identifiers and context |
| any other | CustomActivityRecorded, whose properties are `data` |

An event is known by its `source` and `id`, so that one which comes again is the same. What proves the sender is a
secret as `Authorization: Bearer`, or, for secrets that begin with `whsec_`, a signature of Standard Webhooks. A sender
that asks by OPTIONS with `WebHook-Request-Origin` whether it may send is answered by the gateway (cloudevents/spec,
http-webhook.md).
"""

from typing import Any

import msgspec

from connectors.protocol import documents, facts, people, signatures, standard_webhooks, values
from connectors.protocol.channel import (
    BATCH_BYTES_MAX,
    Answer,
    Answers,
    Channel,
    Evidence,
    Malformed,
    Option,
    Outcome,
    Refused,
    Request,
    Source,
)
from connectors.protocol.documents import NotReadable, Unfit
from connectors.protocol.facts import Facts
from connectors.vendors.cloudevents import our_events
from connectors.vendors.cloudevents.envelope import CloudEvent, events_in, read
from connectors.vendors.web.hits import once
from connectors.vendors.web.properties import as_json
from schemas.events.activity import CustomActivityRecorded
from schemas.identifiers import ANONYMOUS_ID, CUSTOMER_ID, EMAIL, LOYALTY_CARD, PHONE
from schemas.meta import Event, Identifier, Meta

OURS = "vaart."
MEDIUM = "other"
BEARER = "bearer "
SUBJECTS = (CUSTOMER_ID, EMAIL, PHONE, LOYALTY_CARD, ANONYMOUS_ID)
SUBJECT_OPTION = Option("subject", f"whom an event's `subject` names: {', '.join(SUBJECTS)}")
MEDIUM_OPTION = Option("medium", "where the customer was: web, app, store, phone, carrier and so on")


def receive(request: Request, source: Source) -> Outcome:
    """One bad event beside good ones is put aside alone."""
    if not _is_known(request, source):
        return Refused("neither a signature nor a token fits")
    try:
        items = events_in(request)
    except NotReadable as error:
        return Malformed(str(error))
    verdict = facts.gather(items, Reader(request, source).events)
    verdict.events = once(verdict.events)
    return verdict


def _is_known(request: Request, source: Source) -> bool:
    """A signing secret is no token: who saw one pass by could send anything."""
    if standard_webhooks.is_used(request):
        return standard_webhooks.is_signed(request, source.secrets)
    told = request.header("authorization") or ""
    tokens = [each for each in source.secrets if not each.startswith(standard_webhooks.SECRET)]
    return signatures.same(tokens, told[len(BEARER) :] if told.lower().startswith(BEARER) else None)


class Told(msgspec.Struct):
    """What `data.meta` may say of one of our events."""

    identifiers: list[Identifier] = []
    context: dict[str, str] = {}
    channel: str | None = None


class Reader:
    """Reads the events of one request."""

    def __init__(self, request: Request, source: Source) -> None:
        self._request = request
        self._source = source

    def events(self, item: Any) -> list[Event]:
        """Our event. Raises Unfit."""
        found = read(item)
        name = found.type.removeprefix(OURS)
        if name != found.type:
            return [self._ours(found, name)]
        return [self._custom(found)]

    def _ours(self, found: CloudEvent, name: str) -> Event:
        kind = our_events.TYPES.get(name)
        if kind is None:
            raise Unfit(f"`type` names no event of ours after {OURS}")
        if not isinstance(found.data, dict):
            raise Unfit("`data` must be an object")
        told = documents.fit(found.data.get("meta") or {}, Told)
        return our_events.event(kind, found.data, self._meta(found, kind, told))

    def _custom(self, found: CloudEvent) -> Event:
        data = found.data if found.data_base64 is None else {"data_base64": found.data_base64}
        return CustomActivityRecorded(
            meta=self._meta(found, CustomActivityRecorded, Told()),
            name=found.type,
            properties_json=as_json(data),
        )

    def _meta(self, found: CloudEvent, kind: type[Event], told: Told) -> Meta:
        medium = told.channel or str(self._source.options.get(MEDIUM_OPTION.name, MEDIUM))
        made = Facts(self._request, self._source, medium, found.id)
        at = None if found.time is None else values.moment(found.time, self._source.zone)
        who = [*told.identifiers, *self._subject(found)]
        context = {"subject": found.subject or "", "event_source": found.source, **told.context}
        return made.meta(kind, f"{len(found.source)}:{found.source}:{found.id}", at, who, context)

    def _subject(self, found: CloudEvent) -> list[Identifier]:
        """What the source's option says that a subject is."""
        kind = self._source.options.get(SUBJECT_OPTION.name)
        if kind not in SUBJECTS or not found.subject:
            return []
        told = {each: found.subject if each == kind else None for each in SUBJECTS}
        return people.known_as(
            self._source.name,
            customer_id=told[CUSTOMER_ID],
            email=told[EMAIL],
            phone=told[PHONE],
            loyalty_card=told[LOYALTY_CARD],
            anonymous_id=told[ANONYMOUS_ID],
            region=self._source.region,
        )


CHANNEL = Channel(
    name="cloudevents",
    title="CloudEvents",
    medium=MEDIUM,
    receive=receive,
    proof="credential",
    evidence=Evidence(
        "vendor's vector", "documented", "cloudevents/spec 1.0.2; standard-webhooks/standard-webhooks"
    ),
    answers=Answers(ok=Answer(202), overloaded=Answer(429, headers={"Retry-After": "5"})),
    options=(SUBJECT_OPTION, MEDIUM_OPTION),
    body_bytes_max=BATCH_BYTES_MAX,
)
