"""Requests of RudderStack's browser client (beacons too), of its server clients, and pictures."""

import json
from dataclasses import replace
from typing import Any

from connectors.channels.rudderstack import CHANNEL
from connectors.protocol.channel import Request, Source
from tests.connectors.channels.samples.calls import ALIAS, GROUP, IDENTIFY, PAGE, SCREEN, SHOP, call
from tests.connectors.channels.samples.segment import BASIC, KEY, sign
from tests.connectors.channels.sampling import Sample, Samples, post, with_headers

NAMED = {k: v for k, v in IDENTIFY.items() if k != "traits"}
SESSION = {"sessionId": 1764064700000, "sessionStart": True}


def rudder(kind: str, **more: Any) -> dict[str, Any]:
    """One call as the browser's client makes it: its time is `originalTimestamp`, and traits are in the context."""
    found = call(kind, **more)
    found["context"] = {**found["context"], "page": {**PAGE, "referrer": "$direct"}, **SESSION}
    return {
        **{name: value for name, value in found.items() if name != "timestamp"},
        "channel": "web",
        "originalTimestamp": "2025-11-25T10:59:59.000+01:00",
        "sentAt": "2025-11-25T10:00:00.000Z",
    }


def sent(route: str, document: Any, **headers: str) -> Request:
    told = {"content_type": "application/json", "anonymousid": "OGYzYg==", **BASIC, **headers}
    return with_headers(post(json.dumps(document).encode(), route), **told)


def got(route: str, **query: str) -> Request:
    named = tuple((name.replace("__", "."), value) for name, value in query.items())
    return replace(post(b"", route), method="GET", query=named)


SAMPLES = Samples(
    CHANNEL,
    Source("web-nl", zone="Europe/Amsterdam", currency="EUR", region="NL"),
    "",
    sign,
    (
        Sample(
            "identify",
            sent("/rudderstack/v1/identify", {**NAMED, "context": {"traits": IDENTIFY["traits"]}}),
            ("CustomerIdentified", "TraitsChanged"),
        ),
        Sample("alias", sent("/rudderstack/v1/alias", ALIAS), ("IdentifiersLinked",)),
        Sample(
            "merge",
            sent(
                "/rudderstack/v1/merge",
                {
                    "type": "merge",
                    "messageId": "m-1",
                    "mergeProperties": [
                        {"type": "email", "value": "sam@example.com"},
                        {"type": "user_id", "value": "97980cfea0067"},
                    ],
                },
            ),
            ("IdentifiersLinked",),
        ),
        Sample("group", sent("/rudderstack/v1/group", GROUP), ("TraitsChanged",)),
        Sample("page", sent("/rudderstack/v1/page", rudder("page")), ("PageViewed", "CampaignTouched")),
        Sample("screen", sent("/rudderstack/v1/screen", SCREEN), ("ScreenViewed",)),
        *(
            Sample(
                name,
                sent("/rudderstack/v1/track", rudder("track", event=name, properties=said)),
                (gives,),
            )
            for name, said, gives in SHOP
        ),
        Sample(
            "a beacon",
            replace(
                post(
                    json.dumps({"batch": [rudder("track", event="Seen"), {"type": "track"}]}).encode(),
                    "/beacon/v1/batch",
                    content_type="text/plain;charset=UTF-8",
                ),
                query=(("writeKey", KEY),),
            ),
            ("CustomActivityRecorded",),
            rejected=1,
        ),
        Sample(
            "a type that nobody knows",
            sent("/rudderstack/v1/batch", {"batch": [rudder("horoscope")]}),
        ),
        Sample(
            "a picture",
            got(
                "/pixel/v1/page",
                writeKey=KEY,
                anonymousId="a-1",
                context__page__url="https://shop.example/?utm_source=mail",
            ),
            ("PageViewed", "CampaignTouched"),
        ),
        Sample(
            "a browser's question", got("/sourceConfig/", writeKey=KEY, p="npm", v="3.34.1"), is_answered=True
        ),
        Sample("an empty batch", sent("/rudderstack/v1/batch", {"batch": []}), is_answered=True),
    ),
    covers_body=False,
)
