"""WooCommerce: orders that changed, which its webhooks never send twice. The same facts have the webhooks' ids.

`GET /wp-json/wc/v3/orders?modified_after=&orderby=modified&order=asc` (WooCommerce REST API documentation), by a
consumer key and its secret: `token` is `ck_...:cs_...`. A list goes on where its last order changed, not by a page's
number, since an order that changes in between would shift the others; orders of one and the same second are paged.
"""

import base64
from collections.abc import Mapping

from connectors.protocol import documents, facts, values
from connectors.protocol.channel import Source
from connectors.protocol.documents import Unfit
from connectors.protocol.facts import Facts
from connectors.protocol.poller import Answered, Api, Ask, Page, Poller, as_request
from connectors.vendors.woocommerce import orders
from connectors.vendors.woocommerce.parts import moment_of
from connectors.vendors.woocommerce.payload import Order
from schemas.meta import Event, Instant

MEDIUM = "web"
ORDERS_A_LIST = 100
SECOND_US = 1_000_000


def ask(since: Instant, page: str, source: Source) -> Ask:
    """The orders that changed at that second or later, oldest change first."""
    at, number = _where(since, page)
    return Ask(
        "wp-json/wc/v3/orders",
        {
            "modified_after": values.iso(at - SECOND_US).removesuffix("Z"),
            "dates_are_gmt": "true",
            "orderby": "modified",
            "order": "asc",
            "status": "any",
            "per_page": str(ORDERS_A_LIST),
            "page": str(number),
        },
    )


def read(answer: Answered, source: Source) -> Page:
    """The events of each order; one that does not fit spoils no other."""
    found = documents.parse(answer.body)
    if not isinstance(found, list):
        raise Unfit("must be a list of orders")
    made = Facts(as_request(answer), source, MEDIUM)
    changed: list[Instant] = [0]

    def events(item: object) -> list[Event]:
        order = documents.fit(item, Order)
        changed.append(moment_of(order.date_modified_gmt) or 0)
        return [orders.placed(made, source, order), *orders.reported(made, source, order)]

    verdict = facts.gather(found, events)
    newest = max(changed)
    return Page(verdict.events, verdict.rejects, newest, _next(answer, newest, len(found)))


def _next(answer: Answered, newest: Instant, orders_there: int) -> str:
    if orders_there < ORDERS_A_LIST:
        return ""
    at, number = _where(answer.since, answer.page)
    return f"{at}/{number + 1}" if newest <= at else f"{newest}/1"


def _where(since: Instant, page: str) -> tuple[Instant, int]:
    at, _, number = page.partition("/")
    return (int(at), int(number)) if page else (since - since % SECOND_US, 1)


def _authorized(token: str) -> Mapping[str, str]:
    return {"Authorization": f"Basic {base64.b64encode(token.encode()).decode()}"}


POLLER = Poller(name="woocommerce_orders", channel="woocommerce", api=Api(_authorized), ask=ask, read=read)
