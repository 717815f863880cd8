"""Products: the newest master record of each."""

from collections.abc import Iterator

from sqlalchemy import Column, Table, Text

from schemas.events.products import ProductReported
from schemas.topics import PRODUCTS
from sinks.projections.projection import METADATA, Projection, Row, versioned, whole_key


def rows(_key: str, product: ProductReported) -> Iterator[Row]:
    """One row. A report carries no sequence number: the time it is about orders it, then its offset."""
    updated_at = product.updated_at or product.meta.occurred_at
    yield (
        product.sku,
        product.name,
        product.category,
        product.brand,
        product.owner,
        updated_at,
        updated_at,
    )


TABLE = Table(
    "products",
    METADATA,
    Column("sku", Text, primary_key=True, comment="The product"),
    Column("name", Text, comment="Name that customers see"),
    Column("category", Text, comment="Category"),
    Column("brand", Text, comment="Brand"),
    Column("owner", Text, comment="Whose product it is; a partner's are sold for the partner"),
    *versioned(),
    comment="Products in their newest version, from commerce.products.v1",
)

PROJECTION = Projection(TABLE, (PRODUCTS,), ProductReported, rows, forget=whole_key)
