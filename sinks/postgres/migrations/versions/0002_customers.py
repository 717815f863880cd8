"""Customers, their identifiers, journeys and notifications."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0002"
down_revision = "0001"

Amount = sa.Numeric(18, 4)
Currency = sa.CHAR(3)
Instant = sa.TIMESTAMP(timezone=True)


def lineage() -> list[sa.Column[Any]]:
    """As in sinks.projections.projection when this revision was written."""
    return [
        sa.Column(
            "src_topic", sa.Text, nullable=False, comment="Kafka topic of the record that the row came from"
        ),
        sa.Column("src_partition", sa.Integer, nullable=False, comment="Partition of that record"),
        sa.Column("src_offset", sa.BigInteger, nullable=False, comment="Offset of that record"),
        sa.Column(
            "ingested_at",
            Instant,
            server_default=sa.func.now(),
            nullable=False,
            comment="When the row was last written",
        ),
    ]


def versioned() -> list[sa.Column[Any]]:
    """As in sinks.projections.projection when this revision was written."""
    return [
        sa.Column(
            "seq",
            sa.BigInteger,
            nullable=False,
            comment="Version of the row; an older one never replaces a newer",
        ),
        sa.Column(
            "updated_at", Instant, nullable=False, comment="Time of the newest event that the row reflects"
        ),
        *lineage(),
    ]


def upgrade() -> None:
    op.create_table(
        "identities",
        sa.Column(
            "identifier_key",
            sa.Text,
            nullable=False,
            comment="kind:value, the value of a personal kind as an HMAC",
        ),
        sa.Column("kind", sa.Text, nullable=False, comment="Kind of identifier, such as loyalty_card"),
        sa.Column(
            "value",
            sa.Text,
            nullable=False,
            comment="The identifier; personal data",
        ),
        sa.Column("profile_id", sa.UUID, nullable=False, comment="The customer it belongs to"),
        sa.Column(
            "verified",
            sa.Boolean,
            nullable=False,
            comment="Whether a source has checked that it is the customer's",
        ),
        sa.Column("first_seen_at", Instant, nullable=False, comment="First event that carried it"),
        *versioned(),
        sa.PrimaryKeyConstraint("identifier_key", name=op.f("pk_identities")),
        schema="core",
        comment="Identifiers and the profiles they point to, from customer.identities.v1",
        postgresql_with={"fillfactor": 90},
    )
    op.create_index(
        op.f("ix_identities_kind_value"), "identities", ["kind", "value"], unique=True, schema="core"
    )
    op.create_index(op.f("ix_identities_profile_id"), "identities", ["profile_id"], schema="core")
    op.create_table(
        "journeys",
        sa.Column("profile_id", sa.UUID, nullable=False, comment="The customer"),
        sa.Column("journey", sa.Text, nullable=False, comment="The journey, such as win_back"),
        sa.Column(
            "instance_key", sa.Text, nullable=False, comment="Which run of the journey, such as an order id"
        ),
        sa.Column(
            "version", sa.Integer, nullable=False, comment="Version of the journey that the run follows"
        ),
        sa.Column(
            "step",
            sa.Text,
            nullable=False,
            comment="The step where the customer is; the stage, in the life cycle",
        ),
        sa.Column("status", sa.Text, nullable=False, comment="running, or how it ended"),
        sa.Column("entered_at", Instant, nullable=False, comment="When the customer entered"),
        sa.Column("ended_at", Instant, comment="When the run ended; empty while it runs"),
        sa.Column("exit_reason", sa.Text, comment="Why it ended"),
        sa.Column("split", sa.Text, comment="Arm of the experiment"),
        sa.Column("converted_at", Instant, comment="When the journey's aim was reached"),
        *versioned(),
        sa.PrimaryKeyConstraint("profile_id", "journey", "instance_key", name=op.f("pk_journeys")),
        schema="core",
        comment="Running and ended journeys, from customer.journeys.v1",
        postgresql_with={"fillfactor": 85},
    )
    op.create_index(op.f("ix_journeys_journey_status"), "journeys", ["journey", "status"], schema="core")
    op.create_table(
        "notification_outcomes",
        sa.Column("notification_id", sa.UUID, nullable=False, comment="The notification"),
        sa.Column("event_id", sa.UUID, nullable=False, comment="The report"),
        sa.Column("profile_id", sa.UUID, nullable=False, comment="The customer"),
        sa.Column("medium", sa.Text, nullable=False, comment="email, sms, push or another"),
        sa.Column("status", sa.Text, nullable=False, comment="sent, failed, skipped or another"),
        sa.Column("reason", sa.Text, comment="Why, when it was not sent"),
        sa.Column("decided_at", Instant, nullable=False, comment="When that was known"),
        *lineage(),
        sa.PrimaryKeyConstraint("notification_id", "event_id", name=op.f("pk_notification_outcomes")),
        schema="core",
        comment="What became of notifications, from notifications.outcomes.v1",
    )
    op.create_table(
        "notifications",
        sa.Column(
            "notification_id",
            sa.UUID,
            nullable=False,
            comment="The notification; derived from journey and step",
        ),
        sa.Column("profile_id", sa.UUID, nullable=False, comment="The customer"),
        sa.Column("journey", sa.Text, nullable=False, comment="The journey that asked for it"),
        sa.Column("instance_key", sa.Text, nullable=False, comment="Which run of the journey"),
        sa.Column("step", sa.Text, nullable=False, comment="The step that asked for it"),
        sa.Column("template", sa.Text, nullable=False, comment="Name of the words to send"),
        sa.Column("medium", sa.Text, nullable=False, comment="email, sms, push or another"),
        sa.Column("locale", sa.Text, comment="Language of the words"),
        sa.Column("requested_at", Instant, nullable=False, comment="When the journey asked for it"),
        sa.Column("expires_at", Instant, comment="Not to be sent after this"),
        *lineage(),
        sa.PrimaryKeyConstraint("notification_id", name=op.f("pk_notifications")),
        schema="core",
        comment="Notifications that journeys asked for, from notifications.requested.v1",
    )
    op.create_index(op.f("ix_notifications_profile_id"), "notifications", ["profile_id"], schema="core")
    op.create_table(
        "profiles",
        sa.Column("profile_id", sa.UUID, nullable=False, comment="The customer"),
        sa.Column(
            "merged_into", sa.UUID, comment="The profile that this one became part of; empty for a live one"
        ),
        sa.Column("first_seen_at", Instant, comment="First event of the customer"),
        sa.Column("last_seen_at", Instant, comment="Newest event of the customer"),
        sa.Column("order_count", sa.Integer, nullable=False, comment="Orders and till receipts"),
        sa.Column("revenue", Amount, nullable=False, comment="What the customer paid, after discounts"),
        sa.Column("returned_revenue", Amount, nullable=False, comment="What was paid back for returns"),
        sa.Column("discount", Amount, nullable=False, comment="Discounts the customer got"),
        sa.Column(
            "currency", Currency, comment="ISO 4217 currency of the amounts; empty before the first order"
        ),
        sa.Column("last_order_at", Instant, comment="Newest order; empty before the first"),
        sa.Column("favourite_channel", sa.Text, comment="Channel with most orders"),
        sa.Column("favourite_location_id", sa.Text, comment="Store with most orders"),
        sa.Column(
            "traits",
            JSONB,
            nullable=False,
            comment="What is known of the customer, by name; personal data",
        ),
        sa.Column("consents", JSONB, nullable=False, comment="Consent by purpose"),
        sa.Column(
            "campaigns",
            JSONB,
            nullable=False,
            comment="Campaigns that reached the customer",
        ),
        sa.Column(
            "coupons",
            JSONB,
            nullable=False,
            comment="Discount codes that the customer redeemed",
        ),
        *versioned(),
        sa.PrimaryKeyConstraint("profile_id", name=op.f("pk_profiles")),
        schema="core",
        comment="Unified customer profiles, from customer.profiles.v1",
        postgresql_with={"fillfactor": 85},
    )


def downgrade() -> None:
    op.drop_table("profiles", schema="core")
    op.drop_table("identities", schema="core")
    op.drop_table("journeys", schema="core")
    op.drop_table("notifications", schema="core")
    op.drop_table("notification_outcomes", schema="core")
