"""The sink's own tables: how far it has come in Kafka, and how far the clocks have come."""

from sqlalchemy import BigInteger, Column, Integer, MetaData, Table, Text, func

from sinks.projections.projection import METADATA, Instant

OPS = MetaData(schema="ops", naming_convention=METADATA.naming_convention)

SINK_OFFSETS = Table(
    "sink_offsets",
    OPS,
    Column("projection", Text, primary_key=True, comment="The table, such as orders"),
    Column(
        "topic_id",
        Text,
        primary_key=True,
        comment="Kafka's id of the topic; a recreated topic has another one",
    ),
    Column("partition", Integer, primary_key=True, comment="Partition of the topic"),
    Column("topic", Text, nullable=False, comment="Name of the topic"),
    Column(
        "next_offset", BigInteger, nullable=False, comment="The table holds every record below this offset"
    ),
    Column(
        "updated_at",
        Instant,
        nullable=False,
        server_default=func.now(),
        comment="When the offset was last moved",
    ),
    comment="How far each table is in each partition; moved in the transaction that writes the rows",
    # One row a partition and table, rewritten by every batch: room for updates in place.
    postgresql_with={"fillfactor": 50},
)

CLOCKS = Table(
    "clocks",
    OPS,
    Column("topic", Text, primary_key=True, comment="Name of the topic"),
    Column("partition", Integer, primary_key=True, comment="Partition of the topic"),
    Column("writer", Text, primary_key=True, comment="Who put the clock there: a replay or a view"),
    Column("lane", Integer, primary_key=True, comment="The writer's own partition"),
    Column("until", BigInteger, nullable=False, comment="Time reached, in microseconds since 1970 UTC"),
    comment="How far clocks have come: every event of that writer up to then is in the tables",
    postgresql_with={"fillfactor": 50},
)
