"""Any sender of JSON, by a mapping of its documents to events of one type: review platforms, social networks, others.

| request | events |
| --- | --- |
| a document that the mapping fits | one of its type, or one for each of its items |
| a document that is not as `where` says | nothing |

```yaml
mapping:
  event: ReviewSubmitted          # its type
  items: /reviews                 # the list of them; else the document is one
  where: {/type: created}         # only those that hold these texts
  id: [/id, /version]             # what names the fact
  occurred_at: time /createdAt    # else it is when it came in
  customer: {email: /consumer/email}
  fields: {review_id: /id, platform: =trustpilot, rating: whole /stars}
```

A value is a JSON pointer (`/a/0/b`), a constant (`=text`), or a pointer behind its kind: `amount` in whole units,
`whole`, `time` in ISO 8601, `seconds`, `millis`. Mappings that are ready stand in `deploy/mappings`.

How it is signed says `signed_by`: standard-webhooks, hmac (hexadecimal HMAC-SHA256 of the body in `header`, perhaps
after `sha256=`), or bearer (a token of ours in `Authorization`).
"""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from connectors.protocol import credentials, documents, facts, people, signatures, standard_webhooks, values
from connectors.protocol.channel import Channel, Evidence, Option, Outcome, Refused, Request, Source
from connectors.protocol.documents import NotReadable, Unfit
from connectors.protocol.facts import Facts
from schemas.meta import Event, Instant
from schemas.topics import ACTIVITY, CONVERSATIONS, LOYALTY, MESSAGES, ORDERS, PARCELS, STOCK

MEDIUM = "web"
STANDARD, HMAC, BEARER = "standard-webhooks", "hmac", "bearer"
HEADER, PREFIX = "x-signature", "sha256="
EVENTS: Mapping[str, type[Event]] = {
    each.__name__: each
    for topic in (ACTIVITY, CONVERSATIONS, LOYALTY, MESSAGES, ORDERS, PARCELS, STOCK)
    for each in topic.events
}


class Form(msgspec.Struct, forbid_unknown_fields=True):
    """A mapping as it is written."""

    event: str
    id: list[str]
    fields: dict[str, str]
    items: str | None = None
    where: dict[str, str] = {}
    occurred_at: str | None = None
    customer: dict[str, str] = {}
    medium: str = MEDIUM


def receive(request: Request, source: Source) -> Outcome:
    """One document."""
    if not _is_signed(request, source):
        return Refused("the signature does not fit")
    try:
        form = documents.fit(source.options.get("mapping"), Form)
        kind = EVENTS.get(form.event)
        if kind is None:
            raise Unfit("the mapping names no event that this channel makes")
        found = documents.parse(request.body)
        items = found if form.items is None else _at(found, form.items)
        if items is None:
            items = []
        made = Facts(request, source, form.medium)
        return facts.gather(
            items if isinstance(items, list) else [items], lambda item: _told(made, source, form, kind, item)
        )
    except (NotReadable, Unfit) as error:
        return facts.put_aside(request.body, error)


def _is_signed(request: Request, source: Source) -> bool:
    way = source.options.get("signed_by", STANDARD)
    if way == HMAC:
        told = request.header(str(source.options.get("header", HEADER)).lower()) or ""
        return signatures.hmac_hex(source.secrets, request.body, told.removeprefix(PREFIX))
    if way == BEARER:
        return credentials.are_right(request, source)
    return standard_webhooks.is_signed(request, source.secrets)


def _told(made: Facts, source: Source, form: Form, kind: type[Event], item: Any) -> list[Event]:
    if any(str(_at(item, pointer)) != text for pointer, text in form.where.items()):
        return []
    names = [_at(item, pointer) for pointer in form.id]
    if not names or any(each is None or isinstance(each, dict | list) for each in names):
        raise Unfit("what the mapping's `id` points to is missing")
    who = people.known_as(source.name, region=source.region, **_customer(form, item))
    at: Instant | None = None if form.occurred_at is None else _value(item, form.occurred_at)
    meta = made.meta(kind, ":".join(map(str, names)), at, who)
    fields = {name: _value(item, told) for name, told in form.fields.items()}
    there = {name: value for name, value in fields.items() if value is not None}
    return [documents.fit({**there, "meta": msgspec.to_builtins(meta)}, kind)]


def _customer(form: Form, item: Any) -> dict[str, Any]:
    known = ("customer_id", "email", "phone", "loyalty_card", "anonymous_id")
    found = {name: _value(item, told) for name, told in form.customer.items() if name in known}
    return {name: str(value) for name, value in found.items() if value is not None}


def _value(item: Any, told: str) -> Any:
    if told.startswith("="):
        return told[1:]
    kind, _, pointer = told.rpartition(" ")
    found = _at(item, pointer)
    if found is None or not kind:
        return found
    read = _KINDS.get(kind)
    if read is None or isinstance(found, dict | list | bool):
        raise Unfit("a value is not of the kind that the mapping says")
    return read(found)


def _at(value: Any, pointer: str) -> Any:
    """What the JSON pointer (RFC 6901) points to; None where there is nothing."""
    for part in pointer.split("/")[1:]:
        name = part.replace("~1", "/").replace("~0", "~")
        if isinstance(value, dict):
            value = value.get(name)
        elif isinstance(value, list) and name.isascii() and name.isdigit() and len(name) < len("1000000"):
            value = value[int(name)] if int(name) < len(value) else None
        else:
            return None
    return value


_KINDS: dict[str, Callable[[Any], int]] = {
    "amount": values.amount,
    "whole": values.whole,
    "time": lambda told: values.moment(str(told)),
    "seconds": values.seconds,
    "millis": values.millis,
}

CHANNEL = Channel(
    name="json_mapped",
    title="JSON by a mapping",
    medium=MEDIUM,
    receive=receive,
    proof="signature",
    evidence=Evidence(
        "documented", "assumed", "standard-webhooks (spec); the senders' forms stand in the mappings"
    ),
    options=(
        Option("mapping", "how a document becomes an event", is_required=True, is_map=True),
        Option("signed_by", f"{STANDARD} (the default), {HMAC} or {BEARER}"),
        Option("header", f"the header of an HMAC; else {HEADER}"),
    ),
)
