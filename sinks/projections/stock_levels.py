"""Stock levels: how much of a product lies in one place, by bucket."""

from collections.abc import Iterator

import msgspec
from sqlalchemy import BigInteger, Column, Table, Text

from schemas.events.states import StockLevel
from schemas.topics import LEVELS
from sinks.projections.projection import METADATA, Instant, Projection, Row, versioned


def rows(_key: str, level: StockLevel) -> Iterator[Row]:
    """One row."""
    yield (
        level.sku,
        level.location_id,
        level.owner,
        level.available,
        level.held,
        level.committed,
        level.picked,
        level.quality_control,
        level.damaged,
        level.safety,
        level.blocked,
        level.on_hand,
        level.shortage,
        level.incoming,
        level.in_transit,
        level.counted_at,
        level.seq,
        level.updated_at,
    )


def forget(key: str) -> Row:
    """The three ids of the shelf; its record key is a JSON array of them."""
    return tuple(msgspec.json.decode(key, type=tuple[str, str, str]))


def _units(name: str, comment: str) -> Column[int]:
    return Column(name, BigInteger, nullable=False, comment=comment)


TABLE = Table(
    "stock_levels",
    METADATA,
    Column("sku", Text, primary_key=True, comment="The product"),
    Column("location_id", Text, primary_key=True, comment="Store or warehouse"),
    Column("owner", Text, primary_key=True, comment="Whose goods they are"),
    _units("available", "Free to sell"),
    _units("held", "Kept for a short time for a checkout"),
    _units("committed", "Promised to orders"),
    _units("picked", "Taken from the shelf for orders"),
    _units("quality_control", "Waiting for inspection"),
    _units("damaged", "Damaged"),
    _units("safety", "Kept back as a reserve"),
    _units("blocked", "Recalled, missing or being repaired"),
    _units("on_hand", "Everything that lies there: the sum of the buckets above"),
    _units("shortage", "Units that facts say left although the shelf had none: a count is needed"),
    _units("incoming", "Announced by a supplier"),
    _units("in_transit", "On the way from another place"),
    Column(
        "counted_at", Instant, comment="The moment that the newest count is about; empty when never counted"
    ),
    *versioned(),
    comment="Stock by product, place and owner, from stock.levels.v1",
    postgresql_with={"fillfactor": 85},
)

PROJECTION = Projection(TABLE, (LEVELS,), StockLevel, rows, forget=forget)
