"""What left, and how far it came."""

from collections.abc import Iterator

from connectors.protocol import documents
from connectors.protocol.channel import Verdict
from connectors.vendors.shopify.payload import FulfilledLine, Fulfillment
from connectors.vendors.shopify.shop import Shop
from schemas.events.lines import LineQuantity
from schemas.events.orders import (
    DeliveryFailed,
    OrderDelivered,
    OrderOutForDelivery,
    OrderReadyForPickup,
    OrderShipped,
)
from schemas.events.parcels import ParcelLinked
from schemas.meta import Event


def fulfilled(shop: Shop, body: bytes) -> Verdict:
    shipment = documents.read(body, Fulfillment)
    return Verdict(list(shipment_events(shop, shipment)))


def shipment_events(shop: Shop, shipment: Fulfillment) -> Iterator[Event]:
    """That it left, with which parcels, and where its carrier says it is."""
    order, number = str(shipment.order_id), shipment.tracking_number
    carrier = shipment.tracking_company
    shipped_at = shop.at(shipment.created_at)
    if shipment.status == "success":
        yield OrderShipped(
            meta=shop.meta(OrderShipped, str(shipment.id), shipped_at),
            order_id=order,
            shipment_id=str(shipment.id),
            lines=[_shipped(line) for line in shipment.line_items],
            carrier=carrier,
            tracking_number=number,
            location_id=None if shipment.location_id is None else shop.location(shipment.location_id),
        )
        for each in shipment.tracking_numbers or ([number] if number else []):
            yield ParcelLinked(
                meta=shop.meta(ParcelLinked, f"{carrier}:{each}:{order}", shipped_at),
                carrier=carrier or "unknown",
                tracking_number=each,
                order_id=order,
                shipment_id=str(shipment.id),
            )
    yield from _parcel_status(shop, shipment)


def _parcel_status(shop: Shop, shipment: Fulfillment) -> Iterator[Event]:
    """What the carrier told the shop. Under way and the like say nothing that an order's state needs."""
    order, named = str(shipment.order_id), str(shipment.id)
    at = shop.at(shipment.updated_at)
    if shipment.shipment_status == "delivered":
        meta = shop.meta(OrderDelivered, named, at)
        yield OrderDelivered(meta=meta, order_id=order, shipment_id=named, at=meta.occurred_at)
    elif shipment.shipment_status == "out_for_delivery":
        meta = shop.meta(OrderOutForDelivery, named, at)
        yield OrderOutForDelivery(meta=meta, order_id=order, shipment_id=named, at=meta.occurred_at)
    elif shipment.shipment_status in ("attempted_delivery", "failure"):
        meta = shop.meta(DeliveryFailed, f"{named}:{shipment.updated_at}", at)
        reason = shipment.shipment_status
        yield DeliveryFailed(meta=meta, order_id=order, shipment_id=named, at=meta.occurred_at, reason=reason)
    elif shipment.shipment_status == "ready_for_pickup" and shipment.location_id is not None:
        yield OrderReadyForPickup(
            meta=shop.meta(OrderReadyForPickup, named, at),
            order_id=order,
            lines=[_shipped(line) for line in shipment.line_items],
            location_id=shop.location(shipment.location_id),
        )


def _shipped(line: FulfilledLine) -> LineQuantity:
    return LineQuantity(line_id=str(line.id), sku=line.sku, quantity=line.quantity)
