"""Shopify: orders that changed, to close the gaps that its webhooks leave. The same facts have the webhooks' ids.

`GET /admin/api/{version}/orders.json?updated_at_min=` in the order of their changes; the next page is what the header
`Link` with `rel="next"` names by `page_info`, beside which only `limit` is allowed (shopify.dev, "Make paginated
requests to the REST Admin API").
"""

import re
from collections.abc import Mapping
from urllib.parse import parse_qs, urlsplit

import msgspec

from connectors.protocol import documents, facts, values
from connectors.protocol.channel import Source
from connectors.protocol.facts import Facts
from connectors.protocol.poller import Answered, Ask, Page, Poller, as_request
from connectors.vendors.shopify.api import API, FOLDER
from connectors.vendors.shopify.orders import order_events
from connectors.vendors.shopify.payload import Order
from connectors.vendors.shopify.shop import MEDIUM, Shop
from schemas.meta import Event, Instant

PATH = f"{FOLDER}/orders.json"
ORDERS_A_PAGE = "250"
NEXT = re.compile(r'<([^>]+)>;\s*rel="next"')


class _Orders(msgspec.Struct):
    orders: list[object]


def ask(since: Instant, page: str, source: Source) -> Ask:
    """The next page, else the first of what changed since then."""
    if page:
        return Ask(PATH, {"limit": ORDERS_A_PAGE, "page_info": page})
    return Ask(
        PATH,
        {
            "limit": ORDERS_A_PAGE,
            "status": "any",
            "order": "updated_at asc",
            "updated_at_min": values.iso(since),
        },
    )


def read(answer: Answered, source: Source) -> Page:
    """The events of each order; one that does not fit spoils no other."""
    request = as_request(answer)
    shop = Shop(source, Facts(request, source, MEDIUM))
    changed: list[Instant] = [0]

    def events(item: object) -> list[Event]:
        order = documents.fit(item, Order)
        found = list(order_events(shop, order))
        changed.append(shop.at(order.updated_at) or 0)
        return found

    told = documents.fit(documents.parse(answer.body), _Orders)
    verdict = facts.gather(told.orders, events)
    return Page(verdict.events, verdict.rejects, max(changed), _next_page(answer.headers))


def _next_page(headers: Mapping[str, str]) -> str:
    found = NEXT.search(headers.get("link", ""))
    return parse_qs(urlsplit(found[1]).query).get("page_info", [""])[0] if found else ""


POLLER = Poller(name="shopify_orders", channel="shopify", api=API, ask=ask, read=read)
