"""EPCIS documents in the forms of the standard: JSON, XML of both versions, words bare and as URNs."""

import json
from typing import Any

from connectors.channels.epcis import CHANNEL
from connectors.protocol.channel import Request, Source
from tests.connectors.channels.sampling import Sample, Samples, post, with_headers

SECRET = "capture token"
EPC = "urn:epc:id:sgtin:4012345.011111.98765"
LINK = "https://id.gs1.org/01/09506000134352/21/12345"
EVENT: dict[str, Any] = {
    "type": "ObjectEvent",
    "eventID": "ni:///sha-256;87b5f18a69993f0052046d4687dfacdf48f7c988cfabda2819688c86b4066a49?ver=CBV2.0",
    "eventTime": "2025-11-24T11:00:00.000+01:00",
    "eventTimeZoneOffset": "+01:00",
    "action": "OBSERVE",
    "bizStep": "receiving",
    "disposition": "in_progress",
    "epcList": [EPC, "urn:epc:id:sgtin:4012345.011111.98766", LINK],
    "bizLocation": {"id": "urn:epc:id:sgln:4012345.00001.0"},
    "bizTransactionList": [{"type": "desadv", "bizTransaction": "urn:epcglobal:cbv:bt:4012345000003:D1"}],
}
XML = """<?xml version="1.0" encoding="UTF-8"?>
<epcis:EPCISDocument xmlns:epcis="urn:epcglobal:epcis:xsd:1" schemaVersion="1.2"><EPCISBody><EventList><ObjectEvent>
<eventTime>2025-11-24T10:00:00Z</eventTime><eventTimeZoneOffset>+01:00</eventTimeZoneOffset>
<baseExtension><eventID>urn:uuid:1</eventID></baseExtension>
<epcList><epc>urn:epc:id:sgtin:4012345.011111.98765</epc></epcList><action>OBSERVE</action>
<bizStep>urn:epcglobal:cbv:bizstep:shipping</bizStep><disposition>urn:epcglobal:cbv:disp:in_transit</disposition>
<readPoint><id>urn:epc:id:sgln:4012345.00001.0</id></readPoint>
<extension><quantityList><quantityElement><epcClass>urn:epc:class:lgtin:4012345.022222.L1</epcClass>
<quantity>2.5</quantity><uom>KGM</uom></quantityElement></quantityList></extension>
</ObjectEvent></EventList></EPCISBody></epcis:EPCISDocument>"""


def sign(request: Request, secret: str) -> Request:
    return with_headers(request, authorization=f"Bearer {secret}") if secret else request


def event(**changes: Any) -> dict[str, Any]:
    return {**EVENT, **changes}


def sent(document: Any) -> Request:
    return post(json.dumps(document).encode())


def document(*events: Any) -> dict[str, Any]:
    return {"type": "EPCISDocument", "schemaVersion": "2.0", "epcisBody": {"eventList": events}}


QUERY = {"type": "EPCISQueryDocument", "epcisBody": {"queryResults": {"resultsBody": {"eventList": [EVENT]}}}}
TWO = ("StockReceived", "StockReceived")
CORRECTED = ("StockFactCorrected", "StockFactCorrected")
SAMPLES = Samples(
    CHANNEL,
    Source("dc", (SECRET,), {"locations": {"urn:epc:id:sgln:4012345.00001.0": "utrecht"}}),
    SECRET,
    sign,
    (
        Sample("received", sent(document(EVENT)), TWO),
        Sample("an answer to a query", sent(QUERY), TWO),
        Sample("a bare event", sent(EVENT), TWO),
        Sample("bare events, one told twice", sent([EVENT, EVENT]), TWO),
        Sample("without an eventID", sent(event(eventID=None)), TWO),
        Sample(
            "sold", sent(event(bizStep="https://ref.gs1.org/cbv/BizStep-retail_selling")), ("StockSold",) * 2
        ),
        Sample("inspected", sent(event(bizStep="inspecting")), ("StockInspected",) * 2),
        Sample("held", sent(event(bizStep="holding")), ("StockMoved",) * 2),
        Sample("an error", sent(event(errorDeclaration={"reason": "incorrect_data"})), CORRECTED),
        Sample("XML 1.2", post(XML.encode()), ("StockShipped", "StockShipped")),
        Sample("another step", sent(event(bizStep="commissioning"))),
        Sample("an aggregation", sent(event(type="AggregationEvent"))),
        Sample(
            "a bad event beside a good one", sent(document(event(eventTime="now"), EVENT)), TWO, rejected=1
        ),
        Sample(
            "a quantity without end",
            sent(event(quantityList=[{"epcClass": LINK, "quantity": "1E999999", "uom": "KGM"}])),
            rejected=1,
        ),
        Sample("no place", sent(event(bizLocation=None)), rejected=1),
        Sample("a DOCTYPE", post(b"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>"), is_answered=True),
    ),
    covers_body=False,
)
