"""bol: shipments. The newest are listed first, and each that left since is asked for.

`GET /retailer/shipments` and `GET /retailer/shipments/{shipment-id}`, version 10 of the Retailer API (its OpenAPI
document): of what the retailer sends, then of what bol sends for it. The list goes on as long as its last entry is new.
What happens to a parcel later bol pushes (the channel asks for the shipment again).
"""

from connectors.protocol import documents, facts, values
from connectors.protocol.channel import Source
from connectors.protocol.facts import Facts
from connectors.protocol.poller import Answered, Ask, Page, Poller, as_request
from connectors.vendors.bol import api
from connectors.vendors.bol.orders import ZONE
from connectors.vendors.bol.payload import ListedShipment, Shipment, Shipments
from connectors.vendors.bol.shipments import shipment_events
from schemas.meta import Event, Instant

MEDIUM = "marketplace"
BY_RETAILER, BY_BOL = "FBR", "FBB"


def ask(since: Instant, page: str, source: Source) -> Ask:
    """A list, or one shipment."""
    where = api.asked_list(page)
    if where is None:
        return Ask(f"retailer/shipments/{api.asked_entry(page)}")
    method, number = _where(where)
    return Ask("retailer/shipments", {"fulfilment-method": method, "page": str(number)})


def read(answer: Answered, source: Source) -> Page:
    """What of the list left since, or what the shipment tells. A shipment that is gone tells nothing."""
    where = api.asked_list(answer.page)
    if where is not None:
        return _listed(answer, where)
    page = Page() if answer.status == api.GONE else _shipment(answer, source)
    page.next_page = api.after_entry(answer.page)
    return page


def _shipment(answer: Answered, source: Source) -> Page:
    request = as_request(answer)
    made = Facts(request, source, MEDIUM)

    def events(item: object) -> list[Event]:
        return list(shipment_events(made, documents.fit(item, Shipment)))

    verdict = facts.gather([documents.parse(answer.body)], events)
    return Page(verdict.events, verdict.rejects)


def _listed(answer: Answered, where: str) -> Page:
    found = documents.fit(documents.parse(answer.body), Shipments).shipments
    fresh = [each for each in found if _left_at(each) >= answer.since]
    page = Page(newest=max(map(_left_at, found), default=0))
    goes_on = len(found) >= api.ENTRIES_A_LIST and len(fresh) == len(found)
    page.next_page = api.after_list([each.shipment_id for each in fresh], _next(where, goes_on))
    return page


def _next(where: str, goes_on: bool) -> str:
    method, number = _where(where)
    if goes_on:
        return f"{method}/{number + 1}"
    return f"{BY_BOL}/1" if method == BY_RETAILER else ""


def _where(where: str) -> tuple[str, int]:
    method, _, number = where.partition("/")
    return (method, int(number)) if where else (BY_RETAILER, 1)


def _left_at(listed: ListedShipment) -> Instant:
    return values.moment(listed.shipment_date_time, ZONE)


POLLER = Poller(
    name="bol_shipments",
    channel="bol",
    api=api.API,
    ask=ask,
    read=read,
)
