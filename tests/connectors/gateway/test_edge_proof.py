"""Who may send: every way not to prove it is answered alike, and no secret comes out again anywhere."""

import base64
import hashlib
import hmac
import json
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from connectors.protocol.channel import Request
from schemas.events.ingest import RequestsRefused
from schemas.topics import DEAD_LETTERS, ORDERS, RAW
from tests.connectors.channels.samples import shopify
from tests.connectors.channels.sampling import with_headers
from tests.connectors.gateway.running import (
    NEW_SECRET,
    OLD_SECRET,
    OTHER_SECRET,
    PROOF,
    SECRETS,
    SHOP,
    WRITE_KEY,
    Edge,
    signed,
    spoken,
    status,
    told,
)

pytestmark = pytest.mark.servers


def order() -> dict[str, Any]:
    """An order that nobody has seen."""
    return {**shopify.ORDER, "id": uuid.uuid4().int % 10**15}


def with_signature(document: Any, signature: bytes | str) -> Request:
    text = signature if isinstance(signature, str) else base64.b64encode(signature).decode()
    return with_headers(signed(document), x_shopify_hmac_sha256=text)


def digest(body: bytes, kind: str = "sha256", secret: str = shopify.SECRET) -> bytes:
    return hmac.digest(secret.encode(), body, kind)


def refused(document: Any) -> dict[str, bytes]:
    """Requests that prove nothing, by what they try instead."""
    good = signed(document)
    body, proof = good.body, base64.b64encode(digest(good.body)).decode()
    spaced = json.dumps(document, indent=1).encode()
    return {
        "no signature": spoken("POST", SHOP, body),
        "an empty one": told(with_signature(document, " ")),
        "a wrong one": told(with_signature(document, digest(b"another body"))),
        "one that is cut": told(with_signature(document, proof[:-4])),
        "one of half of its bytes": told(with_signature(document, digest(body)[:16])),
        "one that goes on": told(with_signature(document, proof + proof)),
        "one in hexadecimal": told(with_signature(document, digest(body).hex())),
        "one of another source": told(signed(document, secret=OTHER_SECRET)),
        "one of the body written anew": spoken(
            "POST", SHOP, body.replace(b": ", b":"), X_Shopify_Hmac_Sha256=proof
        ),
        "one of another form of the body": spoken("POST", SHOP, spaced, X_Shopify_Hmac_Sha256=proof),
        "one by SHA-1": told(with_signature(document, digest(body, "sha1"))),
        "one by SHA-512": told(with_signature(document, digest(body, "sha512"))),
        "a hash without a secret": told(with_signature(document, hashlib.sha256(body).digest())),
        "one of an empty secret": told(with_signature(document, hmac.digest(b"", body, "sha256"))),
        "a name of an algorithm": told(with_signature(document, "none")),
        "two, one of them good": told(good).replace(
            b"\r\n\r\n", b"\r\nX-Shopify-Hmac-Sha256: YQ==\r\n\r\n", 1
        ),
        "two that are good": told(good).replace(
            b"\r\n\r\n", b"\r\nX-Shopify-Hmac-Sha256: " + proof.encode() + b"\r\n\r\n", 1
        ),
        "no UTF-8": told(good).replace(proof.encode(), b"\xff\xfe"),
        "a good one of another source's": told(good, "/in/shopify/shop-be"),
        "a good one of no source": told(good, "/in/shopify/nobody"),
        "a good one of another channel's": told(good, "/in/woocommerce/shop-nl"),
        "none, of no source": spoken("POST", "/in/shopify/nobody", body),
    }


def seen_of(answer: bytes) -> bytes:
    """The answer without what differs from one to the next whatever it says."""
    return b"\r\n".join(
        line for line in answer.split(b"\r\n") if not line.lower().startswith((b"x-request-id:", b"date:"))
    )


def test_whoever_proves_nothing_sees_one_and_the_same_answer(edge: Edge) -> None:
    document = order()
    answers = {name: edge.gateway.say(raw) for name, raw in refused(document).items()}
    limited = {name for name, answer in answers.items() if b"Retry-After" in answer}
    assert {name: status(answer) for name, answer in answers.items()} == dict.fromkeys(answers, 401)
    assert len({seen_of(answer) for name, answer in answers.items() if name not in limited}) == 1
    assert status(edge.gateway.say(told(signed(document)))) == 200
    assert [each.order_id for each in edge.ground.events(ORDERS)].count(str(document["id"])) == 1


def test_a_key_that_nobody_has_is_refused_whatever_it_is(edge: Edge) -> None:
    call = b'{"batch":[{"type":"page","anonymousId":"a"}]}'
    for key in (
        "",
        "wk",
        WRITE_KEY.upper(),
        WRITE_KEY + "%00",
        WRITE_KEY + "%20",
        f"{WRITE_KEY}&writeKey=other",
    ):
        answer = edge.gateway.say(spoken("POST", f"/v1/batch?writeKey={key}", call))
        assert (status(answer), b"unknown write key" in answer) == (401, True), key


