"""Twilio's own vectors, and what its requests become."""

import base64
import hashlib
import hmac
from dataclasses import replace
from typing import TypeVar
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest

from connectors.channels import twilio
from connectors.protocol.channel import Refused, Request, Source, Verdict
from schemas.events.activity import ConsentChanged
from schemas.events.marketing import MessageStatusReported
from schemas.events.service import CallEnded, CallStarted, MessageReceived
from schemas.meta import Event, Identifier
from schemas.topics import route
from tests.connectors.channels.samples.twilio import (
    CUSTOMER,
    OURS,
    SAMPLES,
    SECRET,
    by_json,
    call,
    message,
    sign,
    status,
)
from tests.connectors.channels.sampling import RECEIVED_AT, post, with_headers

# twilio/twilio-python tests/unit/test_request_validator.py; twilio/twilio-node spec/validation.spec.js
TOKEN = Source("vector", ("12345",))
ADDRESS = "https://mycompany.com/myapp.php?foo=1&bar=2"
FORM = [
    ("CallSid", "CA1234567890ABCDE"),
    ("Digits", "1234"),
    ("From", "+14158675309"),
    ("To", "+18005551212"),
    ("Caller", "+14158675309"),
]
REPEATED = [("Sid", "CA123"), ("SidAccount", "AC123"), ("Digits", "5678"), ("Digits", "1234")]
JSON = b'{"property": "value", "boolean": true}'
JSON_ADDRESS = f"{ADDRESS}&bodySHA256=0a1ff7634d9ab3b95db5c9a2dfe9416e41502b283a80c7cf19632632f96e6620"
E = TypeVar("E", bound=Event)


def asked(address: str, body: bytes, signature: str) -> Request:
    query = tuple(parse_qsl(urlsplit(address).query))
    return replace(post(body, url=address, x_twilio_signature=signature), query=query)


@pytest.mark.parametrize(
    ("address", "form", "signature"),
    [
        (ADDRESS, FORM, "RSOYDt4T1cUTdK1PDd93/VVr8B8="),
        (ADDRESS.replace(".com", ".com:1234"), FORM, "RSOYDt4T1cUTdK1PDd93/VVr8B8="),
        (ADDRESS.replace(".com", ".com:1234").replace("https", "http"), FORM, "Zmvh+3yNM1Phv2jhDCwEM3q5ebU="),
        (ADDRESS, FORM, "kvajT1Ptam85bY51eRf/AJRuM3w="),
        (ADDRESS.replace("https", "http"), FORM, "0ZXoZLH/DfblKGATFgpif+LLRf4="),
        (ADDRESS, REPEATED, "IK+Dwps556ElfBT0I3Rgjkr1wJU="),
        (ADDRESS, [*REPEATED, REPEATED[2]], "IK+Dwps556ElfBT0I3Rgjkr1wJU="),
        (ADDRESS + "&Body=It's+amazing", FORM, "dsq4Ehbj6cs+KdTkpF5sSSplOWw="),
        (ADDRESS.replace("//", "//user:pass@"), FORM, "CukzLTc1tT5dXEDIHm/tKBanW10="),
        (ADDRESS.replace("//", "//user:pass@"), FORM, "ZQFR1PTIZXF2MXB8ZnKCvnnA+rI="),
        (ADDRESS.replace("//", "//user@"), FORM, "2YRLlVAflCqxaNicjMpJcSTgzSs="),
    ],
)
def test_the_vendors_vectors_are_taken(address: str, form: list[tuple[str, str]], signature: str) -> None:
    request = asked(address, urlencode(form).encode(), signature)
    assert isinstance(twilio.receive(request, TOKEN), Verdict)
    assert isinstance(twilio.receive(replace(request, body=request.body + b"&a=1"), TOKEN), Refused)
    assert isinstance(twilio.receive(replace(request, public_url=address + "&baz=3"), TOKEN), Refused)


def test_the_vendors_vector_of_json_is_taken() -> None:
    request = asked(JSON_ADDRESS, JSON, "a9nBmqA0ju/hNViExpshrM61xv4=")
    assert isinstance(twilio.receive(request, TOKEN), Verdict)
    assert isinstance(twilio.receive(replace(request, body=JSON + b" "), TOKEN), Refused)


