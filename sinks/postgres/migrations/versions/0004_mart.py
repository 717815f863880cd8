"""The mart: the views that analysts read, and their grants."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from alembic import op
from sqlalchemy import text

revision = "0004"
down_revision = "0003"

# Traits have any name, so the value counts too: what looks like an e-mail address or a telephone number.
MASKED_TRAITS = """
CREATE FUNCTION mart.masked_traits(traits jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT coalesce(jsonb_object_agg(name, CASE
        WHEN name ~* '(mail|phone|mobile|name|address|street|house_?n|postal|zip|birth|iban|gender)'
            OR value ~ '@' OR value ~ '^\\+?[0-9() -]{8,}$'
        THEN '***' ELSE value END), '{}')
    FROM jsonb_each_text(traits) AS trait (name, value)
$$
"""

LINEAGE = "src_topic, src_partition, src_offset, ingested_at"
VERSIONED = f"seq, updated_at, {LINEAGE}"


class View(NamedTuple):
    """`comments` are for columns that no core table of the same name explains."""

    name: str
    comment: str
    select: str
    comments: Mapping[str, str] = MappingProxyType({})


VIEWS = (
    View(
        "profiles",
        "Customers: one row each, personal traits masked",
        """SELECT profile_id, merged_into, first_seen_at, last_seen_at,
            (SELECT step FROM core.journeys AS stage
             WHERE stage.profile_id = profile.profile_id AND stage.journey = 'life_cycle'
             ORDER BY stage.entered_at DESC LIMIT 1) AS stage,
            order_count, revenue, returned_revenue, discount, currency, last_order_at,
            favourite_channel, favourite_location_id, mart.masked_traits(traits) AS traits,
            consents, campaigns, coupons, {versioned}
        FROM core.profiles AS profile""",
        {"stage": "Stage of the life cycle: new, active, at_risk or lapsed; empty without a purchase"},
    ),
    View(
        "identities",
        "Identifiers and whose they are; e-mail addresses and telephone numbers masked",
        """SELECT kind,
            CASE WHEN kind IN ('email', 'phone', 'whatsapp', 'sms') OR value LIKE '%@%' THEN '***'
                ELSE value END AS value,
            profile_id, verified, first_seen_at, {versioned}
        FROM core.identities""",
        {"value": "The identifier; *** where it is personal"},
    ),
    View(
        "orders",
        "Orders and till receipts in their newest state, with the customer they belong to now",
        """SELECT placed.order_id, identity.profile_id, placed.number, placed.channel, placed.source,
            placed.location_id, placed.status, placed.placed_at, placed.business_date, placed.total,
            placed.discount, placed.currency, placed.line_count, placed.seq, placed.updated_at, placed.src_topic,
            placed.src_partition, placed.src_offset, placed.ingested_at
        FROM core.orders AS placed
        LEFT JOIN core.identities AS identity
            ON identity.kind = placed.identifier_kind AND identity.value = placed.identifier_value""",
        {"profile_id": "The customer; empty for a stranger"},
    ),
    View(
        "order_lines",
        "What was bought: one row a line",
        """SELECT order_id, line_id, sku, quantity, unit, unit_price, total, discount, status, sold_by,
            stock_owner, returned_quantity, {versioned}
        FROM core.order_lines""",
    ),
    View(
        "stock_levels",
        "Stock by product, place and owner",
        """SELECT sku, location_id, owner, available, held, committed, picked, quality_control, damaged,
            safety, blocked, on_hand, shortage, incoming, in_transit, counted_at, {versioned}
        FROM core.stock_levels""",
    ),
    View(
        "stock_ledger",
        "Every movement of stock, numbered without gaps per product",
        """SELECT sku, seq, location_id, owner, event_id, line_no, kind, bucket, delta, at, {lineage}
        FROM core.stock_ledger""",
    ),
    View(
        "products",
        "Products in their newest version",
        "SELECT sku, name, category, brand, owner, {versioned} FROM core.products",
    ),
    View(
        "journeys",
        "Running and ended journeys",
        """SELECT profile_id, journey, instance_key, version, step, status, entered_at, ended_at, exit_reason,
            split, converted_at, {versioned}
        FROM core.journeys""",
    ),
    View(
        "notifications",
        "What was to be sent to whom, and what became of it",
        """SELECT request.notification_id, request.profile_id, request.journey, request.instance_key,
            request.step, request.template, request.medium AS channel,
            coalesce(outcome.status, 'requested') AS status, outcome.reason,
            request.requested_at, outcome.decided_at,
            CASE WHEN outcome.status = 'sent' THEN outcome.decided_at END AS sent_at,
            request.src_topic, request.src_partition, request.src_offset, request.ingested_at
        FROM core.notifications AS request
        LEFT JOIN LATERAL (
            SELECT status, reason, decided_at FROM core.notification_outcomes AS reported
            WHERE reported.notification_id = request.notification_id
            ORDER BY reported.decided_at DESC LIMIT 1
        ) AS outcome ON true""",
        {
            "channel": "How it goes out: email, sms, push or another",
            "status": "requested, sent, failed or another",
            "reason": "Why, when it was not sent",
            "decided_at": "When the sender decided",
            "sent_at": "When it was sent; empty when it was not",
        },
    ),
    View(
        "revenue_by_week_and_store",
        "Revenue by week and store",
        """SELECT
            date_trunc('week', coalesce(business_date, (placed_at AT TIME ZONE 'UTC')::date))::date AS week,
            location_id, currency, count(*) AS order_count, sum(total) AS revenue, sum(discount) AS discount
        FROM core.orders GROUP BY 1, 2, 3""",
        {
            "week": "Monday of the week",
            "order_count": "Orders and till receipts",
            "revenue": "What customers paid, after discounts",
            "discount": "Discounts they got",
        },
    ),
    View(
        "sales_by_product",
        "Units and revenue by product",
        """SELECT line.sku, product.name, product.category, product.brand, line.unit, placed.currency,
            count(*) AS line_count, sum(line.quantity) AS quantity, sum(line.total) AS revenue
        FROM core.order_lines AS line
        JOIN core.orders AS placed USING (order_id)
        LEFT JOIN core.products AS product ON product.sku = line.sku
        GROUP BY 1, 2, 3, 4, 5, 6""",
        {
            "line_count": "Lines of orders and receipts",
            "quantity": "How much was sold, in the unit",
            "revenue": "What customers paid, after discounts",
        },
    ),
    View(
        "customers_by_stage",
        "Customers by stage of the life cycle",
        """SELECT step AS stage, count(*) AS customer_count FROM core.journeys
        WHERE journey = 'life_cycle' GROUP BY 1""",
        {"stage": "new, active, at_risk or lapsed", "customer_count": "Customers in that stage"},
    ),
)


def upgrade() -> None:
    op.execute(MASKED_TRAITS)
    op.execute("COMMENT ON FUNCTION mart.masked_traits IS 'Traits with personal ones replaced by ***'")
    for view in VIEWS:
        select = view.select.format(versioned=VERSIONED, lineage=LINEAGE)
        op.execute(f"CREATE VIEW mart.{view.name} AS {select}")
        op.execute(f"COMMENT ON VIEW mart.{view.name} IS '{view.comment}'")
        _comment_columns(view)
    op.execute("GRANT USAGE ON SCHEMA mart TO vaart_reader")
    op.execute("GRANT SELECT ON ALL TABLES IN SCHEMA mart TO vaart_reader")
    op.execute("ALTER DEFAULT PRIVILEGES IN SCHEMA mart GRANT SELECT ON TABLES TO vaart_reader")


def downgrade() -> None:
    for view in reversed(VIEWS):
        op.execute(f"DROP VIEW mart.{view.name}")
    op.execute("DROP FUNCTION mart.masked_traits")
    op.execute("ALTER DEFAULT PRIVILEGES IN SCHEMA mart REVOKE SELECT ON TABLES FROM vaart_reader")
    op.execute("REVOKE USAGE ON SCHEMA mart FROM vaart_reader")


def _comment_columns(view: View) -> None:
    """A column that a core table has too is explained as it is there."""
    found = op.get_bind().execute(
        text("""
            SELECT shown.attname,
                (SELECT col_description(base.attrelid, base.attnum)
                 FROM pg_depend AS uses
                 JOIN pg_rewrite AS rule ON rule.oid = uses.objid AND rule.ev_class = shown.attrelid
                 JOIN pg_attribute AS base
                     ON base.attrelid = uses.refobjid AND base.attnum = uses.refobjsubid
                     AND base.attname = shown.attname
                 WHERE uses.classid = 'pg_rewrite'::regclass AND base.attrelid <> shown.attrelid
                 ORDER BY base.attrelid LIMIT 1)
            FROM pg_attribute AS shown
            WHERE shown.attrelid = CAST(:view AS regclass) AND shown.attnum > 0
        """),
        {"view": f"mart.{view.name}"},
    )
    for name, inherited in found.all():
        comment = (view.comments.get(name) or inherited).replace("'", "''")
        op.execute(f"COMMENT ON COLUMN mart.{view.name}.{name} IS '{comment}'")
