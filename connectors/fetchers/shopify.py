"""Shopify: an order that was edited; and which sku an inventory item is, with what there is of it at each location.

`GET /admin/api/{version}/orders/{id}.json`, `inventory_items/{id}.json`, `inventory_levels.json?inventory_item_ids=`
(shopify.dev, REST Admin API).
"""

import msgspec

from connectors.protocol import documents, facts
from connectors.protocol.channel import Source
from connectors.protocol.facts import Facts
from connectors.protocol.fetcher import Fetcher
from connectors.protocol.poller import Answered, Ask, Page, as_request
from connectors.vendors.shopify.api import API, FOLDER, GONE
from connectors.vendors.shopify.catalogue import level_event
from connectors.vendors.shopify.orders import order_events
from connectors.vendors.shopify.payload import Level, Order
from connectors.vendors.shopify.shop import ITEM, MEDIUM, Shop
from schemas.events.ingest import ReferenceLearned
from schemas.meta import Event

LEVELS = "250"


class _Order(msgspec.Struct):
    order: Order


class _Item(msgspec.Struct):
    sku: str | None = None


class _ItemTold(msgspec.Struct):
    inventory_item: _Item


class _Levels(msgspec.Struct):
    inventory_levels: list[object]


def _ask_order(order_id: str, _: str, __: Source) -> Ask:
    return Ask(f"{FOLDER}/orders/{order_id}.json")


def _order(answer: Answered, _: str, source: Source) -> Page:
    if answer.status == GONE:
        return Page()
    told = documents.fit(documents.parse(answer.body), _Order)
    return Page(list(order_events(_shop(answer, source), told.order)))


def _ask_item(item_id: str, sku: str, _: Source) -> Ask:
    """First the item; once its sku is known, its levels."""
    if sku:
        return Ask(f"{FOLDER}/inventory_levels.json", {"inventory_item_ids": item_id, "limit": LEVELS})
    return Ask(f"{FOLDER}/inventory_items/{item_id}.json")


def _item(answer: Answered, item_id: str, source: Source) -> Page:
    if answer.status == GONE:
        return Page()
    shop, sku = _shop(answer, source), answer.page
    if sku:
        return _levels(answer, shop, sku)
    found = documents.fit(documents.parse(answer.body), _ItemTold).inventory_item.sku or item_id
    learned = ReferenceLearned(
        meta=shop.meta(ReferenceLearned, f"{ITEM}:{item_id}:{found}", None),
        kind=ITEM,
        foreign_id=item_id,
        ours=found,
    )
    return Page([learned], next_page=found)


def _levels(answer: Answered, shop: Shop, sku: str) -> Page:
    told = documents.fit(documents.parse(answer.body), _Levels)

    def events(item: object) -> list[Event]:
        level = documents.fit(item, Level)
        return [] if level.available is None else [level_event(shop, level, sku, level.available)]

    verdict = facts.gather(told.inventory_levels, events)
    return Page(verdict.events, verdict.rejects)


def _shop(answer: Answered, source: Source) -> Shop:
    return Shop(source, Facts(as_request(answer), source, MEDIUM))


FETCHERS = (
    Fetcher("shopify", "order", API, _ask_order, _order),
    Fetcher("shopify", ITEM, API, _ask_item, _item),
)
