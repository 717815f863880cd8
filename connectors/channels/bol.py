"""bol: what its Retailer API pushes, which only says what changed: that is then asked for.

| resource | what is asked for |
| --- | --- |
| ORDER (ORDER_CREATED, ORDER_ITEM_CANCELLATION_REQUEST) | the order |
| SHIPMENT (UPDATE_TRANSPORT_EVENT) | the shipment |
| PROCESS_STATUS and others | nothing |

Orders, shipments and returns themselves come by the pollers `bol_orders`, `bol_shipments` and `bol_returns`.

Signature: `Signature: keyId=0, algorithm="rsa-sha256", signature=<base64>`, RSA PKCS #1 v1.5 with SHA-256 of the body.
A source's secrets are the keys of `GET /retailer/subscriptions/signature-keys` (base64 of DER), which asks for a token:
several while bol replaces one (Retailer API, "Subscriptions").
"""

from connectors.protocol import documents, facts, signatures
from connectors.protocol.channel import (
    Channel,
    Evidence,
    Fetch,
    Option,
    Outcome,
    Refused,
    Request,
    Source,
    Verdict,
)
from connectors.protocol.documents import NotReadable, Unfit
from connectors.vendors.bol.payload import Push
from connectors.vendors.bol.returns import RETURNS_TO

MEDIUM = "marketplace"
ALGORITHM = "rsa-sha256"
ASKED = {"ORDER": "order", "SHIPMENT": "shipment"}


def receive(request: Request, source: Source) -> Outcome:
    """A resource that is not in the table asks for nothing: the request is kept as it came."""
    signature = _signature(request.header("signature") or "")
    keys = [signatures.from_base64(secret) for secret in source.secrets]
    fits = [signatures.rsa_sha256(key, request.body, signature) for key in keys]
    if not any(fits):
        return Refused("the signature does not fit")
    try:
        event = documents.read(request.body, Push).event
    except (NotReadable, Unfit) as error:
        return facts.put_aside(request.body, error)
    asked = ASKED.get(event.resource)
    if asked is None or event.resource_id is None:
        return Verdict()
    return Verdict(fetches=[Fetch(asked, str(event.resource_id))])


def _signature(header: str) -> str | None:
    """What stands behind `signature=`; None where the algorithm is another."""
    told = dict(part.strip().partition("=")[::2] for part in header.split(","))
    parts = {name: value.strip('"') for name, value in told.items()}
    return parts.get("signature") if parts.get("algorithm") == ALGORITHM else None


CHANNEL = Channel(
    name="bol",
    title="bol",
    medium=MEDIUM,
    receive=receive,
    proof="signature",
    evidence=Evidence(
        "documented",
        "documented",
        "bol's Retailer API v10: its OpenAPI document and its pages on subscriptions",
    ),
    options=(Option(RETURNS_TO, "which store or warehouse of ours returns come to; else the source's name"),),
)
