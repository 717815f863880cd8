"""Products, and how many of them there are."""

from collections.abc import Iterator

import msgspec

from connectors.protocol import documents, facts
from connectors.protocol.channel import Fetch, Verdict
from connectors.vendors.shopify.payload import Level, Product, Variant
from connectors.vendors.shopify.shop import ITEM, Shop
from schemas.events.ingest import ReferenceLearned
from schemas.events.products import ProductReported
from schemas.events.stock import StockLevelReported
from schemas.meta import Event


def product(shop: Shop, body: bytes) -> Verdict:
    found = documents.read(body, Product)
    return facts.gather(
        [msgspec.to_builtins(variant) for variant in found.variants],
        lambda variant: _variant(shop, found, documents.fit(variant, Variant)),
    )


def level(shop: Shop, body: bytes) -> Verdict:
    found = documents.read(body, Level)
    if found.available is None:
        return Verdict()  # the shop does not track this item
    sku = shop.source.reference(ITEM, str(found.inventory_item_id))
    if sku is None:
        return Verdict(fetches=[Fetch(ITEM, str(found.inventory_item_id))])
    return Verdict([level_event(shop, found, sku, found.available)])


def level_event(shop: Shop, found: Level, sku: str, available: int) -> Event:
    """What there is of the product at a location. Raises Unfit."""
    place, at = shop.location(found.location_id), shop.at(found.updated_at)
    return StockLevelReported(
        meta=shop.meta(StockLevelReported, f"{sku}:{place}:{found.updated_at}", at),
        sku=sku,
        location_id=place,
        quantities={"available": available},
        as_of=at,
    )


def _variant(shop: Shop, found: Product, variant: Variant) -> Iterator[Event]:
    at = shop.at(found.updated_at)
    sku = variant.sku or str(variant.id)
    title = None if variant.title in (None, "Default Title") else variant.title
    yield ProductReported(
        meta=shop.meta(ProductReported, f"{sku}:{found.updated_at}", at),
        sku=sku,
        product_id=str(found.id),
        gtin=variant.barcode or None,
        name=" ".join(filter(None, [found.title, title])) or None,
        brand=found.vendor,
        category=found.product_type or None,
        attributes={"variant_id": str(variant.id)},
        images=[picture.src for picture in found.images],
        updated_at=at,
    )
    if variant.inventory_item_id is not None:
        yield ReferenceLearned(
            meta=shop.meta(ReferenceLearned, f"{ITEM}:{variant.inventory_item_id}:{sku}", at),
            kind=ITEM,
            foreign_id=str(variant.inventory_item_id),
            ours=sku,
        )
