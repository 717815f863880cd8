"""One event in our own JSON form, to change a little in each test."""

from typing import Any

NOW = 1_795_600_000_000_000
"""2026-11-25T09:46:40Z."""


def sold(**changes: Any) -> dict[str, Any]:
    """A StockSold without faults."""
    meta = {"channel": "store", "source": "tills", "occurred_at": "2026-11-25T10:00:00+01:00"}
    return {
        "type": "StockSold",
        "meta": meta,
        "sku": "dress-38",
        "location_id": "haarlem",
        "quantity": 2,
        "document_id": "receipt-1",
        "line_id": "1",
        **changes,
    }
