"""The six calls of Segment's clients, which RudderStack's clients make as well: what each says.

| call | events |
| --- | --- |
| identify | CustomerIdentified; TraitsChanged for the traits that are null |
| alias, merge | IdentifiersLinked |
| group | TraitsChanged |
| page | PageViewed; CampaignTouched where the page's address names a campaign or an ad |
| screen | ScreenViewed |
| track | what the name stands for: shopping.py |

Wire format: segment.com/docs "Spec: Common Fields", rudderstack.com/docs "Common Fields". `context.ip` is not read.
"""

import re
from collections.abc import Callable, Iterator
from hashlib import sha256
from typing import Any

from connectors.protocol import documents, values
from connectors.protocol.channel import Request, Source
from connectors.protocol.documents import Unfit
from connectors.protocol.facts import RAW_OCCURRED_AT, Facts
from connectors.vendors.web import campaigns, shopping
from connectors.vendors.web.addresses import Addresses, path_of
from connectors.vendors.web.hits import APP, WEB, Hit, known
from connectors.vendors.web.payload import Call, Envelope, Id, Named
from connectors.vendors.web.properties import Properties, as_json, flat, without_empty_lists
from schemas.events.activity import (
    CustomerIdentified,
    IdentifiersLinked,
    PageViewed,
    ScreenViewed,
    TraitsChanged,
)
from schemas.meta import Event, Identifier, Instant

UTC = "UTC"
CHANGES_ON_RETRY = ("sentAt", "_metadata", "writeKey")
APP_SYSTEMS = frozenset({"ios", "ipados", "tvos", "android"})
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


class Reader:
    """Reads the calls of one request."""

    def __init__(self, request: Request, source: Source, envelope: Envelope) -> None:
        self._request = request
        self._source = source
        self._envelope = envelope
        self._addresses = Addresses(source)
        self._sent_at = _instant(envelope.sent_at) or _instant(request.header("sentat"))
        self._count = 0

    def events(self, item: Any) -> list[Event]:
        """The events of the next call: none of a type that nobody knows. Raises Unfit."""
        self._count += 1
        call = documents.fit(without_empty_lists(self._addresses.all_cleaned(item)), Call)
        if not call.type:
            raise Unfit("a call has no `type`")
        call.type = call.type.lower()
        make = _CALLS.get(call.type)
        if make is None:
            return []
        context = Properties(self._context(call))
        return list(make(self._hit(call, context, _id(call, item, self._count)), call, context))

    def _context(self, call: Call) -> Named:
        own = {name: value for name, value in (call.context or {}).items() if value is not None}
        return {**(self._envelope.context or {}), **own}

    def _hit(self, call: Call, context: Properties, named: str) -> Hit:
        page = context.inner("page")
        medium = APP if _is_app(call, context) else WEB
        at, told = self._times(call)
        corrected = {RAW_OCCURRED_AT: str(told)} if told is not None and told != at else {}
        return Hit(
            facts=Facts(self._request, self._source, medium, _text(call.message_id) or ""),
            source=self._source,
            id=named,
            at=at,
            who=self._who(call, context),
            context={**_surroundings(context), **corrected},
            url=self._address(call, page, "url"),
            referrer=self._address(call, page, "referrer"),
            session_id=context.text("sessionId"),
        )

    def _who(self, call: Call, context: Properties) -> list[Identifier]:
        own, others = Properties(_traits(call)), context.inner("traits")
        return known(
            self._source,
            user_id=_text(call.user_id),
            visitor_id=_text(call.anonymous_id),
            email=own.text("email") or others.text("email"),
            phone=own.text("phone") or others.text("phone"),
        )

    def _address(self, call: Call, page: Properties, name: str) -> str | None:
        """Of the page where it happened. What a track calls its `url` may be that of a product."""
        own = Properties(call.properties).text(name) if call.type == "page" else None
        return self._addresses.cleaned(page.text(name) or own)

    def _times(self, call: Call) -> tuple[Instant | None, Instant | None]:
        """When it was, by our clock and by the client's. The client says by its clock when it sent it."""
        told = _instant(call.original_timestamp) or _instant(call.timestamp)
        sent = _instant(call.sent_at) or self._sent_at
        if told is None or sent is None:
            return told, told
        return told + self._request.received_at - sent, told


def _identified(hit: Hit, call: Call, context: Properties) -> Iterator[Event]:
    traits = {**(context.inner("traits").told), **(_traits(call) or {})}
    there, removed = flat(traits)
    yield CustomerIdentified(
        meta=hit.meta(CustomerIdentified),
        user_id=_text(call.user_id),
        anonymous_id=_text(call.anonymous_id),
        traits=there,
    )
    if removed:
        meta = hit.meta(TraitsChanged)
        yield TraitsChanged(meta=meta, removed=removed, effective_at=meta.occurred_at)


def _aliased(hit: Hit, call: Call, _: Properties) -> Iterator[Event]:
    before, now = _text(call.previous_id), _text(call.user_id)
    if before is None or now is None:
        raise Unfit("an alias needs `previousId` and `userId`")
    is_visitor = before == _text(call.anonymous_id) or _UUID.fullmatch(before) is not None
    found = known(hit.source, visitor_id=before) if is_visitor else known(hit.source, user_id=before)
    yield _linked(hit, found[0], known(hit.source, user_id=now)[0], "alias")


