"""A shipment of bol: that it left, which parcel it is, and where the parcel has been."""

from collections.abc import Iterator

from connectors.protocol import parcels, values
from connectors.protocol.facts import Facts
from connectors.vendors.bol.orders import ZONE
from connectors.vendors.bol.payload import Shipment, ShipmentItem, Transport
from schemas.events.lines import LineQuantity
from schemas.events.orders import OrderShipped
from schemas.events.parcels import ParcelLinked, ParcelStatusReported
from schemas.meta import Event


def shipment_events(made: Facts, shipment: Shipment) -> Iterator[Event]:
    """All that it tells as it is now. Raises Unfit."""
    at, transport = values.moment(shipment.shipment_date_time, ZONE), shipment.transport or Transport()
    carrier, number = (transport.transporter_code or "unknown").lower(), transport.track_and_trace
    yield OrderShipped(
        meta=made.meta(OrderShipped, shipment.shipment_id, at),
        order_id=shipment.order.order_id,
        shipment_id=shipment.shipment_id,
        lines=[_line(item) for item in shipment.shipment_items],
        carrier=carrier if transport.transporter_code else None,
        tracking_number=number,
    )
    if number:
        yield ParcelLinked(
            meta=made.meta(ParcelLinked, f"{carrier}:{number}", at),
            carrier=carrier,
            tracking_number=number,
            order_id=shipment.order.order_id,
            shipment_id=shipment.shipment_id,
        )
        yield from _statuses(made, carrier, number, transport)


def _statuses(made: Facts, carrier: str, number: str, transport: Transport) -> Iterator[Event]:
    told = {(each.event_code, each.event_date_time): None for each in transport.transport_events}
    for code, when in told:
        meta = made.meta(ParcelStatusReported, f"{carrier}:{number}:{code}:{when}", values.moment(when, ZONE))
        yield ParcelStatusReported(
            meta=meta,
            carrier=carrier,
            tracking_number=number,
            status=_STATUSES.get(code, parcels.UNKNOWN),
            raw_code=code,
            at=meta.occurred_at,
        )


def _line(item: ShipmentItem) -> LineQuantity:
    sku = (item.offer.reference if item.offer else None) or (item.product.ean if item.product else None)
    shipped = item.quantity if item.quantity_shipped is None else item.quantity_shipped
    return LineQuantity(line_id=item.order_item_id, sku=sku, quantity=shipped)


_STATUSES = {
    "PRE_ANNOUNCED": parcels.ANNOUNCED,
    "INBOUND_COLLECT": parcels.COLLECTED,
    "AT_TRANSPORTER": parcels.COLLECTED,
    "IN_TRANSIT": parcels.IN_TRANSIT,
    "AT_PICK_UP_POINT": parcels.AT_PICKUP_POINT,
    "DELIVERED_AT_NEIGHBOURS": parcels.DELIVERED,
    "DELIVERED_AT_CUSTOMER": parcels.DELIVERED,
    "PICKED_UP_AT_PICK_UP_POINT": parcels.DELIVERED,
    "RETURNED_TO_SENDER": parcels.RETURNING,
}
