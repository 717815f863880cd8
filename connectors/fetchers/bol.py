"""bol: an order or a shipment that it pushed a word about (`GET /retailer/orders/{id}`, `/retailer/shipments/{id}`)."""

from connectors.protocol import documents, facts
from connectors.protocol.channel import Source
from connectors.protocol.facts import Facts
from connectors.protocol.fetcher import Fetcher
from connectors.protocol.poller import Answered, Ask, Page, as_request
from connectors.vendors.bol import api
from connectors.vendors.bol.orders import order_events
from connectors.vendors.bol.payload import Order, Shipment
from connectors.vendors.bol.shipments import shipment_events

MEDIUM = "marketplace"


def _ask_order(order_id: str, _: str, __: Source) -> Ask:
    return Ask(f"retailer/orders/{order_id}")


def _order(answer: Answered, _: str, source: Source) -> Page:
    made = Facts(as_request(answer), source, MEDIUM)
    if answer.status == api.GONE:
        return Page()
    verdict = facts.gather(
        [documents.parse(answer.body)],
        lambda found: order_events(made, source, documents.fit(found, Order)),
    )
    return Page(verdict.events, verdict.rejects)


def _ask_shipment(shipment_id: str, _: str, __: Source) -> Ask:
    return Ask(f"retailer/shipments/{shipment_id}")


def _shipment(answer: Answered, _: str, source: Source) -> Page:
    made = Facts(as_request(answer), source, MEDIUM)
    if answer.status == api.GONE:
        return Page()
    verdict = facts.gather(
        [documents.parse(answer.body)], lambda found: shipment_events(made, documents.fit(found, Shipment))
    )
    return Page(verdict.events, verdict.rejects)


FETCHERS = (
    Fetcher("bol", "order", api.API, _ask_order, _order),
    Fetcher("bol", "shipment", api.API, _ask_shipment, _shipment),
)
