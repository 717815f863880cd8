"""CloudEvents: how its senders are known, and what their events say."""

import base64
import json
import time
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from standardwebhooks import Webhook

from connectors.channels.cloudevents import receive
from connectors.protocol.channel import Refused, Request, Source, Verdict
from schemas.events.activity import CustomActivityRecorded, StoreVisited
from schemas.events.orders import SoldInStore
from schemas.meta import Event, Identifier
from tests.connectors.channels.samples.cloudevents import SAMPLES, SECRET, SOLD, event, sent, sign
from tests.connectors.channels.sampling import RECEIVED_AT, post, with_headers

VECTOR = {
    "secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    "id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
    "timestamp": "1614265330",
    "body": '{"test": 2432232314}',
    "signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
}
"""Of standard-webhooks/standard-webhooks, libraries' tests ("sign function works")."""
MINUTE_US = 60_000_000


def one(request: Request, **source: Any) -> Event:
    found = receive(sign(request, SECRET), replace(SAMPLES.source, **source))
    assert isinstance(found, Verdict), found
    (only,) = found.events
    return only


def webhook(
    secret: str = VECTOR["secret"], at: int = int(VECTOR["timestamp"]), **headers: str
) -> tuple[Request, Source]:
    told = {
        "webhook_id": VECTOR["id"],
        "webhook_timestamp": VECTOR["timestamp"],
        "webhook_signature": VECTOR["signature"],
        **headers,
    }
    request = post(
        VECTOR["body"].encode(),
        at=at * 1_000_000,
        ce_specversion="1.0",
        ce_id="1",
        ce_source="/s",
        ce_type="t",
    )
    return with_headers(request, content_type="application/json", **told), Source("svc", (secret,))


def is_taken(asked: tuple[Request, Source]) -> bool:
    return isinstance(receive(*asked), Verdict)


def test_the_vector_of_standard_webhooks() -> None:
    assert is_taken(webhook())
    assert is_taken(webhook(webhook_signature="v1,bm9wZQ== " + VECTOR["signature"] + " v1a,x"))
    assert is_taken(webhook(at=int(VECTOR["timestamp"]) + 300))
    assert is_taken(webhook(at=int(VECTOR["timestamp"]) - 300))


@pytest.mark.parametrize(
    "headers",
    [
        {"webhook_id": "msg_other"}, {"webhook_id": ""}, {"webhook_timestamp": "1614265331"}, {"webhook_timestamp": ""},
        {"webhook_timestamp": "1614265330.0"}, {"webhook_timestamp": "١"}, {"webhook_signature": ""},
        {"webhook_signature": VECTOR["signature"].removeprefix("v1,")}, {"webhook_signature": "v1,"},
        {"webhook_signature": VECTOR["signature"][:-4]}, {"webhook_signature": "v2" + VECTOR["signature"][2:]},
    ],
)  # fmt: skip
def test_a_changed_signature_is_refused(headers: dict[str, str]) -> None:
    request, source = webhook()
    assert not is_taken((with_headers(request, **headers), source))


@pytest.mark.parametrize("late_s", [301, -301, 86_400])
def test_an_old_delivery_is_refused(late_s: int) -> None:
    assert not is_taken(webhook(at=int(VECTOR["timestamp"]) + late_s))


def test_a_changed_body_another_secret_and_none_are_refused() -> None:
    request, source = webhook()
    assert not is_taken((replace(request, body=request.body + b" "), source))
    for secrets in (
        (),
        ("whsec_bm9wZQ==",),
        ("whsec_",),
        ("whsec_§",),
        (VECTOR["secret"].removeprefix("whsec_"),),
    ):
        assert not is_taken((request, Source("svc", secrets)))
    assert is_taken((request, Source("svc", ("whsec_bm9wZQ==", VECTOR["secret"]))))


def test_what_its_own_library_signs_is_taken() -> None:
    secret = "whsec_" + base64.b64encode(b"a key of twenty-four byt").decode()
    now, body = int(time.time()), json.dumps(event("t", {"é": 1})).encode()
    signature = Webhook(secret).sign("msg_1", datetime.fromtimestamp(now, UTC), body.decode())
    request = post(
        body,
        at=now * 1_000_000,
        content_type="application/cloudevents+json",
        webhook_id="msg_1",
        webhook_timestamp=str(now),
        webhook_signature=signature,
    )
    assert is_taken((request, Source("svc", (secret,))))


def test_a_signing_secret_is_no_token_and_a_token_does_not_mend_a_signature() -> None:
    request = sent(event("t", {}))
    source = Source("svc", (VECTOR["secret"], SECRET))
    assert isinstance(receive(sign(request, VECTOR["secret"]), source), Refused)
    assert isinstance(receive(sign(request, SECRET), source), Verdict)
    forged = with_headers(sign(request, SECRET), webhook_signature="v1,bm9wZQ==")
    assert isinstance(receive(forged, source), Refused)
    assert isinstance(receive(with_headers(request, authorization=SECRET), source), Refused)


def test_an_event_of_ours_says_what_its_schema_asks() -> None:
    sold = one(sent(event("vaart.SoldInStore", SOLD)))
    assert isinstance(sold, SoldInStore)
    assert (sold.totals.total, sold.lines[0].unit_price, sold.lines[0].total) == (
        1_999_500,
        1_999_500,
        1_999_500,
    )
    assert sold.business_date == 20_417
    assert sold.meta.occurred_at == RECEIVED_AT - 29 * MINUTE_US + 123_456
    assert (sold.meta.channel, sold.meta.source_event_id) == ("store", "A234-1234-1234")
    assert sold.meta.identifiers == [Identifier("loyalty_card", "1234")]
    assert sold.meta.context == {"event_source": "/tills/haarlem", "till": "3"}


def test_an_event_is_known_by_its_source_and_id() -> None:
    ids = {
        one(sent(event("t", {"n": n}, source=source, id=named))).meta.event_id
        for n in (1, 2)
        for source, named in (("a", "1"), ("a", "2"), ("b", "1"))
    }
    assert len(ids) == 3


def test_a_subject_is_whom_the_source_says() -> None:
    request = sent(event("com.example.opened", {"chart": 1.50}, subject="97980"))
    opened = one(request)
    assert isinstance(opened, CustomActivityRecorded)
    assert (opened.name, opened.properties_json) == ("com.example.opened", '{"chart":1.5}')
    assert opened.meta.identifiers == [Identifier("customer_id", "tills:97980")]
    assert one(request, options={}).meta.identifiers == []
    assert one(request, options={}).meta.channel == "other"


def test_headers_are_percent_encoded() -> None:
    sample = next(each for each in SAMPLES.samples if each.name == "in headers")
    visited = one(sample.request)
    assert isinstance(visited, StoreVisited)
    assert visited.meta.source_event_id == "😀-1"
    assert visited.meta.context["event_source"] == "/stores/Haarlem Noord"


def test_a_fault_names_its_place_and_no_value() -> None:
    bad = {**SOLD, "lines": [{**SOLD["lines"][0], "total": "a lot"}]}  # type: ignore[index]
    found = receive(sign(sent(event("vaart.SoldInStore", bad)), SECRET), SAMPLES.source)
    assert isinstance(found, Verdict)
    assert [reject.detail for reject in found.rejects] == ['lines: total: must be an amount, such as "19.95"']
