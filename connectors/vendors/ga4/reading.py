"""The events of one request of the Measurement Protocol.

Its events have no ids. A purchase has its order's; an event with a time has that of what it says. One without a time is
a new one whenever it comes: two people's clicks look alike, and this protocol's senders do not try again.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from connectors.protocol import documents, values
from connectors.protocol.channel import Request, Source
from connectors.protocol.documents import Unfit
from connectors.protocol.facts import Facts
from connectors.vendors.ga4.payload import Body, Item
from connectors.vendors.web import campaigns, shopping
from connectors.vendors.web.addresses import Addresses, path_of
from connectors.vendors.web.hits import APP, WEB, Hit, known
from connectors.vendors.web.properties import Properties, as_json, flat, without_empty_lists
from schemas.events.activity import CustomerIdentified, PageViewed, ScreenViewed, TraitsChanged
from schemas.meta import Event, Instant

ITEM_NAMES = {"item_id": "sku", "item_name": "name", "item_brand": "brand", "index": "position"}
STEPS = {"add_shipping_info": "shipping", "add_payment_info": "payment"}


@dataclass(frozen=True, slots=True)
class Told:
    """One event of the request, and its place there."""

    number: int
    item: Item
    params: Properties


class Reader:
    """Reads one body."""

    def __init__(self, request: Request, source: Source, body: Any) -> None:
        self._request = request
        self._source = source
        self._addresses = Addresses(source)
        self._body = documents.fit(self._addresses.all_cleaned(body), Body)
        is_app = self._body.app_instance_id is not None or request.parameter("firebase_app_id") is not None
        self._facts = Facts(request, source, APP if is_app else WEB)
        self._count = 0

    def items(self) -> list[Any]:
        """The events, unread."""
        return self._body.events

    def events(self, item: Any) -> list[Event]:
        """What the next event of the request is. Raises Unfit."""
        self._count += 1
        told = documents.fit(without_empty_lists(item), Item)
        params = Properties(told.params)
        hit = self._hit(f"{self._digest(item, told)}:{self._count}", params, self._at(told))
        return list(_NAMES.get(told.name, _other)(hit, told.name, params))

    def traits(self) -> list[Event]:
        """What the request says of the customer."""
        there, removed = flat(
            {name: _value(each) for name, each in (self._body.user_properties or {}).items()}
        )
        if not there and not removed:
            return []
        hit = self._hit(self._digest(self._body.user_properties, None), Properties(None), self._at(None))
        meta = hit.meta(TraitsChanged)
        return [TraitsChanged(meta=meta, set=there, removed=removed, effective_at=meta.occurred_at)]

    def _hit(self, named: str, params: Properties, at: Instant | None) -> Hit:
        body = self._body
        visitor = body.app_instance_id or _text(body.client_id)
        who = known(self._source, user_id=_text(body.user_id), visitor_id=visitor)
        if not who:
            raise Unfit("has neither `client_id`, `app_instance_id` nor `user_id`")
        consent = {f"consent_{name}": str(each) for name, each in (body.consent or {}).items()}
        return Hit(
            facts=self._facts,
            source=self._source,
            id=named,
            at=at,
            who=who,
            context=consent,
            url=self._addresses.cleaned(params.text("page_location")),
            referrer=self._addresses.cleaned(params.text("page_referrer")),
            session_id=params.text("session_id", "ga_session_id"),
        )

    def _at(self, item: Item | None) -> Instant | None:
        told = (item and item.timestamp_micros) or self._body.timestamp_micros
        return None if told is None else values.whole(told)

    def _digest(self, told: Any, item: Item | None) -> str:
        at = self._at(item)
        said = [self._body.client_id, self._body.app_instance_id, self._body.user_id, told]
        return sha256(as_json([*said, self._request.received_at if at is None else at]).encode()).hexdigest()


def _page(hit: Hit, _: str, params: Properties) -> Iterator[Event]:
    yield PageViewed(
        meta=hit.meta(PageViewed),
        url=hit.url,
        path=path_of(hit.url),
        title=params.text("page_title"),
        referrer=hit.referrer,
        session_id=hit.session_id,
    )
    yield from campaigns.touched(hit)


def _screen(hit: Hit, _: str, params: Properties) -> Iterator[Event]:
    name = params.text("screen_name", "firebase_screen", "screen_class", "firebase_screen_class")
    yield ScreenViewed(
        meta=hit.meta(ScreenViewed),
        name=name or "unknown",
        app_version=params.text("app_version"),
        session_id=hit.session_id,
    )


def _campaign(hit: Hit, name: str, params: Properties) -> Iterator[Event]:
    found = campaigns.touched(hit, Properties({"id": params.told.get("campaign_id"), **params.told}))
    return iter(found) if found else _other(hit, name, params)


def _login(hit: Hit, name: str, params: Properties) -> Iterator[Event]:
    """Who it is stands beside the events."""
    who = {each.kind: each.value for each in hit.who}
    user = who.get("customer_id", "").removeprefix(f"{hit.source.name}:")
    yield CustomerIdentified(
        meta=hit.meta(CustomerIdentified),
        user_id=user or who.get("email"),
        anonymous_id=who.get("anonymous_id"),
        method=params.text("method") or name,
    )


def _search(hit: Hit, _: str, params: Properties) -> Iterator[Event]:
    return shopping.events(hit, "Products Searched", Properties({"query": params.text("search_term")}))


def _each(name: str) -> Callable[[Hit, str, Properties], Iterator[Event]]:
    """Of every item its own event, by the name that it has in the ecommerce spec."""

    def make(hit: Hit, _: str, params: Properties) -> Iterator[Event]:
        around = {
            "currency": params.text("currency"),
            "list_id": params.text("item_list_id", "item_list_name"),
        }
        if not params.each("items"):
            raise Unfit("has no `items`")
        for number, item in enumerate(params.each("items")):
            told = {**around, **_named(item), "cart_id": params.text("cart_id")}
            yield from shopping.events(hit.part(number), name, Properties(told))

    return make


def _whole(name: str) -> Callable[[Hit, str, Properties], Iterator[Event]]:
    """Of all items together one event."""

    def make(hit: Hit, ours: str, params: Properties) -> Iterator[Event]:
        told = {
            **params.told,
            "order_id": params.text("transaction_id"),
            "list_id": params.text("item_list_id", "item_list_name"),
            "shipping_method": params.text("shipping_tier"),
            "payment_method": params.text("payment_type"),
            "step": STEPS.get(ours),
        }
        if "items" in params.told:
            told["products"] = [_named(item) for item in params.each("items")]
        return shopping.events(hit, name, Properties(told))

    return make


def _other(hit: Hit, name: str, params: Properties) -> Iterator[Event]:
    return shopping.custom(hit, name, params)


def _named(item: Properties) -> dict[str, Any]:
    """An item in the words of the ecommerce spec."""
    found = {ITEM_NAMES.get(name, name): value for name, value in item.told.items()}
    return {**found, "product_id": item.told.get("item_id")} if "item_id" in item.told else found


def _value(told: Any) -> Any:
    return told.get("value") if isinstance(told, dict) else told


def _text(told: int | str | None) -> str | None:
    return None if told is None else str(told).strip() or None


_NAMES: dict[str, Callable[[Hit, str, Properties], Iterator[Event]]] = {
    "page_view": _page,
    "screen_view": _screen,
    "campaign_details": _campaign,
    "login": _login,
    "sign_up": _login,
    "search": _search,
    "view_search_results": _search,
    "view_item_list": _whole("Product List Viewed"),
    "view_item": _each("Product Viewed"),
    "select_item": _each("Product Clicked"),
    "add_to_cart": _each("Product Added"),
    "remove_from_cart": _each("Product Removed"),
    "add_to_wishlist": _each("Product Added to Wishlist"),
    "view_cart": _whole("Cart Viewed"),
    "begin_checkout": _whole("Checkout Started"),
    "add_shipping_info": _whole("Checkout Step Completed"),
    "add_payment_info": _whole("Checkout Step Completed"),
    "purchase": _whole("Order Completed"),
    "refund": _whole("Order Refunded"),
}
