"""bol's pushes, after its pages on subscriptions. Secrets are public keys; who signs knows the private half."""

import base64
import json
from functools import cache
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from connectors.channels.bol import CHANNEL
from connectors.protocol.channel import Request, Source
from tests.connectors.channels.sampling import Sample, Samples, post, with_headers

PAIRS: dict[str, rsa.RSAPrivateKey] = {}


@cache
def public_key(name: str) -> str:
    pair = rsa.generate_private_key(65_537, 2048)
    told = pair.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    named = base64.b64encode(told).decode()
    PAIRS[named] = pair
    return named


def sign(request: Request, secret: str) -> Request:
    if not secret:
        return request
    signed = PAIRS[secret].sign(request.body, padding.PKCS1v15(), hashes.SHA256())
    told = base64.b64encode(signed).decode()
    return with_headers(request, signature=f'keyId=0, algorithm="rsa-sha256", signature={told}')


def push(resource: str, kind: str, resource_id: Any) -> Request:
    event = {"resource": resource, "type": kind, "resourceId": resource_id}
    told = {"retailerId": 1012345, "timestamp": "2025-11-24T10:00:00+01:00", "event": event}
    return post(json.dumps(told).encode())


SECRET = public_key("bol's")

SAMPLES = Samples(
    CHANNEL,
    Source("bol-nl", (SECRET,), {"returns_to": "haarlem"}, region="NL"),
    SECRET,
    sign,
    (
        Sample("an order", push("ORDER", "ORDER_CREATED", "A2K8290LP8"), fetches=("order",)),
        Sample("a parcel", push("SHIPMENT", "UPDATE_TRANSPORT_EVENT", 541757635), fetches=("shipment",)),
        Sample("a process", push("PROCESS_STATUS", "SUCCESS", "9")),
        Sample("another", push("OFFER", "PRICE", None)),
        Sample("one without an event", post(b'{"retailerId":"1"}'), rejected=1),
        Sample("one that is no JSON", post(b"push"), rejected=1),
    ),
    other=public_key("another's"),
)
