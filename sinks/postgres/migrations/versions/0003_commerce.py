"""Orders, products and stock."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

Amount = sa.Numeric(18, 4)
Currency = sa.CHAR(3)
LEDGER_PARTITIONS = 8
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
        "order_lines",
        sa.Column("order_id", sa.Text, nullable=False, comment="The order"),
        sa.Column("line_id", sa.Text, nullable=False, comment="The line within the order"),
        sa.Column("sku", sa.Text, comment="The product"),
        sa.Column("quantity", sa.BigInteger, nullable=False, comment="How much, in the unit"),
        sa.Column("unit", sa.Text, nullable=False, comment="piece, g, ml or mm"),
        sa.Column("unit_price", Amount, comment="Price of one unit before discounts"),
        sa.Column("discount", Amount, nullable=False, comment="Discounts on the line"),
        sa.Column("total", Amount, nullable=False, comment="What the line costs, after discounts"),
        sa.Column("status", sa.Text, nullable=False, comment="Status of the line"),
        sa.Column("sold_by", sa.Text, comment="The seller"),
        sa.Column("stock_owner", sa.Text, comment="Whose stock it came from"),
        sa.Column("returned_quantity", sa.BigInteger, nullable=False, comment="How much came back"),
        *versioned(),
        sa.PrimaryKeyConstraint("order_id", "line_id", name=op.f("pk_order_lines")),
        schema="core",
        comment="Lines of orders and till receipts, from commerce.order-states.v1",
    )
    op.create_table(
        "orders",
        sa.Column(
            "order_id", sa.Text, nullable=False, comment="The order: its source, a colon, the source's own id"
        ),
        sa.Column("number", sa.Text, comment="The number that the customer knows"),
        sa.Column("channel", sa.Text, nullable=False, comment="Channel of sale, such as web or store"),
        sa.Column("source", sa.Text, nullable=False, comment="The installation that took the order"),
        sa.Column(
            "identifier_kind",
            sa.Text,
            comment="Kind of the strongest identifier on the order; empty for a stranger",
        ),
        sa.Column("identifier_value", sa.Text, comment="That identifier; personal data"),
        sa.Column("location_id", sa.Text, comment="The store; empty for an order without one"),
        sa.Column("status", sa.Text, nullable=False, comment="Status derived from the lines"),
        sa.Column("placed_at", Instant, nullable=False, comment="When it was placed or sold"),
        sa.Column("business_date", sa.Date, comment="Local day of the shop to which it is booked"),
        sa.Column("total", Amount, nullable=False, comment="What the customer pays, after discounts"),
        sa.Column("discount", Amount, nullable=False, comment="Discounts on the whole order"),
        sa.Column("currency", Currency, nullable=False, comment="ISO 4217 currency of the amounts"),
        sa.Column("line_count", sa.Integer, nullable=False, comment="Number of lines"),
        *versioned(),
        sa.PrimaryKeyConstraint("order_id", name=op.f("pk_orders")),
        schema="core",
        comment="Orders and till receipts in their newest state, from commerce.order-states.v1",
    )
    op.create_index(
        op.f("ix_orders_identifier_kind_identifier_value"),
        "orders",
        ["identifier_kind", "identifier_value"],
        schema="core",
    )
    op.create_index(
        op.f("ix_orders_placed_at"), "orders", ["placed_at"], schema="core", postgresql_using="brin"
    )
    op.create_table(
        "products",
        sa.Column("sku", sa.Text, nullable=False, comment="The product"),
        sa.Column("name", sa.Text, comment="Name that customers see"),
        sa.Column("category", sa.Text, comment="Category"),
        sa.Column("brand", sa.Text, comment="Brand"),
        sa.Column("owner", sa.Text, comment="Whose product it is; a partner's are sold for the partner"),
        *versioned(),
        sa.PrimaryKeyConstraint("sku", name=op.f("pk_products")),
        schema="core",
        comment="Products in their newest version, from commerce.products.v1",
    )
    op.create_table(
        "stock_ledger",
        sa.Column("sku", sa.Text, nullable=False, comment="The product"),
        sa.Column(
            "seq", sa.BigInteger, nullable=False, comment="Number of the movement, without gaps per product"
        ),
        sa.Column("location_id", sa.Text, nullable=False, comment="Store or warehouse"),
        sa.Column("owner", sa.Text, nullable=False, comment="Whose goods they are"),
        sa.Column("event_id", sa.UUID, nullable=False, comment="The event that caused it"),
        sa.Column("line_no", sa.Integer, nullable=False, comment="Number of the movement within that event"),
        sa.Column("kind", sa.Text, nullable=False, comment="What happened, such as sold or counted"),
        sa.Column("bucket", sa.Text, nullable=False, comment="The bucket that changed"),
        sa.Column("delta", sa.BigInteger, nullable=False, comment="Units added, or taken when negative"),
        sa.Column("at", Instant, nullable=False, comment="When it happened"),
        *lineage(),
        sa.PrimaryKeyConstraint("sku", "seq", name=op.f("pk_stock_ledger")),
        sa.UniqueConstraint("sku", "event_id", "line_no", name=op.f("uq_stock_ledger_sku_event_id_line_no")),
        schema="core",
        comment="Every movement of stock, from stock.ledger.v1",
        postgresql_partition_by="HASH (sku)",
    )
    op.create_index(
        op.f("ix_stock_ledger_ingested_at"),
        "stock_ledger",
        ["ingested_at"],
        schema="core",
        postgresql_using="brin",
    )
    op.create_table(
        "stock_levels",
        sa.Column("sku", sa.Text, nullable=False, comment="The product"),
        sa.Column("location_id", sa.Text, nullable=False, comment="Store or warehouse"),
        sa.Column("owner", sa.Text, nullable=False, comment="Whose goods they are"),
        sa.Column("available", sa.BigInteger, nullable=False, comment="Free to sell"),
        sa.Column("held", sa.BigInteger, nullable=False, comment="Kept for a short time for a checkout"),
        sa.Column("committed", sa.BigInteger, nullable=False, comment="Promised to orders"),
        sa.Column("picked", sa.BigInteger, nullable=False, comment="Taken from the shelf for orders"),
        sa.Column("quality_control", sa.BigInteger, nullable=False, comment="Waiting for inspection"),
        sa.Column("damaged", sa.BigInteger, nullable=False, comment="Damaged"),
        sa.Column("safety", sa.BigInteger, nullable=False, comment="Kept back as a reserve"),
        sa.Column("blocked", sa.BigInteger, nullable=False, comment="Recalled, missing or being repaired"),
        sa.Column(
            "on_hand",
            sa.BigInteger,
            nullable=False,
            comment="Everything that lies there: the sum of the buckets above",
        ),
        sa.Column(
            "shortage",
            sa.BigInteger,
            nullable=False,
            comment="Units that facts say left although the shelf had none: a count is needed",
        ),
        sa.Column("incoming", sa.BigInteger, nullable=False, comment="Announced by a supplier"),
        sa.Column("in_transit", sa.BigInteger, nullable=False, comment="On the way from another place"),
        sa.Column(
            "counted_at",
            Instant,
            comment="The moment that the newest count is about; empty when never counted",
        ),
        *versioned(),
        sa.PrimaryKeyConstraint("sku", "location_id", "owner", name=op.f("pk_stock_levels")),
        schema="core",
        comment="Stock by product, place and owner, from stock.levels.v1",
        postgresql_with={"fillfactor": 85},
    )
    for number in range(LEDGER_PARTITIONS):
        op.execute(
            f"CREATE TABLE core.stock_ledger_{number} PARTITION OF core.stock_ledger "
            f"FOR VALUES WITH (MODULUS {LEDGER_PARTITIONS}, REMAINDER {number})"
        )
        op.execute(f"COMMENT ON TABLE core.stock_ledger_{number} IS 'Part {number} of core.stock_ledger'")


def downgrade() -> None:
    op.drop_table("orders", schema="core")
    op.drop_table("order_lines", schema="core")
    op.drop_table("products", schema="core")
    op.drop_table("stock_levels", schema="core")
    op.drop_table("stock_ledger", schema="core")
