"""Adobe Commerce: an order whose event came without its lines, and which sku a product's id is.

`GET /rest/V1/orders/{id}` and `GET /rest/V1/products?searchCriteria...entity_id`, by the access token of an integration
(developer.adobe.com/commerce/webapi).
"""

from typing import Any

import msgspec

from connectors.channels.adobe_commerce import MEDIUM, ORDER, PRODUCT
from connectors.protocol import documents
from connectors.protocol.channel import Source
from connectors.protocol.facts import Facts
from connectors.protocol.fetcher import Fetcher
from connectors.protocol.poller import Answered, Api, Ask, Page, as_request
from connectors.vendors.adobe_commerce import rows
from schemas.events.ingest import ReferenceLearned

GONE = 404
FILTER = "searchCriteria[filter_groups][0][filters][0]"
API = Api(lambda token: {"Authorization": f"Bearer {token}"}, reads=frozenset({GONE}))


class _Product(msgspec.Struct):
    sku: str


class _Products(msgspec.Struct):
    items: list[_Product] = []


def _ask_order(order_id: str, _: str, __: Source) -> Ask:
    return Ask(f"rest/V1/orders/{order_id}")


def _order(answer: Answered, _: str, source: Source) -> Page:
    if answer.status == GONE:
        return Page()
    found: Any = documents.parse(answer.body)
    return Page(list(rows.order(Facts(as_request(answer), source, MEDIUM), source, found)))


def _ask_product(product_id: str, _: str, __: Source) -> Ask:
    return Ask(
        "rest/V1/products",
        {f"{FILTER}[field]": "entity_id", f"{FILTER}[value]": product_id, "fields": "items[sku]"},
    )


def _product(answer: Answered, product_id: str, source: Source) -> Page:
    if answer.status == GONE:
        return Page()
    found = documents.fit(documents.parse(answer.body), _Products).items
    made = Facts(as_request(answer), source, MEDIUM)
    return Page(
        [
            ReferenceLearned(
                meta=made.meta(ReferenceLearned, f"{PRODUCT}:{product_id}:{each.sku}", None),
                kind=PRODUCT,
                foreign_id=product_id,
                ours=each.sku,
            )
            for each in found[:1]
        ]
    )


FETCHERS = (
    Fetcher("adobe_commerce", ORDER, API, _ask_order, _order),
    Fetcher("adobe_commerce", PRODUCT, API, _ask_product, _product),
)
