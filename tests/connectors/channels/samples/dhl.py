"""DHL's pushes, in the form of its documentation: one division with an offset in its times, one without."""

import json
from typing import Any

from connectors.channels.dhl import CHANNEL
from connectors.protocol.channel import Request, Source
from tests.connectors.channels.sampling import Sample, Samples, post, with_headers

SECRET = "example-token-123"
TOLD = "ParcelStatusReported"


def status(at: str, code: str, **more: Any) -> dict[str, Any]:
    return {
        "timestamp": at,
        "statusCode": code,
        "location": {"address": {"addressLocality": "Utrecht"}},
        **more,
    }


TRANSIT = status("2025-11-24T08:00:00", "transit")
DELIVERED = status("2025-11-24T12:30:00+01:00", "delivered")


def sign(request: Request, secret: str) -> Request:
    return with_headers(request, x_dhl_token=secret) if secret else request


def sent(*shipments: Any) -> Request:
    return post(json.dumps({"shipments": shipments}).encode())


def shipment(*events: Any, **more: Any) -> dict[str, Any]:
    return {"id": "JVGL0612", "service": "parcel-nl", "events": events, **more}


SAMPLES = Samples(
    CHANNEL,
    Source("dhl-nl", (SECRET,), {"header": "X-DHL-Token"}, zone="Europe/Amsterdam"),
    SECRET,
    sign,
    (
        Sample("a history", sent(shipment(DELIVERED, TRANSIT, status=DELIVERED)), (TOLD, TOLD)),
        Sample("a status alone", sent(shipment(status=status("2025-11-24T12:30:00Z", "failure"))), (TOLD,)),
        Sample("a code that nobody knows", sent(shipment(status("2025-11-24T12:30:00Z", "lost"))), (TOLD,)),
        Sample("one parcel twice", sent(shipment(TRANSIT), shipment(TRANSIT)), (TOLD,)),
        Sample(
            "a bad one beside a good one",
            sent({"id": "2", "status": {"timestamp": "yesterday"}}, shipment(TRANSIT)),
            (TOLD,),
            rejected=1,
        ),
        Sample("no shipments", post(b"{}")),
        Sample("shipments that are none", post(b'{"shipments": 1}'), rejected=1),
    ),
    covers_body=False,
)
