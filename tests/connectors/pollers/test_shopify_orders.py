"""A poll and the webhooks tell the same facts by the same ids."""

import json

from connectors.channels.shopify import CHANNEL
from connectors.pollers.shopify_orders import POLLER
from connectors.protocol.channel import Verdict
from connectors.protocol.poller import Answered
from tests.connectors.channels.samples.shopify import ORDER, REFUND, SAMPLES, SECRET, SHIPMENT, sent, sign

CANCELLED = {
    **ORDER,
    "cancelled_at": "2025-11-24T12:00:00+01:00",
    "cancel_reason": "customer",
    "refunds": [REFUND],
    "fulfillments": [{**SHIPMENT, "shipment_status": "delivered"}],
}


def pushed(topic: str, document: object) -> set[str]:
    found = CHANNEL.receive(sign(sent(topic, document), SECRET), SAMPLES.source)
    assert isinstance(found, Verdict)
    return {each.meta.event_id for each in found.events}


def test_a_poll_gives_the_ids_of_the_webhooks() -> None:
    body = json.dumps({"orders": [CANCELLED]}).encode()
    page = POLLER.read(Answered(body, {}, 1_764_000_000_000_000), SAMPLES.source)
    assert page.rejects == []
    assert {each.meta.event_id for each in page.events} == (
        pushed("orders/create", ORDER)
        | pushed("orders/cancelled", CANCELLED)
        | pushed("refunds/create", REFUND)
        | pushed("fulfillments/update", {**SHIPMENT, "shipment_status": "delivered"})
    )


def test_the_next_page_is_what_the_header_names() -> None:
    link = (
        '<https://a.example/x?page_info=back>; rel="previous", <https://a.example/x?page_info=on>; rel="next"'
    )
    page = POLLER.read(Answered(b'{"orders": []}', {"link": link}, 1), SAMPLES.source)
    assert (page.next_page, page.newest) == ("on", 0)
    assert POLLER.ask(0, "on", SAMPLES.source).query == {"limit": "250", "page_info": "on"}
