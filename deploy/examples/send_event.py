"""Sends one event to the gateway: `python send_event.py http://127.0.0.1:8080`. The standard library is enough."""

import json
import sys
import urllib.request

EVENT = {
    "type": "StockCounted",
    "meta": {"source": "till-8", "channel": "store", "occurred_at": "2026-03-28T09:00:00Z"},
    "sku": "plum",
    "location_id": "haarlem",
    "quantities": {"available": 7},
    "as_of": "2026-03-28T09:00:00Z",
    "count_id": "count-2",
}

request = urllib.request.Request(  # noqa: S310
    f"{sys.argv[1]}/v1/events", json.dumps(EVENT).encode(), {"Content-Type": "application/json"}
)
with urllib.request.urlopen(request) as answer:  # noqa: S310
    print(json.load(answer)["event_id"])  # noqa: T201
