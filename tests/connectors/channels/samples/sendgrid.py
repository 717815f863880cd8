"""SendGrid's events, after those that django-anymail's tests keep and its documentation shows.

A secret of these tests is the seed of a key pair: the sender has its private half, the source knows the public one.
"""

import base64
import hashlib
import json
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from connectors.channels.sendgrid import CHANNEL
from connectors.protocol.channel import Request, Source
from tests.connectors.channels.sampling import Sample, Samples, post, with_headers

SEEDS: dict[str, str] = {}
"""Of each public key the seed of its pair."""
TIMESTAMP = "1763978400"


def private_key(seed: str) -> ec.EllipticCurvePrivateKey:
    return ec.derive_private_key(int.from_bytes(hashlib.sha256(seed.encode()).digest()) >> 1, ec.SECP256R1())


def public_key(seed: str) -> str:
    told = private_key(seed).public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    named = base64.b64encode(told).decode()
    SEEDS[named] = seed
    return named


def sign(request: Request, secret: str) -> Request:
    if not secret:
        return request
    signed = private_key(SEEDS.get(secret, secret)).sign(
        TIMESTAMP.encode() + request.body, ec.ECDSA(hashes.SHA256())
    )
    return with_headers(
        request,
        x_twilio_email_event_webhook_signature=base64.b64encode(signed).decode(),
        x_twilio_email_event_webhook_timestamp=TIMESTAMP,
    )


def event(kind: str, **more: Any) -> dict[str, Any]:
    return {
        "email": "Sam@Example.com",
        "timestamp": 1763978392,
        "smtp-id": "<14c5d75ce93.dfd.64b469@ismtpd-555>",
        "sg_event_id": f"ZHJvcC0xMDk5NDkxOS1{kind}",
        "sg_message_id": "LRzXl_NHStOGhQ4kofSm_A.filterdrecv-p3mdw1-756b745b58-kmzbl-18-5F5FC76C-9.0",
        "event": kind,
        "category": ["back in stock", "dresses"],
        **more,
    }


def sent(*events: Any) -> Request:
    return post(json.dumps(events, separators=(",", ":")).encode() + b"\r\n")


def sample(kind: str, *gives: str, **more: Any) -> Sample:
    named = more.pop("name", kind)
    return Sample(named, sent(event(kind, **more)), gives or ("MessageStatusReported",))


BOTH = ("MessageStatusReported", "ConsentChanged")

SECRET = public_key("the seed of a key pair")

SAMPLES = Samples(
    CHANNEL,
    Source("mail", (SECRET,), {"groups": {"12": "newsletter"}}),
    SECRET,
    sign,
    (
        sample("processed"),
        sample("deferred", response="400 try again later", attempt="5"),
        sample("delivered", response="250 OK", ip="168.1.1.1", tls=1),
        sample("open", useragent="Mozilla/5.0", ip="255.255.255.255", sg_machine_open=True),
        sample("click", url="https://shop.example/dresses", url_offset={"index": 0, "type": "html"}),
        sample("bounce", reason="550 5.1.1 no such user", status="5.1.1", type="bounce"),
        sample("bounce", name="blocked", reason="554 rejected", status="5.7.1", type="blocked"),
        sample("dropped", reason="Bounced Address", status="5.0.0"),
        sample("spamreport", *BOTH, category="only one"),
        sample("unsubscribe", *BOTH),
        sample("group_unsubscribe", *BOTH, asm_group_id=12),
        sample("group_resubscribe", *BOTH, asm_group_id=10),
        sample("teleported", name="a new word"),
        Sample(
            "an account",
            sent(
                {
                    "event": "account_status_change",
                    "sg_event_id": "MjEzNTg5OTcyOC10ZXJtaW5hdGUtMTcwNTg1MTgzMQ",
                    "timestamp": 1763978392,
                    "type": "terminate",
                }
            ),
        ),
        Sample(
            "a bad one among good ones",
            sent(event("delivered"), {"event": "open"}, "no event", event("open")),
            ("MessageStatusReported", "MessageStatusReported"),
            rejected=2,
        ),
        Sample("one that is no list", post(b"{}"), rejected=1),
        Sample("one that is no JSON", post(b"events"), rejected=1),
    ),
    other=public_key("the seed of another pair"),
)
