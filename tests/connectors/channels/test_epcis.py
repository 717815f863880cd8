"""EPCIS: products, quantities, and which fact an error takes back."""

from typing import cast

import pytest

from connectors.channels.epcis import receive
from connectors.protocol import values
from connectors.protocol.channel import Malformed, Verdict
from connectors.vendors.epcis.gtins import gtin_of
from schemas.events.stock import StockFactCorrected, StockReceived, StockShipped
from tests.connectors.channels.samples.epcis import EVENT, SAMPLES, SECRET, XML, event, sent, sign
from tests.connectors.channels.sampling import post


@pytest.mark.parametrize(
    ("epc", "gtin"),
    [
        ("urn:epc:id:sgtin:0614141.112345.400", "10614141123459"),  # GS1 Tag Data Standard, its own example
        ("urn:epc:id:sgtin:4012345.011111.98765", "4012345111118"),
        ("urn:epc:class:lgtin:4012345.012345.998877", "4012345123456"),
        ("https://id.gs1.org/01/09506000134352/10/ABC/21/1", "9506000134352"),
        ("https://shop.example/p/01/9506000134352?x=1", "9506000134352"),
        ("urn:epc:id:sscc:4012345.1234567890", None),
    ],
)
def test_the_product_of_an_epc(epc: str, gtin: str | None) -> None:
    assert gtin_of(epc) == gtin


def test_units_are_counted_by_product() -> None:
    found = cast(Verdict, receive(sign(sent(EVENT), SECRET), SAMPLES.source))
    events = cast(list[StockReceived], found.events)
    assert [(each.sku, each.quantity, each.location_id) for each in events] == [
        ("4012345111118", 2, "utrecht"),
        ("9506000134352", 1, "utrecht"),
    ]
    assert events[0].meta.occurred_at == values.moment("2025-11-24T10:00:00Z")


def test_kilograms_become_grams() -> None:
    found = cast(Verdict, receive(sign(post(XML.encode()), SECRET), SAMPLES.source))
    events = cast(list[StockShipped], found.events)
    assert [(each.quantity, each.unit) for each in events] == [(1, "piece"), (2500, "g")]


def test_an_error_takes_back_the_facts_that_the_event_gave() -> None:
    given = cast(Verdict, receive(sign(sent(EVENT), SECRET), SAMPLES.source)).events
    wrong = sent(event(errorDeclaration={"reason": "incorrect_data"}))
    taken = cast(list[StockFactCorrected], cast(Verdict, receive(sign(wrong, SECRET), SAMPLES.source)).events)
    assert [each.corrects_event_id for each in taken] == [each.meta.event_id for each in given]
    assert {each.quantity for each in taken} == {0}


def test_a_doctype_is_refused_in_every_encoding() -> None:
    text = "<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>"
    for body in (text.encode(), text.lower().encode(), text.encode("utf-16"), b" \n" + text.encode()):
        assert isinstance(receive(sign(post(body), SECRET), SAMPLES.source), Malformed)
