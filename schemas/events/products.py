"""Products: what is sold, as the master says it now."""

import msgspec

from schemas.meta import Event, Instant


class ProductPart(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """A component of a kit."""

    sku: str
    quantity: int


class ProductReported(Event, frozen=True, gc=False, kw_only=True):
    """A source says how a product is now."""

    sku: str
    product_id: str | None = None
    gtin: str | None = None
    name: str | None = None
    brand: str | None = None
    category: str | None = None
    attributes: dict[str, str] = {}
    images: list[str] = []
    parts: list[ProductPart] = []
    is_returnable: bool | None = None
    owner: str | None = None
    version: int | None = None
    updated_at: Instant | None = None
