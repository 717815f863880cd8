"""Sends as a shop's server does with segment-analytics-python: gzip or not, in one batch."""

import sys
from datetime import UTC, datetime

from segment.analytics.client import Client

url, is_packed = sys.argv[1], sys.argv[2] == "gzip"
client = Client("wk_segment", host=url, gzip=is_packed)
client.identify("97980", {"email": "Sam@Example.com", "born": datetime(1990, 5, 1, tzinfo=UTC), "plan": None})
client.track(
    "97980",
    "Order Completed",
    {"order_id": "o-1", "total": 42.5, "currency": "EUR", "products": [{"sku": "dress-36", "price": 42.5}]},
)
client.track("97980", "Review Asked", {"days": 3}, timestamp=datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC))
client.page("97980", "Docs", "Python", {"url": "https://shop.example/?utm_source=mail&token=1"})
client.screen("97980", "App", "Home")
client.group("97980", "g-1", {"name": "Initech"})
client.alias("anonymous-1", "97980")
client.flush()
client.join()
