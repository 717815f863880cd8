"""The words in which a table is written: Projection, the column types that rows may use, lineage and version columns.

A projection is pure: it says which table the records of topics become, and which rows one record stands for. The writer
(sinks.postgres) owns everything else: batches, transactions, offsets, and the guard against older records.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BigInteger, Column, Date, Integer, MetaData, Numeric, Table, Text, func
from sqlalchemy.dialects.postgresql import CHAR, TIMESTAMP, UUID

from schemas.topic import Topic

METADATA = MetaData(
    schema="core",
    naming_convention={
        "pk": "pk_%(table_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    },
)
"""Every table that projections write."""

Instant = TIMESTAMP(timezone=True)
"""Rows give microseconds since 1970 UTC."""
Day = Date
"""Rows give days since 1970."""
Amount = Numeric(18, 4)
"""Rows give ten-thousandths."""
Currency = CHAR(3)
Id = UUID(as_uuid=False)

Row = tuple[Any, ...]
Rows = Callable[[str, Any], Iterable[Row]]
"""`rows(record key, event)`: values in the order of the table's columns, without lineage, the primary key first.

What of the primary key is lineage the writer adds.
"""

PLACE = ("src_topic", "src_partition", "src_offset")
"""Which record a row came from. The writer puts these behind what `rows` gives."""
LINEAGE = (*PLACE, "ingested_at")
"""Where a row came from, and when it was written: what `rows` does not give."""


@dataclass(frozen=True, slots=True, eq=False)
class Projection:
    """One table, and how the records of its topics that are of the type `event` become its rows.

    A row with the key of an older one replaces it, unless its `seq` is older; with `is_append_only` the first one
    stays. A tombstone deletes the rows whose leading key columns equal `forget(record key)`. A row that a newer
    record no longer mentions stays: it is history. `by_month` names the column by whose month the table is
    partitioned; the function `make_month_of_<table>` of its schema makes a month that is missing.
    """

    table: Table
    topics: tuple[Topic, ...]
    event: type
    rows: Rows
    forget: Callable[[str], Row] | None = None
    is_append_only: bool = False
    by_month: str = ""

    @property
    def name(self) -> str:
        """The table's name, under which offsets are kept."""
        return str(self.table.name)

    @property
    def key(self) -> tuple[str, ...]:
        """The columns of the primary key."""
        return tuple(column.name for column in self.table.primary_key)

    @property
    def is_keyed_by_place(self) -> bool:
        """Whether it is the record that a row stands for: then no two records make the same row."""
        return not set(self.key).isdisjoint(PLACE)

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that `rows` fills in, in its order."""
        return tuple(column.name for column in self.table.columns if column.name not in LINEAGE)


def whole_key(key: str) -> Row:
    """For tables whose first key column is the record key."""
    return (key,)


def versioned() -> list[Column[Any]]:
    """The last columns of a table of snapshots: which version of its key the row is, and where it came from."""
    return [
        Column(
            "seq",
            BigInteger,
            nullable=False,
            comment="Version of the row; an older one never replaces a newer",
        ),
        Column(
            "updated_at", Instant, nullable=False, comment="Time of the newest event that the row reflects"
        ),
        *lineage(),
    ]


def lineage() -> list[Column[Any]]:
    """Which Kafka record a row came from, and when it was written."""
    return [
        Column("src_topic", Text, nullable=False, comment="Kafka topic of the record that the row came from"),
        Column("src_partition", Integer, nullable=False, comment="Partition of that record"),
        Column("src_offset", BigInteger, nullable=False, comment="Offset of that record"),
        Column(
            "ingested_at",
            Instant,
            nullable=False,
            server_default=func.now(),
            comment="When the row was last written",
        ),
    ]