def _merged(hit: Hit, call: Call, _: Properties) -> Iterator[Event]:
    """RudderStack's: two identifiers that are one customer."""
    found = [_identifier(hit, Properties(each)) for each in call.merge_properties or []]
    if len(found) != 2:
        raise Unfit("a merge needs two `mergeProperties`")
    yield _linked(hit, found[0], found[1], "merge")


def _grouped(hit: Hit, call: Call, _: Properties) -> Iterator[Event]:
    group = _text(call.group_id)
    if group is None:
        raise Unfit("a group needs `groupId`")
    there, removed = flat(call.traits or {}, "group.")
    meta = hit.meta(TraitsChanged)
    told = {"group_id": group, **there}
    yield TraitsChanged(meta=meta, set=told, removed=removed, effective_at=meta.occurred_at)


def _page(hit: Hit, call: Call, context: Properties) -> Iterator[Event]:
    page, properties = context.inner("page"), Properties(call.properties)
    hit.context.update(_present({"page_name": call.name, "page_category": call.category}))
    yield PageViewed(
        meta=hit.meta(PageViewed),
        url=hit.url,
        path=path_of(page.text("path") or properties.text("path")),
        title=page.text("title") or properties.text("title"),
        referrer=hit.referrer,
        session_id=hit.session_id,
    )
    yield from campaigns.touched(hit, context.inner("campaign"))


def _screen(hit: Hit, call: Call, context: Properties) -> Iterator[Event]:
    yield ScreenViewed(
        meta=hit.meta(ScreenViewed),
        name=call.name
        or call.event
        or call.category
        or Properties(call.properties).text("name")
        or "unknown",
        app_version=context.inner("app").text("version"),
        session_id=hit.session_id,
    )


def _tracked(hit: Hit, call: Call, _: Properties) -> Iterator[Event]:
    if not call.event:
        raise Unfit("a track has no `event`")
    return shopping.events(hit, call.event, Properties(call.properties))


_CALLS: dict[str, Callable[[Hit, Call, Properties], Iterator[Event]]] = {
    "identify": _identified,
    "alias": _aliased,
    "merge": _merged,
    "group": _grouped,
    "page": _page,
    "screen": _screen,
    "track": _tracked,
}


def _id(call: Call, item: Any, number: int) -> str:
    """The client's id of the call; else what the call says, without what another attempt changes."""
    if (told := _text(call.message_id)) is not None:
        return told
    kept = {name: value for name, value in item.items() if name not in CHANGES_ON_RETRY}
    return f"{sha256(as_json(kept).encode()).hexdigest()}:{number}"


def _is_app(call: Call, context: Properties) -> bool:
    system = (context.inner("os").text("name") or "").lower()
    return call.channel == "mobile" or call.type == "screen" or (context.has("app") and system in APP_SYSTEMS)


def _traits(call: Call) -> Named | None:
    """A group's traits are not the customer's."""
    return None if call.type == "group" else call.traits


_SURROUNDINGS: dict[str, dict[str, tuple[str, ...]]] = {
    "": {"locale": ("locale",), "timezone": ("timezone",), "user_agent": ("userAgent",)},
    "os": {"os": ("name",)},
    "device": {"device": ("type", "model")},
    "app": {"app": ("name",), "app_version": ("version",)},
    "library": {"library": ("name",), "library_version": ("version",)},
    "campaign": {"utm_source": ("source",), "utm_medium": ("medium",), "utm_campaign": ("name",)},
}
"""By the part of the context that they stand in, what we call them and what the clients do."""


def _surroundings(context: Properties) -> dict[str, str]:
    found: dict[str, str] = {}
    for part, names in _SURROUNDINGS.items():
        told = context.inner(part) if part else context
        if told.told:
            for ours, theirs in names.items():
                if text := told.text(*theirs):
                    found[ours] = text
    return found


def _present(told: dict[str, str | None]) -> dict[str, str]:
    return {name: value for name, value in told.items() if value}


def _linked(hit: Hit, before: Identifier, now: Identifier, reason: str) -> Event:
    return IdentifiersLinked(
        meta=hit.meta(IdentifiersLinked), from_identifier=before, to_identifier=now, reason=reason
    )


def _identifier(hit: Hit, told: Properties) -> Identifier:
    kind, value = (told.text("type") or "").lower().replace("_", ""), told.text("value")
    found = {
        "userid": known(hit.source, user_id=value),
        "anonymousid": known(hit.source, visitor_id=value),
        "email": known(hit.source, email=value),
        "phone": known(hit.source, phone=value),
    }.get(kind) or [Identifier(told.text("type") or "", value or "")]
    if not found[0].kind or not found[0].value:
        raise Unfit("one of `mergeProperties` has no `type` or no `value`")
    return found[0]


def _instant(told: Id | None) -> Instant | None:
    """A time that cannot be read is none: then it is when we received it."""
    try:
        if told is None or told == "":
            return None
        return values.millis(told) if isinstance(told, int) else values.moment(told, UTC)
    except Unfit:
        return None


def _text(told: Id | None) -> str | None:
    return None if told is None else str(told).strip() or None
