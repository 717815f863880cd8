"""The events of one request of a tracker."""

from collections.abc import Callable, Iterator
from typing import Any

from connectors.protocol import documents, values
from connectors.protocol.channel import Request, Source
from connectors.protocol.documents import Unfit
from connectors.protocol.facts import RAW_OCCURRED_AT, Facts
from connectors.vendors.snowplow import actions
from connectors.vendors.snowplow.entities import Entities
from connectors.vendors.snowplow.payload import Payload, Text, entities_in, event_in
from connectors.vendors.web import campaigns, shopping
from connectors.vendors.web.addresses import Addresses, path_of
from connectors.vendors.web.baskets import lines_of
from connectors.vendors.web.hits import APP, WEB, Hit, known
from connectors.vendors.web.properties import Properties
from schemas.events.activity import PageViewed
from schemas.events.orders import OrderChanged
from schemas.meta import Event, Instant

APP_PLATFORMS = frozenset({"mob"})
STRUCTURED = {"se_ca": "category", "se_ac": "action", "se_la": "label", "se_pr": "property", "se_va": "value"}


class Reader:
    """Reads payloads. An order's items are payloads of their own: the order finds those of the same request."""

    def __init__(self, request: Request, source: Source, payloads: list[Any]) -> None:
        self._request = request
        self._source = source
        self._addresses = Addresses(source)
        self._payloads = [each for each in payloads if isinstance(each, dict)]

    def events(self, item: Any) -> list[Event]:
        """The events of one payload: none of a type that nobody knows. Raises Unfit."""
        payload = documents.fit(item, Payload)
        make = _TYPES.get(payload.e)
        if make is None:
            return []
        entities = Entities(self._addresses, entities_in(payload))
        return list(make(self, self._hit(payload, entities), payload, entities))

    def page(self, hit: Hit, payload: Payload, _: Entities) -> Iterator[Event]:
        yield PageViewed(
            meta=hit.meta(PageViewed),
            url=hit.url,
            path=path_of(hit.url),
            title=_text(payload.page),
            referrer=hit.referrer,
            session_id=hit.session_id,
        )
        yield from campaigns.touched(hit)

    def structured(self, hit: Hit, payload: Payload, _: Entities) -> Iterator[Event]:
        told = {name: getattr(payload, field) for field, name in STRUCTURED.items()}
        there = {name: value for name, value in told.items() if value is not None}
        return shopping.custom(hit, _text(payload.se_ac) or "structured", Properties(there))

    def described(self, hit: Hit, payload: Payload, entities: Entities) -> Iterator[Event]:
        found = event_in(payload)
        data = self._addresses.all_cleaned(found.data)
        return actions.events(hit, found.name, Properties(data if isinstance(data, dict) else None), entities)

    def transaction(self, hit: Hit, payload: Payload, _: Entities) -> Iterator[Event]:
        """The total is what was paid, shipping and tax included."""
        mine = [
            each for each in self._payloads if each.get("e") == "ti" and each.get("ti_id") == payload.tr_id
        ]
        told = {
            "order_id": payload.tr_id,
            "currency": payload.tr_cu,
            "total": payload.tr_tt,
            "tax": payload.tr_tx,
            "shipping": payload.tr_sh,
            "products": [_product(documents.fit(each, Payload)) for each in mine],
        }
        return shopping.events(hit, "Order Completed", Properties(told))

    def item(self, hit: Hit, payload: Payload, _: Entities) -> Iterator[Event]:
        """One whose order is in the same request is a line there."""
        order = _text(payload.ti_id)
        if order is None:
            raise Unfit("an item has no `ti_id`")
        if any(each.get("e") == "tr" and _text(each.get("tr_id")) == order for each in self._payloads):
            return
        yield OrderChanged(
            meta=hit.meta(OrderChanged),
            order_id=order,
            currency=hit.currency(_text(payload.ti_cu)),
            lines_added=lines_of([Properties(_product(payload))]),
        )

    def _hit(self, payload: Payload, entities: Entities) -> Hit:
        named = _text(payload.eid)
        if named is None:
            raise Unfit("an event has no `eid`")
        session = entities.one("client_session")
        at, told = self._times(payload)
        corrected = {RAW_OCCURRED_AT: str(told)} if told is not None and told != at else {}
        medium = APP if payload.p in APP_PLATFORMS else WEB
        return Hit(
            facts=Facts(self._request, self._source, medium, named),
            source=self._source,
            id=named,
            at=at,
            who=known(
                self._source,
                user_id=_text(payload.uid),
                visitor_id=_text(payload.duid) or session.text("userId"),
                email=entities.one("user").text("email"),
            ),
            context={**_surroundings(payload), **corrected},
            url=self._addresses.cleaned(_text(payload.url)),
            referrer=self._addresses.cleaned(_text(payload.refr)),
            session_id=_text(payload.sid) or session.text("sessionId"),
        )

    def _times(self, payload: Payload) -> tuple[Instant | None, Instant | None]:
        """When it was, by our clock and by the device's. What is called the true time needs no correction."""
        if (true := _instant(payload.ttm)) is not None:
            return true, true
        told, sent = _instant(payload.dtm), _instant(payload.stm)
        if told is None or sent is None:
            return told, told
        return told + self._request.received_at - sent, told


_TYPES: dict[str, Callable[[Reader, Hit, Payload, Entities], Iterator[Event]]] = {
    "pv": Reader.page,
    "se": Reader.structured,
    "ue": Reader.described,
    "tr": Reader.transaction,
    "ti": Reader.item,
}


def _product(payload: Payload) -> dict[str, Any]:
    return {"sku": payload.ti_sk, "price": payload.ti_pr, "quantity": payload.ti_qu}


def _surroundings(payload: Payload) -> dict[str, str]:
    told = {
        "locale": payload.lang,
        "timezone": payload.tz,
        "user_agent": payload.ua,
        "library": payload.tv,
        "platform": payload.p,
    }
    return {name: str(value) for name, value in told.items() if value is not None}


def _instant(told: Text) -> Instant | None:
    """A time that cannot be read is none: then it is when we received it."""
    try:
        return None if told in (None, "") else values.millis(told)
    except Unfit:
        return None


def _text(told: Any) -> str | None:
    return None if told is None else str(told).strip() or None
