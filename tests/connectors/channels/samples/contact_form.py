"""Contact forms as browsers and scripts send them."""

import json
from urllib.parse import urlencode

from connectors.channels.contact_form import CHANNEL
from connectors.protocol.channel import Request, Source
from tests.connectors.channels.sampling import Sample, Samples, post

FIELDS = {
    "key": "wk_public",
    "form": "returns",
    "email": "Sam@example.com",
    "phone": "06 12345678",
    "topic": "return",
    "order_id": "1001",
    "message": "Does it fit?\r\nThanks & bye é",
    "website": "",
}
FORM = "application/x-www-form-urlencoded"


def unsigned(request: Request, _: str) -> Request:
    return request


def form(**changes: str) -> Request:
    return post(urlencode({**FIELDS, **changes}).encode(), content_type=FORM)


SAMPLES = Samples(
    CHANNEL,
    Source("pages", (), {"redirect": "https://shop.example/thanks"}, region="NL"),
    "",
    unsigned,
    (
        Sample("a form", form(), ("FormSubmitted",)),
        Sample("a script's", post(json.dumps({**FIELDS, "age": 3}).encode()), ("FormSubmitted",)),
        Sample("the honeypot filled in", form(website="https://spam.example")),
        Sample("empty", post(b"key=wk_public", content_type=FORM), is_answered=True),
        Sample("nested", post(b'{"key": "wk_public", "a": {"b": 1}}'), is_answered=True),
        Sample("an upload", post(b"--x", content_type="multipart/form-data; boundary=x"), is_answered=True),
    ),
    covers_body=False,
)
