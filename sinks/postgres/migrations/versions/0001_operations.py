"""The schemas, and the sink's own tables."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

Instant = sa.TIMESTAMP(timezone=True)
SCHEMAS = {
    "ingest": "Events as they were received",
    "core": "Tables that the sink writes; personal data in clear",
    "mart": "Views for analysts; personal data masked",
    "ops": "How far sinks and migrations have come",
}


def upgrade() -> None:
    for name, comment in SCHEMAS.items():
        op.execute(f"CREATE SCHEMA IF NOT EXISTS {name}")
        op.execute(f"COMMENT ON SCHEMA {name} IS '{comment}'")
    op.execute("COMMENT ON TABLE ops.alembic_version IS 'The newest migration that was applied'")
    op.execute("COMMENT ON COLUMN ops.alembic_version.version_num IS 'Its number'")
    op.execute("GRANT USAGE ON SCHEMA core, ops TO vaart_sink")
    op.execute("GRANT SELECT ON ops.alembic_version TO vaart_sink")
    # Tables of later revisions too, whoever adds them.
    for name in ("core", "ops"):
        op.execute(
            f"ALTER DEFAULT PRIVILEGES IN SCHEMA {name} GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO vaart_sink"
        )
    op.create_table(
        "clocks",
        sa.Column("topic", sa.Text, nullable=False, comment="Name of the topic"),
        sa.Column("partition", sa.Integer, nullable=False, comment="Partition of the topic"),
        sa.Column("writer", sa.Text, nullable=False, comment="Who put the clock there: a replay or a view"),
        sa.Column("lane", sa.Integer, nullable=False, comment="The writer's own partition"),
        sa.Column(
            "until", sa.BigInteger, nullable=False, comment="Time reached, in microseconds since 1970 UTC"
        ),
        sa.PrimaryKeyConstraint("topic", "partition", "writer", "lane", name=op.f("pk_clocks")),
        schema="ops",
        comment="How far clocks have come: every event of that writer up to then is in the tables",
        postgresql_with={"fillfactor": 50},
    )
    op.create_table(
        "sink_offsets",
        sa.Column("projection", sa.Text, nullable=False, comment="The table in core"),
        sa.Column(
            "topic_id",
            sa.Text,
            nullable=False,
            comment="Kafka's id of the topic; a recreated topic has another one",
        ),
        sa.Column("partition", sa.Integer, nullable=False, comment="Partition of the topic"),
        sa.Column("topic", sa.Text, nullable=False, comment="Name of the topic"),
        sa.Column(
            "next_offset",
            sa.BigInteger,
            nullable=False,
            comment="The table holds every record below this offset",
        ),
        sa.Column(
            "updated_at",
            Instant,
            server_default=sa.text("now()"),
            nullable=False,
            comment="When the offset was last moved",
        ),
        sa.PrimaryKeyConstraint("projection", "topic_id", "partition", name=op.f("pk_sink_offsets")),
        schema="ops",
        comment="How far each table is in each partition; moved in the transaction that writes the rows",
        postgresql_with={"fillfactor": 50},
    )


def downgrade() -> None:
    op.drop_table("sink_offsets", schema="ops")
    op.drop_table("clocks", schema="ops")
    op.execute("ALTER DEFAULT PRIVILEGES IN SCHEMA ops REVOKE ALL ON TABLES FROM vaart_sink")
    op.execute("REVOKE ALL ON ops.alembic_version FROM vaart_sink")
    op.execute("REVOKE ALL ON SCHEMA ops FROM vaart_sink")
    for name in ("mart", "core", "ingest"):
        op.execute(f"DROP SCHEMA {name}")
