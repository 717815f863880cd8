"""What Lightspeed X-Series's amounts and times become."""

from connectors.channels.lightspeed_x import receive
from connectors.protocol import values
from connectors.protocol.channel import Verdict
from schemas.events.orders import ReturnedInStore, SoldInStore
from tests.connectors.channels.samples.lightspeed_x import SAMPLES, SECRET, item, sale, sent, sign


def test_an_exchange_is_a_sale_and_a_return_with_tax_and_positive_amounts() -> None:
    request = sign(sent("sale.update", sale("CLOSED", item("l1", 2), item("l2", -1))), SECRET)
    found = receive(request, SAMPLES.source)
    assert isinstance(found, Verdict)
    sold, back = found.events
    assert isinstance(sold, SoldInStore)
    assert isinstance(back, ReturnedInStore)
    assert (sold.totals.total, sold.totals.tax) == (200_001, 26_087)
    assert (back.lines[0].quantity, back.lines[0].total, back.tenders) == (1, 100_000, [])
    assert (sold.store_id, sold.business_date) == ("utrecht", values.day("2025-11-25"))
