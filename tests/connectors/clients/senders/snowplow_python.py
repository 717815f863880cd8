"""Sends as a shop's server does with snowplow-tracker: posted, or as pictures."""

import sys
from urllib.parse import urlsplit

from snowplow_tracker import (
    Emitter,
    PageView,
    SelfDescribing,
    SelfDescribingJson,
    StructuredEvent,
    Subject,
    Tracker,
)

url, method = urlsplit(sys.argv[1]), sys.argv[2]
emitter = Emitter(
    url.hostname, protocol="http", port=url.port, method=method, batch_size=10 if method == "post" else 1
)
subject = Subject()
subject.set_user_id("97980").set_platform("srv").set_ip_address("203.0.113.7")
tracker = Tracker(namespace="py", emitters=emitter, subject=subject, app_id="shop")
tracker.track(PageView(page_url="https://shop.example/?utm_source=mail&token=1", page_title="Docs"))
tracker.track(StructuredEvent(category="video", action="play", value=1.5))
ecommerce = "iglu:com.snowplowanalytics.snowplow.ecommerce/{}/jsonschema/1-0-0"
tracker.track(
    SelfDescribing(
        SelfDescribingJson(ecommerce.format("snowplow_ecommerce_action"), {"type": "add_to_cart"}),
        context=[
            SelfDescribingJson(
                ecommerce.format("product"),
                {"id": "dress-36", "category": "dresses", "price": 19.95, "currency": "EUR", "quantity": 2},
            ),
            SelfDescribingJson(
                ecommerce.format("cart"), {"cart_id": "c-1", "total_value": 39.9, "currency": "EUR"}
            ),
        ],
    )
)
tracker.flush()
