"""Orders and till receipts: one row each, in their newest state."""

from collections.abc import Iterator

from sqlalchemy import Column, Index, Integer, Table, Text

from schemas.events.states import OrderState
from schemas.identifiers import strongest
from schemas.topics import ORDER_STATES
from sinks.projections.identities import comparable
from sinks.projections.projection import (
    METADATA,
    Amount,
    Currency,
    Day,
    Instant,
    Projection,
    Row,
    versioned,
    whole_key,
)


def rows(_key: str, order: OrderState) -> Iterator[Row]:
    """One row. Whose order it is follows from the identifier, so that a merge of profiles rewrites no order."""
    customer = strongest(order.identifiers)
    yield (
        order.order_id,
        order.number,
        order.channel,
        order.source,
        customer.kind if customer else None,
        comparable(customer.kind, customer.value) if customer else None,
        order.location_id,
        order.status,
        order.placed_at,
        order.business_date,
        order.total,
        order.discount,
        order.currency,
        len(order.lines),
        order.seq,
        order.updated_at,
    )


TABLE = Table(
    "orders",
    METADATA,
    Column("order_id", Text, primary_key=True, comment="The order: its source, a colon, the source's own id"),
    Column("number", Text, comment="The number that the customer knows"),
    Column("channel", Text, nullable=False, comment="Channel of sale, such as web or store"),
    Column("source", Text, nullable=False, comment="The installation that took the order"),
    Column(
        "identifier_kind", Text, comment="Kind of the strongest identifier on the order; empty for a stranger"
    ),
    Column("identifier_value", Text, comment="That identifier; personal data"),
    Column("location_id", Text, comment="The store; empty for an order without one"),
    Column("status", Text, nullable=False, comment="Status derived from the lines"),
    Column("placed_at", Instant, nullable=False, comment="When it was placed or sold"),
    Column("business_date", Day, comment="Local day of the shop to which it is booked"),
    Column("total", Amount, nullable=False, comment="What the customer pays, after discounts"),
    Column("discount", Amount, nullable=False, comment="Discounts on the whole order"),
    Column("currency", Currency, nullable=False, comment="ISO 4217 currency of the amounts"),
    Column("line_count", Integer, nullable=False, comment="Number of lines"),
    *versioned(),
    comment="Orders and till receipts in their newest state, from commerce.order-states.v1",
)
Index(None, TABLE.c.identifier_kind, TABLE.c.identifier_value)
Index(None, TABLE.c.placed_at, postgresql_using="brin")

PROJECTION = Projection(TABLE, (ORDER_STATES,), OrderState, rows, forget=whole_key)
