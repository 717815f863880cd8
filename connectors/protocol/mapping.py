"""What a document means, as an operator wrote it: which event, named by what, with which fields.

```yaml
event: OrderPlaced                # its type
where: {/status: [placed, paid]}  # only documents that hold one of these texts
id: [/id, /version]               # what names the fact
occurred_at: time /created_at     # else as the channel says
customer: {email: /email}
json: [lines]                     # members that hold JSON as a text
fields:
  order_id: text /id
  currency: =EUR
  totals: {total: amount /total, tax: amount /tax}
  lines: {each: /lines, fields: {line_id: text /id, sku: /sku, quantity: /quantity, total: amount /total}}
```

A value is a JSON pointer (`/a/0/b`), a constant (`=text`), or a pointer behind its kind:

| kind | reads |
| --- | --- |
| amount | an amount in whole units of its currency |
| whole, text | a whole number; a number or text as a text |
| time | a time in ISO 8601; without an offset it is of the source's zone |
| seconds, millis, micros, nanos, days | a time as a number since 1970 UTC |
| day | a date, as 2026-11-25 or as days since 1970 |

`{each: pointer, fields: {...}}` makes a list: in it pointers begin at the item. Another map makes one part. A word
before the first `/` names a document beside the main one, where a channel has such (`key/id`).
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from connectors.protocol import documents, facts, people, values
from connectors.protocol.channel import Reject, Request, Source, Verdict
from connectors.protocol.documents import NotReadable, Unfit
from connectors.protocol.facts import Facts
from schemas.meta import Event, Instant
from schemas.topics import (
    ACTIVITY,
    CONVERSATIONS,
    LOYALTY,
    MESSAGES,
    ORDERS,
    PARCELS,
    PRICES,
    PRODUCTS,
    STOCK,
)

EVENTS: Mapping[str, type[Event]] = {
    each.__name__: each
    for topic in (
        ACTIVITY,
        CONVERSATIONS,
        LOYALTY,
        MESSAGES,
        ORDERS,
        PARCELS,
        PRICES,
        PRODUCTS,
        STOCK,
    )
    for each in topic.events
}
CUSTOMER = ("customer_id", "email", "phone", "loyalty_card", "anonymous_id")
EACH, FIELDS = "each", "fields"
DAY_US = 24 * 60 * 60 * 1_000_000
BYTES = "is perhaps bytes in base64: have decimals sent as text (Debezium: decimal.handling.mode=string)"
_BASE64 = re.compile(r"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?")

Documents = Mapping[str, Any]
"""The main document under the empty name, and those beside it."""


class Rule(msgspec.Struct, forbid_unknown_fields=True):
    """A mapping as it is written."""

    event: str
    id: list[str]
    fields: dict[str, Any]
    where: dict[str, str | bool | int | list[str | bool | int]] = {}
    occurred_at: str | None = None
    customer: dict[str, str] = {}
    json: list[str] = []
    medium: str = "web"


class Moment(int):
    """A number that its sender's schema says is a time: here in microseconds since 1970 UTC."""


@dataclass(frozen=True, slots=True)
class Unusable:
    """Stands where a value is that must not be taken for one; `why` says what to do."""

    why: str


def told(
    rule: Rule, found: Documents, made: Facts, source: Source, otherwise_at: Instant | None = None
) -> list[Event]:
    """The event, if the documents are as `where` says. It happened at `otherwise_at` where the mapping names no time.

    Raises Unfit.
    """
    kind = EVENTS.get(rule.event)
    if kind is None:
        raise Unfit("the mapping names no event that this channel makes")
    reading = _Reading({**found, "": _unfolded(found[""], rule.json)}, source)
    if not all(_is_one_of(reading.at(pointer), wanted) for pointer, wanted in rule.where.items()):
        return []
    names = [reading.at(pointer) for pointer in rule.id]
    if not names or any(each is None or isinstance(each, dict | list) for each in names):
        raise Unfit("what the mapping's `id` points to is missing")
    who = people.known_as(source.name, region=source.region, **reading.texts(rule.customer))
    at = otherwise_at if rule.occurred_at is None else reading.value(rule.occurred_at)
    meta = made.meta(kind, ":".join(map(str, names)), at, who)
    return [documents.fit({**reading.members(rule.fields), "meta": msgspec.to_builtins(meta)}, kind)]


