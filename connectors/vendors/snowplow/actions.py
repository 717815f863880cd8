"""Snowplow's self-describing events: which of ours each is, told in the words of the ecommerce spec.

The schemas are in snowplow/iglu-central; what a shop does is `snowplow_ecommerce_action` with its entities
(docs.snowplow.io, "Ecommerce events").
"""

from collections.abc import Callable, Iterator
from typing import Any

from connectors.vendors.snowplow.entities import Entities
from connectors.vendors.web import shopping
from connectors.vendors.web.hits import Hit
from connectors.vendors.web.properties import Properties
from schemas.events.activity import AppStateChanged, FormSubmitted, ScreenViewed
from schemas.meta import Event

ECOMMERCE = "snowplow_ecommerce_action"
APP_STATES = {
    "application_install": "installed",
    "application_foreground": "opened",
    "application_background": "backgrounded",
    "application_error": "crashed",
}
PER_PRODUCT = {
    "product_view": "Product Viewed",
    "list_click": "Product Clicked",
    "add_to_cart": "Product Added",
    "remove_from_cart": "Product Removed",
}

Made = Iterator[Event]


def events(hit: Hit, name: str, data: Properties, entities: Entities) -> Made:
    """The events that a self-describing event is. Raises Unfit where it lacks what such an event says."""
    if name == ECOMMERCE:
        return _ecommerce(hit, data, entities)
    if name in APP_STATES:
        return _app(hit, name, entities)
    make = _NAMES.get(name)
    return shopping.custom(hit, name, data) if make is None else make(hit, data)


def _ecommerce(hit: Hit, data: Properties, entities: Entities) -> Made:
    action = data.text("type") or ""
    if action in PER_PRODUCT:
        return _of_each_product(hit, PER_PRODUCT[action], data, entities)
    make = _ACTIONS.get(action)
    if make is None:
        return shopping.custom(hit, action or ECOMMERCE, data)
    name, told = make(data, entities)
    products = [_product(each) for each in entities.each("product")]
    return shopping.events(hit, name, Properties({**told, "products": products}))


def _of_each_product(hit: Hit, name: str, data: Properties, entities: Entities) -> Made:
    """An add to the cart tells the products that were added, and the cart beside them."""
    cart = entities.one("cart")
    for number, product in enumerate(entities.each("product")):
        told = {**_product(product), "list_id": data.text("name"), "cart_id": cart.text("cart_id")}
        told["currency"] = product.text("currency") or cart.text("currency")
        yield from shopping.events(hit.part(number), name, Properties(told))


def _list_viewed(data: Properties, _: Entities) -> tuple[str, dict[str, Any]]:
    return "Product List Viewed", {"list_id": data.text("name")}


def _step(_: Properties, entities: Entities) -> tuple[str, dict[str, Any]]:
    step = entities.one("checkout_step")
    told = {
        "step": step.text("step"),
        "shipping_method": step.text("delivery_method", "delivery_provider"),
        "payment_method": step.text("payment_method"),
        "cart_id": entities.one("cart").text("cart_id"),
    }
    return "Checkout Step Completed", told


def _transaction(_: Properties, entities: Entities) -> tuple[str, dict[str, Any]]:
    """`revenue` is all that was paid here."""
    found = entities.one("transaction")
    told = {
        "order_id": found.text("transaction_id"),
        "total": found.told.get("revenue"),
        "currency": found.text("currency"),
        "tax": found.told.get("tax"),
        "shipping": found.told.get("shipping"),
        "discount": found.told.get("discount_amount"),
        "coupon": found.text("discount_code"),
        "cart_id": entities.one("cart").text("cart_id"),
    }
    return "Order Completed", told


def _refund(_: Properties, entities: Entities) -> tuple[str, dict[str, Any]]:
    found = entities.one("refund")
    told = {
        "order_id": found.text("transaction_id"),
        "total": found.told.get("refund_amount"),
        "currency": found.text("currency"),
    }
    return "Order Refunded", told


def _product(entity: Properties) -> dict[str, Any]:
    return {**entity.told, "sku": entity.text("id"), "product_id": entity.text("id")}


def _app(hit: Hit, name: str, entities: Entities) -> Made:
    version = entities.one("application").text("version")
    yield AppStateChanged(meta=hit.meta(AppStateChanged), state=APP_STATES[name], version=version)


def _cart_line(name: str) -> Callable[[Hit, Properties], Made]:
    """The older events of a cart, which name the product themselves."""

    def make(hit: Hit, data: Properties) -> Made:
        told = {**data.told, "price": data.told.get("unitPrice")}
        return shopping.events(hit, name, Properties(told))

    return make


def _searched(hit: Hit, data: Properties) -> Made:
    terms = data.told.get("terms")
    query = " ".join(each for each in terms if isinstance(each, str)) if isinstance(terms, list) else None
    told = {"query": query, "result_count": data.told.get("totalResults")}
    return shopping.events(hit, "Products Searched", Properties(told))


def _form(hit: Hit, data: Properties) -> Made:
    fields = {each.text("name") or "": each.text("value") or "" for each in data.each("elements")}
    yield FormSubmitted(meta=hit.meta(FormSubmitted), form_id=data.text("formId") or "unknown", fields=fields)


def _screen(hit: Hit, data: Properties) -> Made:
    yield ScreenViewed(
        meta=hit.meta(ScreenViewed), name=data.text("name", "id") or "unknown", session_id=hit.session_id
    )


_ACTIONS: dict[str, Callable[[Properties, Entities], tuple[str, dict[str, Any]]]] = {
    "list_view": _list_viewed,
    "checkout_step": _step,
    "transaction": _transaction,
    "refund": _refund,
}
_NAMES: dict[str, Callable[[Hit, Properties], Made]] = {
    "add_to_cart": _cart_line("Product Added"),
    "remove_from_cart": _cart_line("Product Removed"),
    "site_search": _searched,
    "submit_form": _form,
    "screen_view": _screen,
}
