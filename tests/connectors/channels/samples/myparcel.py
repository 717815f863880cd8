"""MyParcel's hooks, in the form of the tests of its own kit."""

import json
from dataclasses import replace
from typing import Any

from connectors.channels.myparcel import CHANNEL
from connectors.protocol.channel import Request, Source
from tests.connectors.channels.sampling import Sample, Samples, post

SECRET = "5f1d9b9a4f2f4a0c8b7e"
CHANGED = {
    "event": "shipment_status_change",
    "shipment_id": 192031595,
    "account_id": 162450,
    "shop_id": 83287,
    "status": 7,
    "barcode": "3SMYPA123456789",
    "shipment_reference_identifier": "1001",
}


def sign(request: Request, secret: str) -> Request:
    """The secret stands in the address."""
    return replace(request, route=f"/{secret}") if secret else request


def sent(*hooks: Any) -> Request:
    return post(json.dumps({"data": {"hooks": hooks}}).encode(), x_myparcel_hook="shipment_status_change")


SAMPLES = Samples(
    CHANNEL,
    Source("myparcel-nl", (SECRET,)),
    SECRET,
    sign,
    (
        Sample("a status", sent(CHANGED), fetches=["shipment"]),
        Sample("one shipment twice", sent(CHANGED, {**CHANGED, "status": 8}), fetches=["shipment"]),
        Sample("a bad hook beside a good one", sent("?", CHANGED), fetches=["shipment"], rejected=1),
        Sample("of the shop", sent({"event": "shop_updated", "shop_id": 83287})),
        Sample("no hooks", post(b'{"hooks": []}'), rejected=1),
    ),
    covers_body=False,
)
