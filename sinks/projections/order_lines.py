"""Order lines: what was bought, one row a line of an order or receipt."""

from collections.abc import Iterator

from sqlalchemy import BigInteger, Column, Table, Text

from schemas.events.states import OrderState
from schemas.topics import ORDER_STATES
from sinks.projections.projection import METADATA, Amount, Projection, Row, versioned, whole_key


def rows(_key: str, order: OrderState) -> Iterator[Row]:
    """One row a line."""
    order_id, seq, updated_at = order.order_id, order.seq, order.updated_at
    for line in order.lines:
        yield (
            order_id,
            line.line_id,
            line.sku,
            line.quantity,
            line.unit,
            line.unit_price,
            line.discount,
            line.total,
            line.status,
            line.sold_by,
            line.stock_owner,
            line.returned_quantity,
            seq,
            updated_at,
        )


TABLE = Table(
    "order_lines",
    METADATA,
    Column("order_id", Text, primary_key=True, comment="The order"),
    Column("line_id", Text, primary_key=True, comment="The line within the order"),
    Column("sku", Text, comment="The product"),
    Column("quantity", BigInteger, nullable=False, comment="How much, in the unit"),
    Column("unit", Text, nullable=False, comment="piece, g, ml or mm"),
    Column("unit_price", Amount, comment="Price of one unit before discounts"),
    Column("discount", Amount, nullable=False, comment="Discounts on the line"),
    Column("total", Amount, nullable=False, comment="What the line costs, after discounts"),
    Column("status", Text, nullable=False, comment="Status of the line"),
    Column("sold_by", Text, comment="The seller"),
    Column("stock_owner", Text, comment="Whose stock it came from"),
    Column("returned_quantity", BigInteger, nullable=False, comment="How much came back"),
    *versioned(),
    comment="Lines of orders and till receipts, from commerce.order-states.v1",
)

PROJECTION = Projection(TABLE, (ORDER_STATES,), OrderState, rows, forget=whole_key)