@pytest.mark.parametrize(
    ("source", "secret", "expected"),
    [
        ("shop-in-rotation", NEW_SECRET, 200),
        ("shop-in-rotation", OLD_SECRET, 200),
        ("shop-after-rotation", NEW_SECRET, 200),
        ("shop-after-rotation", OLD_SECRET, 401),
    ],
)
def test_an_old_secret_holds_only_as_long_as_it_is_configured(
    edge: Edge, source: str, secret: str, expected: int
) -> None:
    assert status(edge.gateway.say(told(signed(order(), secret=secret), f"/in/shopify/{source}"))) == expected


def test_ten_at_once_and_one_later_are_successes_and_one_fact(edge: Edge) -> None:
    document = order()
    raw = told(signed(document))
    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(edge.gateway.say, [raw] * 10))
    assert [status(answer) for answer in [*answers, edge.gateway.say(raw)]] == [200] * 11
    kept = [each for each in edge.ground.events(ORDERS) if each.order_id == str(document["id"])]
    assert (len(kept), len({each.meta.event_id for each in kept})) == (11, 1)


SENT = tuple(f"sent-{number}-{uuid.uuid4().hex}" for number in range(9))
PLANTED = (*SECRETS.values(), *SENT)
"""What the gateway knows, and what senders put where secrets are put."""


def planted() -> list[bytes]:
    """Good requests and bad ones."""
    bearer, key, cookie, token, access, signature, api_key, password, name = SENT
    tokens = {"Authorization": f"Bearer {bearer}", "X_Api_Key": key, "Cookie": f"session={cookie}"}
    query = f"?token={token}&access_token={access}&signature={signature}&api_key={api_key}"
    carrier, service = f"/in/myparcel/carrier/{SECRETS['CARRIER']}", f"Bearer {SECRETS['SERVICE']}"
    proof = {PROOF: hmac.digest(SECRETS["REVIEWS"].encode(), b"{}", "sha256").hex()}
    known = {**tokens, **{name: values[0] for name, values in signed(order()).headers.items()}}
    api = {"Content_Type": "application/json", **tokens}
    structured = {"Content_Type": "application/cloudevents+json"}
    return [
        told(with_headers(signed(order()), **tokens), SHOP + query),
        told(signed({"id": 1, "password": password}), SHOP + query),
        spoken("POST", SHOP + query, b"{}", **known),
        spoken("POST", carrier + query, b'{"data":{}}', **tokens),
        spoken("POST", carrier[:-1], b"{}"),
        spoken("POST", "/in/cloudevents/service", b'{"id":1}', Authorization=service, **structured),
        spoken("POST", "/in/cloudevents/service", b"{", Authorization=service + "x"),
        spoken("POST", "/in/json_mapped/reviews", b"{}", **proof),
        spoken(
            "POST", f"/v1/batch?writeKey={WRITE_KEY}&token={token}", b'{"batch":[{"type":"x"}]}', **tokens
        ),
        spoken("POST", f"/v1/events{query}", json.dumps({"type": name, name: name}).encode(), **api),
        spoken("POST", f"/v1/events{query}", name.encode(), Content_Type=name, Content_Encoding=name),
        spoken("GET", f"/{name}{query}", **tokens),
        f"GET /{name} HTTP/1.1\r\nAuthorization : {bearer}\r\n\r\n".encode(),
        f"{name} {name} {name}\r\n\r\n".encode(),
    ]


def test_no_secret_comes_out_again(edge: Edge) -> None:
    """In the answers, the log, the metrics, the dead letters' words, and what is kept of a request but its body."""
    answers = [edge.gateway.say(raw) for raw in planted()]
    requests, letters = edge.ground.requests(), edge.ground.events(DEAD_LETTERS)
    refusals = [each for each in edge.ground.events(RAW) if isinstance(each, RequestsRefused)]
    places = {
        "answers": b"".join(answers),
        "log": b"".join(edge.gateway.lines + edge.gateway.words),
        "metrics": edge.gateway.metrics().encode(),
        "dead letters": b"".join(letter.detail.encode() for letter in letters),
        "refusals": repr(refusals).encode(),
        "requests": b"".join(f"{each.route} {each.headers} {each.meta}".encode() for each in requests),
    }
    assert {status(answer) for answer in answers} == {200, 202, 400, 401, 404, 415, 422}
    assert {"shopify", "myparcel", "cloudevents", "json_mapped"} <= {each.meta.channel for each in requests}
    assert letters
    assert [
        (place, each) for place, said in places.items() for each in PLANTED if each.encode() in said
    ] == []