def test_a_shared_key_signs_with_sha256_and_says_so() -> None:
    signed = sign(message(), SECRET, "sha256")
    told = "key=webhooks_sharedkey_01,algorithm=HMAC_SHA256"
    assert isinstance(_with_settings(signed, told), Verdict)
    assert isinstance(twilio.receive(signed, SAMPLES.source), Refused)
    for other in ("key=1,algorithm=HMAC_SHA1", "key=1,algorithm=HMAC_MD5", "key=1"):
        assert isinstance(_with_settings(signed, other), Refused)


def _with_settings(request: Request, told: str) -> object:
    return twilio.receive(with_headers(request, x_twilio_webhooks_signature_settings=told), SAMPLES.source)


def test_an_empty_field_is_signed_too() -> None:
    form = [("Body", ""), ("From", CUSTOMER), ("MessageSid", "SM1"), ("To", OURS)]
    url = "https://in.example/in"
    text = url + "".join(name + value for name, value in form)
    signature = base64.b64encode(hmac.digest(b"12345", text.encode(), "sha1")).decode()
    assert isinstance(twilio.receive(asked(url, urlencode(form).encode(), signature), TOKEN), Verdict)


def test_json_whose_hash_is_another_is_refused() -> None:
    request = sign(by_json([]), SECRET)
    assert hashlib.sha256(request.body).hexdigest() in request.public_url
    assert isinstance(twilio.receive(replace(request, body=b"[1]"), SAMPLES.source), Refused)


def events(request: Request) -> list[Event]:
    found = twilio.receive(sign(request, SECRET), SAMPLES.source)
    assert isinstance(found, Verdict)
    return found.events


def one(kind: type[E], request: Request) -> E:
    (found,) = [each for each in events(request) if isinstance(each, kind)]
    return found


def test_a_message_is_of_now_and_of_a_number() -> None:
    found = one(MessageReceived, message())
    assert found.meta.occurred_at == RECEIVED_AT
    assert found.meta.identifiers == [Identifier("phone", CUSTOMER)]
    assert (found.text, found.conversation_id) == (
        "Is this in size 36? \U0001f60d & more",
        f"{OURS}:{CUSTOMER}",
    )
    assert "612345678" not in route(found, "identifier secret")[1]


def test_statuses_say_what_is_to_be_done_about_the_number() -> None:
    told = [
        one(MessageStatusReported, status(word, ErrorCode=code))
        for word, code in (
            ("undelivered", "30003"),
            ("undelivered", "30006"),
            ("sent", ""),
            ("teleported", ""),
        )
    ]
    assert [(each.status, each.provider_code) for each in told] == [
        ("failed", "30003"),
        ("bounced", "30006"),
        ("sent", None),
        ("unknown", "teleported"),
    ]
    assert {(each.medium, each.recipient) for each in told} == {("sms", CUSTOMER)}
    by_whatsapp = one(MessageStatusReported, status("read", To=f"whatsapp:{CUSTOMER}"))
    assert (by_whatsapp.medium, by_whatsapp.status, by_whatsapp.recipient) == ("whatsapp", "opened", CUSTOMER)


def test_stop_is_a_no_however_it_is_said() -> None:
    said = one(ConsentChanged, message(OptOutType="STOP"))
    found = one(ConsentChanged, status("failed", ErrorCode="21610"))
    back = one(ConsentChanged, message(OptOutType="START"))
    assert [(each.granted, each.address, each.medium) for each in (said, found, back)] == [
        (False, CUSTOMER, "sms"),
        (False, CUSTOMER, "sms"),
        (True, CUSTOMER, "sms"),
    ]


def test_a_call_starts_once_and_ends_after_its_seconds() -> None:
    ringing, answered = one(CallStarted, call("ringing")), one(CallStarted, call("in-progress"))
    assert ringing.meta.event_id == answered.meta.event_id
    assert ringing.meta.occurred_at == 1_763_978_392_000_000
    ended = one(CallEnded, call("completed", CallDuration="95"))
    assert (ended.duration_s, ended.outcome, ended.direction) == (95, "completed", "inbound")
    assert ended.meta.channel == "phone"


def test_a_leg_of_a_call_is_in_its_conversation_and_of_no_customer() -> None:
    leg = one(CallStarted, call("ringing", CallSid="CA02", ParentCallSid="CA01", Direction="outbound-dial"))
    assert (leg.conversation_id, leg.call_id, leg.meta.identifiers) == ("CA01", "CA02", [])


def test_it_is_told_to_reply_nothing() -> None:
    answer = twilio.CHANNEL.answers.ok
    assert (answer.status, answer.content_type) == (200, "text/xml")
    assert answer.body.endswith(b"<Response/>")
