"""Sends as a shop's server does with rudder-sdk-python: gzip or not, in one batch."""

import sys

from rudderstack.analytics.client import Client

url, is_packed = sys.argv[1], sys.argv[2] == "gzip"
client = Client("wk_rudder", host=url, gzip=is_packed)
client.identify("97980", {"email": "Sam@Example.com"})
client.track("97980", "Product Added", {"sku": "dress-36", "price": 19.95, "quantity": 2, "cart_id": "c-1"})
client.page("97980", "Docs", "Python", {"url": "https://shop.example/?utm_source=mail&token=1"})
client.group("97980", "g-1", {"name": "Initech"})
client.alias("anonymous-1", "97980")
client.flush()
client.join()
