"""Requests of Segment's browser client (text/plain), of its server clients (batches, gzip), and pictures."""

import base64
import gzip
import json
from dataclasses import replace
from typing import Any

from connectors.channels.segment import CHANNEL
from connectors.protocol.channel import Request, Source
from tests.connectors.channels.samples.calls import (
    ALIAS,
    CONTEXT,
    GROUP,
    IDENTIFY,
    ORDER,
    SCREEN,
    SENT_AT,
    SHOP,
    URL,
    call,
)
from tests.connectors.channels.sampling import Sample, Samples, post, with_headers

KEY = "wk_public"
BASIC = {"authorization": "Basic " + base64.b64encode(f"{KEY}:".encode()).decode()}


def sign(request: Request, _: str) -> Request:
    """Nothing is signed."""
    return request


def sent(route: str, document: Any, **headers: str) -> Request:
    return with_headers(
        post(json.dumps(document).encode(), route), **{"content_type": "text/plain", **headers}
    )


def got(route: str, **query: str) -> Request:
    return replace(post(b"", route), method="GET", query=tuple(query.items()))


def alone(route: str, said: dict[str, Any]) -> Request:
    return sent(route, {**said, "writeKey": KEY, "sentAt": SENT_AT})


def batch(*calls: Any, **more: Any) -> Request:
    return sent("/v1/batch", {"batch": list(calls), "sentAt": SENT_AT, **more}, **BASIC)


SAMPLES = Samples(
    CHANNEL,
    Source("web-nl", zone="Europe/Amsterdam", currency="EUR", region="NL"),
    "",
    sign,
    (
        Sample("identify", alone("/v1/i", IDENTIFY), ("CustomerIdentified", "TraitsChanged")),
        Sample("alias", alone("/v1/a", ALIAS), ("IdentifiersLinked",)),
        Sample("group", alone("/v1/g", GROUP), ("TraitsChanged",)),
        Sample(
            "page", alone("/v1/p", call("page", properties={"url": URL})), ("PageViewed", "CampaignTouched")
        ),
        Sample(
            "a page from nowhere",
            alone("/v1/page", call("page", context={"page": {"url": "https://shop.example/"}})),
            ("PageViewed",),
        ),
        Sample("screen", alone("/v1/s", SCREEN), ("ScreenViewed",)),
        *(
            Sample(name, alone("/v1/t", call("track", event=name, properties=said)), (gives,))
            for name, said, gives in SHOP
        ),
        Sample(
            "a path says the type",
            alone("/v1/track", {"anonymousId": "a", "event": "Seen"}),
            ("CustomActivityRecorded",),
        ),
        Sample(
            "a batch, with one bad call and one of a type that nobody knows",
            batch(
                call("track", event="Product Added", properties={"name": "without a sku"}, messageId="1"),
                call("track", event="Order Completed", properties=ORDER, messageId="2"),
                call("horoscope", messageId="3"),
                call("page", context={}, messageId="4"),
                "not a call",
                None,
                context=CONTEXT,
            ),
            ("OrderPlaced", "PageViewed", "CampaignTouched"),
            rejected=3,
        ),
        Sample(
            "the same call twice in a batch",
            batch(call("track", event="Seen"), call("track", event="Seen")),
            ("CustomActivityRecorded",),
        ),
        Sample(
            "calls without ids, twice the same",
            batch(
                {"type": "track", "event": "Seen", "userId": "1"},
                {"type": "track", "event": "Seen", "userId": "1"},
            ),
            ("CustomActivityRecorded", "CustomActivityRecorded"),
        ),
        Sample(
            "gzip that calls itself a form",
            replace(
                sent("/v1/batch", None, content_type="application/x-www-form-urlencoded", **BASIC),
                body=gzip.compress(
                    json.dumps({"batch": [call("page")], "sentAt": SENT_AT}).encode(), mtime=0
                ),
            ),
            ("PageViewed", "CampaignTouched"),
        ),
        Sample(
            "a picture in a mail",
            got(
                "/v1/pixel/track",
                data=base64.b64encode(
                    json.dumps(
                        {
                            "writeKey": KEY,
                            "userId": "025",
                            "event": "Email Opened",
                            "properties": {"subject": "Sale"},
                        }
                    ).encode()
                )
                .decode()
                .rstrip("="),
            ),
            ("CustomActivityRecorded",),
        ),
        Sample("a browser's question", got(f"/v1/projects/{KEY}/settings"), is_answered=True),
        Sample("an empty batch", batch(), is_answered=True),
        Sample("no JSON", with_headers(post(b"a=1", "/v1/t"), **BASIC), is_answered=True),
    ),
    covers_body=False,
)
