"""bol: orders that changed. A day's orders are listed, and each that changed since is asked for.

`GET /retailer/orders?latest-change-date=` and `GET /retailer/orders/{order-id}`, version 10 of the Retailer API (its
OpenAPI document). A day is over once the clock of the answer is past it; bol keeps three months of them.
"""

from connectors.protocol import documents, facts, values
from connectors.protocol.channel import Source
from connectors.protocol.facts import Facts
from connectors.protocol.poller import Answered, Ask, Page, Poller, as_request
from connectors.vendors.bol import api
from connectors.vendors.bol.orders import ZONE, changed_at, order_events
from connectors.vendors.bol.payload import ListedOrder, Order, Orders
from schemas.meta import Day, Event, Instant

MEDIUM = "marketplace"


def ask(since: Instant, page: str, source: Source) -> Ask:
    """The list of a day, or one order."""
    where = api.asked_list(page)
    if where is None:
        return Ask(f"retailer/orders/{api.asked_entry(page)}")
    day, number = _where(since, where)
    query = {"status": "ALL", "fulfilment-method": "ALL", "page": str(number)}
    return Ask("retailer/orders", {**query, "latest-change-date": values.date_text(day)})


def read(answer: Answered, source: Source) -> Page:
    """What of the day changed since, or what the order tells. An order that is gone tells nothing."""
    where = api.asked_list(answer.page)
    if where is not None:
        return _listed(answer, where)
    page = _order(answer, source)
    page.next_page = api.after_entry(answer.page)
    return _ended(page, answer)


def _order(answer: Answered, source: Source) -> Page:
    if answer.status == api.GONE:
        return Page()
    newest: list[Instant] = [0]

    def events(item: object) -> list[Event]:
        order = documents.fit(item, Order)
        newest.append(changed_at(order))
        return list(order_events(Facts(request, source, MEDIUM), source, order))

    request = as_request(answer)
    verdict = facts.gather([documents.parse(answer.body)], events)
    return Page(verdict.events, verdict.rejects, max(newest))


def _listed(answer: Answered, where: str) -> Page:
    found = documents.fit(documents.parse(answer.body), Orders).orders
    day, number = _where(answer.since, where)
    changed = [each.order_id for each in found if _changed_at(each) >= answer.since]
    page = Page(newest=max(map(_changed_at, found), default=0))
    page.next_page = api.after_list(changed, _next(answer, day, number, len(found)))
    return _ended(page, answer)


def _next(answer: Answered, day: Day, number: int, entries: int) -> str:
    if entries >= api.ENTRIES_A_LIST:
        return f"{day}/{number + 1}"
    return f"{day + 1}/1" if day < _today(answer) else ""


def _ended(page: Page, answer: Answered) -> Page:
    """At the end of a sweep all is known of the days before today, even where nothing happened on them."""
    if not page.next_page:
        page.newest = max(page.newest, values.moment(values.date_text(_today(answer)), ZONE))
    return page


def _where(since: Instant, where: str) -> tuple[Day, int]:
    day, _, number = where.partition("/")
    return (int(day), int(number)) if where else (values.local_day(since, ZONE), 1)


def _today(answer: Answered) -> Day:
    return values.local_day(answer.received_at, ZONE)


def _changed_at(listed: ListedOrder) -> Instant:
    told = (values.moment(item.latest_changed_date_time, ZONE) for item in listed.order_items)
    return max(told, default=0)


POLLER = Poller(
    name="bol_orders",
    channel="bol",
    api=api.API,
    ask=ask,
    read=read,
)
