"""The notification sink's own tables: what it has to send, what it has to tell, how far that was told."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

Instant = sa.TIMESTAMP(timezone=True)


def upgrade() -> None:
    op.create_table(
        "notification_deliveries",
        sa.Column("notification_id", sa.Text, nullable=False, comment="The notification"),
        sa.Column("profile_id", sa.Text, nullable=False, comment="The customer"),
        sa.Column("journey", sa.Text, nullable=False, comment="The journey that asked for it"),
        sa.Column("template", sa.Text, nullable=False, comment="Name of the words to send"),
        sa.Column("medium", sa.Text, nullable=False, comment="email, sms, push or another"),
        sa.Column("status", sa.Text, nullable=False, comment="claimed, sent or failed"),
        sa.Column("reason", sa.Text, comment="Why it failed; while claimed, why the last attempt did"),
        sa.Column("attempts", sa.Integer, nullable=False, comment="How often it was handed to the far side"),
        sa.Column("next_attempt_at", Instant, comment="When it is tried next, while claimed"),
        sa.Column("request", sa.LargeBinary, comment="What to send, address included; only while claimed"),
        sa.Column("requested_at", Instant, nullable=False, comment="When the journey asked for it"),
        sa.Column("claimed_at", Instant, nullable=False, comment="When this sink took it on"),
        sa.Column("decided_at", Instant, comment="When it was sent or failed"),
        sa.PrimaryKeyConstraint("notification_id", name=op.f("pk_notification_deliveries")),
        sa.CheckConstraint(
            "status IN ('claimed', 'sent', 'failed')", name=op.f("ck_notification_deliveries_status")
        ),
        sa.CheckConstraint(
            "(status = 'claimed') = (request IS NOT NULL AND next_attempt_at IS NOT NULL)",
            name=op.f("ck_notification_deliveries_request"),
        ),
        schema="ops",
        comment="Notifications that the sink took on: each id once",
    )
    op.create_index(
        op.f("ix_notification_deliveries_next_attempt_at"),
        "notification_deliveries",
        ["next_attempt_at"],
        schema="ops",
        postgresql_where=sa.text("status = 'claimed'"),
    )
    op.create_table(
        "notification_outbox",
        sa.Column(
            "id", sa.BigInteger, sa.Identity(always=True), nullable=False, comment="In order of arrival"
        ),
        sa.Column("batch", sa.BigInteger, comment="The Kafka transaction that it was put into"),
        sa.Column("topic", sa.Text, nullable=False, comment="Name of the topic, without prefix"),
        sa.Column("key", sa.Text, nullable=False, comment="The record's key"),
        sa.Column("value", sa.LargeBinary, nullable=False, comment="The record's bytes"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notification_outbox")),
        schema="ops",
        comment="Outcomes and dead letters that Kafka does not have yet",
    )
    op.create_table(
        "notification_relay",
        sa.Column("id", sa.Integer, nullable=False, comment="Always 1"),
        sa.Column("last_batch", sa.BigInteger, nullable=False, comment="Number of the newest transaction"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notification_relay")),
        sa.CheckConstraint("id = 1", name=op.f("ck_notification_relay_id")),
        schema="ops",
        comment="How the outbox is emptied",
    )
    op.execute("INSERT INTO ops.notification_relay (id, last_batch) VALUES (1, 0)")


def downgrade() -> None:
    op.drop_table("notification_relay", schema="ops")
    op.drop_table("notification_outbox", schema="ops")
    op.drop_table("notification_deliveries", schema="ops")
