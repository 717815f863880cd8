"""The stock ledger: every movement of units between buckets, numbered without gaps per product."""

from collections.abc import Iterator

from sqlalchemy import BigInteger, Column, Index, Integer, Table, Text, UniqueConstraint

from schemas.events.states import StockLedgerEntry
from schemas.topics import LEDGER
from sinks.projections.projection import METADATA, Id, Instant, Projection, Row, lineage

HASH_PARTITIONS = 8
"""Partitioned by hash of the product, not by month: else neither uniqueness could be enforced."""


def rows(_key: str, entry: StockLedgerEntry) -> Iterator[Row]:
    """One row."""
    yield (
        entry.sku,
        entry.seq,
        entry.location_id,
        entry.owner,
        entry.event_id,
        entry.line_no,
        entry.kind,
        entry.bucket,
        entry.delta,
        entry.at,
    )


TABLE = Table(
    "stock_ledger",
    METADATA,
    Column("sku", Text, primary_key=True, comment="The product"),
    Column("seq", BigInteger, primary_key=True, comment="Number of the movement, without gaps per product"),
    Column("location_id", Text, nullable=False, comment="Store or warehouse"),
    Column("owner", Text, nullable=False, comment="Whose goods they are"),
    Column("event_id", Id, nullable=False, comment="The event that caused it"),
    Column("line_no", Integer, nullable=False, comment="Number of the movement within that event"),
    Column("kind", Text, nullable=False, comment="What happened, such as sold or counted"),
    Column("bucket", Text, nullable=False, comment="The bucket that changed"),
    Column("delta", BigInteger, nullable=False, comment="Units added, or taken when negative"),
    Column("at", Instant, nullable=False, comment="When it happened"),
    *lineage(),
    # An alarm: one event moves a product once per line, or the stock view has counted something twice.
    UniqueConstraint("sku", "event_id", "line_no"),
    comment="Every movement of stock, from stock.ledger.v1",
    postgresql_partition_by="HASH (sku)",
)
Index(None, TABLE.c.ingested_at, postgresql_using="brin")

PROJECTION = Projection(TABLE, (LEDGER,), StockLedgerEntry, rows, is_append_only=True)
