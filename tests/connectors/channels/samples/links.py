"""Scans of codes, by people and by what looks at links for them."""

from dataclasses import replace

from connectors.channels.links import CHANNEL
from connectors.protocol.channel import Request, Source
from tests.connectors.channels.sampling import Sample, Samples, post

PHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148 Safari/604.1"
)


def scan(code: str, method: str = "GET", agent: str = PHONE) -> Request:
    asked = post(b"", f"/q/{code}", url=f"https://go.shop.example/q/{code}", user_agent=agent)
    return replace(asked, method=method)


def sign(request: Request, _: str) -> Request:
    return request


SAMPLES = Samples(
    CHANNEL,
    Source(
        "posters",
        options={
            "codes": {
                "spring": {
                    "target": "https://www.shop.example/spring?utm_source=window",
                    "store_id": "haarlem",
                    "placement": "window",
                    "campaign": "spring-26",
                },
                "shelf-7": {"target": "https://www.shop.example/p/dress-36", "store_id": "haarlem"},
                "script": {"target": "javascript:alert(1)"},
            },
            "otherwise": "https://www.shop.example/",
        },
    ),
    "",
    sign,
    (
        Sample("a code of a campaign", scan("spring"), ("CodeScanned", "CampaignTouched")),
        Sample("a code of a shelf", scan("shelf-7"), ("CodeScanned",)),
        Sample("a preview of a link", scan("spring", agent="WhatsApp/2.23.20.0"), is_answered=True),
        Sample("a look at the head", scan("spring", method="HEAD"), is_answered=True),
        Sample("a code that is not there", scan("nothing"), is_answered=True),
    ),
    covers_body=False,
    has_ids=False,
)
