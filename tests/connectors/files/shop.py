"""A tiny shop's mapping and tables, to be bent by each test."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from connectors.files.events import events
from connectors.files.mapping import load
from connectors.files.rejects import Reject
from connectors.files.tables import Table, open_table
from schemas.meta import Event

RECEIVED_AT = 1_800_000_000_000_000

SHOP = """\
source: corner-shop
zone: Europe/Amsterdam
channel: store
events:
  - event: SoldInStore
    table: sales
    group: receipt
    id: receipt
    at: time
    identifiers: [{kind: loyalty_card, value: card}]
    fields:
      receipt_id: receipt
      store_id: {constant: "7"}
      business_date: time
      currency: {constant: EUR}
      totals: {total: {sum: paid}, discount: {sum: [off, coupon]}}
      lines:
        line_id: row.ordinal
        sku: article
        quantity: units
        discount: {sum: [off, coupon]}
        total: paid
"""

SALES = """\
receipt,time,card,article,units,paid,off,coupon
1,2026-03-28 12:00:00,c1,apple,2,0.10,0,0
2,2026-03-29 12:00:00,,pear,1,5,0.5,0.25
1,2026-03-28 12:00:00,c1,pear,1,0.20,0.01,
"""


def mapped(
    folder: Path, mapping: str, rejected: Callable[[Reject], None] | None = None, **files: str
) -> list[Any]:
    """The events of CSV files by a mapping, both as text."""
    found = load(written(folder, "shop.yaml", mapping))
    tables: dict[str, Table] = {
        name: open_table(written(folder, f"{name}.csv", text), found.table(name))
        for name, text in files.items()
    }
    return list(events(found, tables, received_at=RECEIVED_AT, rejected=rejected))


def written(folder: Path, name: str, text: str) -> Path:
    """The path of a file with this text."""
    path = folder / name
    path.write_text(text)
    return path


def viewed(folder: Path, rows: str, fields: str, more: str = "", rejected: Any = None) -> list[Event]:
    """ProductViewed events, one a row of a table with a column `at` and others."""
    mapping = (
        "source: s\nzone: Europe/Amsterdam\nchannel: web\n" + more + "events:\n  - event: ProductViewed\n"
        "    table: views\n    id: row.number\n    at: at\n    fields:\n" + fields
    )
    return mapped(folder, mapping, rejected, views=rows)