def all_told(
    rules: Iterable[Rule],
    found: Documents,
    request: Request,
    source: Source,
    otherwise_at: Instant | None = None,
) -> Verdict:
    """What each of the rules makes of the documents; one that cannot read them spoils no other."""
    verdict = Verdict()
    for rule in rules:
        try:
            verdict.events += told(rule, found, Facts(request, source, rule.medium), source, otherwise_at)
        except Unfit as error:
            item = request.body[: facts.ITEM_BYTES_MAX]
            verdict.rejects.append(Reject(facts.UNFIT, f"{rule.event}: {error}", item))
    return verdict


def at(value: Any, pointer: str) -> Any:
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


class _Reading:
    """Reads values out of the documents."""

    def __init__(self, found: Documents, source: Source) -> None:
        self._found = found
        self._source = source

    def at(self, pointer: str) -> Any:
        root, slash, rest = pointer.partition("/")
        value = at(self._found.get(root), slash + rest)
        if isinstance(value, Unusable):
            raise Unfit(f"{pointer} {value.why}")
        return value

    def value(self, word: str) -> Any:
        if word.startswith("="):
            return word[1:]
        kind, pointer = parted(word)
        found = self.at(pointer)
        if found is None or not kind:
            return int(found) if isinstance(found, Moment) else found
        if isinstance(found, dict | list | bool):
            raise Unfit(f"{word} is not of the kind that the mapping says")
        try:
            return KINDS[kind](found, self._source)
        except Unfit as error:
            raise Unfit(f"{word} {error}") from None

    def texts(self, words: Mapping[str, str]) -> dict[str, Any]:
        found = {name: self.value(word) for name, word in words.items() if name in CUSTOMER}
        return {name: str(value) for name, value in found.items() if value is not None}

    def members(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        found = {name: self._part(form) for name, form in fields.items()}
        return {name: value for name, value in found.items() if value is not None}

    def _part(self, form: Any) -> Any:
        if isinstance(form, str):
            return self.value(form)
        if EACH not in form:
            return self.members(form)
        items = self.at(form[EACH])
        if items is not None and not isinstance(items, list):
            raise Unfit(f"{form[EACH]} is no list")
        return [
            _Reading({**self._found, "": item}, self._source).members(form[FIELDS]) for item in items or ()
        ]


def parted(word: str) -> tuple[str, str]:
    """The kind and the pointer of a value as it is written; no kind where it has none."""
    kind, blank, pointer = word.partition(" ")
    return (kind, pointer) if blank and kind in KINDS else ("", word)


def _unfolded(document: Any, names: list[str]) -> Any:
    if not names or not isinstance(document, dict):
        return document
    texts = {name: document[name] for name in names if isinstance(document.get(name), str)}
    try:
        return {**document, **{name: documents.parse(text.encode()) for name, text in texts.items()}}
    except (NotReadable, UnicodeEncodeError):
        raise Unfit("a member that the mapping lists under `json` is no JSON") from None


def _is_one_of(value: Any, wanted: str | bool | int | list[str | bool | int]) -> bool:
    return _text(value) in [_text(each) for each in (wanted if isinstance(wanted, list) else [wanted])]


def _text(value: Any) -> str:
    """As JSON writes it; nothing is the empty text."""
    if value is None or isinstance(value, bool):
        return {None: "", True: "true", False: "false"}[value]
    return str(value)


def _amount(value: Any, _: Source) -> int:
    try:
        return values.amount(value)
    except Unfit:
        if isinstance(value, str) and value and _BASE64.fullmatch(value) and not value.isdigit():
            raise Unfit(BYTES) from None
        raise


def _since(read: Callable[[Any], Instant]) -> Callable[[Any, Source], Instant]:
    """By its schema, where it has one: that knows better than who wrote the mapping."""
    return lambda value, _: int(value) if isinstance(value, Moment) else read(value)


def _time(value: Any, source: Source) -> Instant:
    if isinstance(value, Moment):
        return int(value)
    if not isinstance(value, str):
        raise Unfit("is a number: say which (seconds, millis, micros, nanos or days)")
    return values.moment(value, source.zone)


def _day(value: Any, _: Source) -> int:
    if isinstance(value, Moment):
        return value // DAY_US
    return values.day(value) if isinstance(value, str) else values.whole(value)


KINDS: Mapping[str, Callable[[Any, Source], Any]] = {
    "amount": _amount,
    "whole": lambda value, _: values.whole(value),
    "text": lambda value, _: str(value),
    "time": _time,
    "seconds": _since(values.seconds),
    "millis": _since(values.millis),
    "micros": _since(values.micros),
    "nanos": _since(values.nanos),
    "days": _since(values.days),
    "day": _day,
}
