"""What Square signs, and what its numbers mean."""

from dataclasses import replace
from typing import Any

from connectors.channels.square import CHANNEL
from connectors.protocol.channel import Refused
from schemas.events.orders import OrderPaid
from schemas.events.stock import StockLevelReported
from tests.connectors.channels.samples.square import SAMPLES, SECRET, count, paid, sent, sign


def taken(kind: str, about: dict[str, Any]) -> Any:
    return CHANNEL.receive(sign(sent(kind, about), SECRET), SAMPLES.source)


def test_amounts_are_in_the_smallest_unit_of_their_currency() -> None:
    (event,) = taken("payment.updated", {"payment": paid("COMPLETED")}).events
    assert isinstance(event, OrderPaid)
    assert (event.amount, event.currency, event.method) == (199_500, "EUR", "card")


def test_a_payment_that_is_told_twice_is_one_fact() -> None:
    first, again = (
        taken(kind, {"payment": paid("COMPLETED")}).events[0]
        for kind in ("payment.created", "payment.updated")
    )
    assert first.meta.event_id == again.meta.event_id


def test_a_count_is_one_of_a_store_of_ours() -> None:
    (event,) = taken("inventory.count.updated", {"inventory_counts": [count("item-1")]}).events
    assert isinstance(event, StockLevelReported)
    assert (event.sku, event.location_id, event.quantities) == ("dress-36", "dublin", {"available": 53})


def test_the_address_is_signed_too() -> None:
    signed = sign(sent("payment.updated", {"payment": paid("COMPLETED")}), SECRET)
    elsewhere = replace(signed, public_url="https://elsewhere.example/in/square/tills")
    assert isinstance(CHANNEL.receive(elsewhere, SAMPLES.source), Refused)
