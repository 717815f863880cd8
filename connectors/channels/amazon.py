"""Amazon: notifications of its Selling Partner API, from an SQS queue of ours or by EventBridge.

| NotificationType | events |
| --- | --- |
| ORDER_CHANGE | OrderCancelled, or CancellationRequested where the buyer wants it; the order is asked for |
| FULFILLMENT_ORDER_STATUS, with packages | OrderShipped, and ParcelLinked for each of them |
| FBA_INVENTORY_AVAILABILITY_CHANGES | StockLevelReported for each marketplace |
| LISTINGS_ITEM_MFN_QUANTITY_CHANGE | StockLevelReported |
| another | nothing |

An order comes without its prices and its buyer. Newer types write their names in camelCase, older ones in PascalCase:
they are read alike. EventBridge puts the notification in `detail`.

Nothing is signed: who may write to the queue is settled by IAM. An API destination of EventBridge sends a credential,
which is one of the source's secrets (amzn/selling-partner-api-models, schemas/notifications).
"""

from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from connectors.protocol import credentials, documents, facts, values
from connectors.protocol.channel import (
    STORES,
    Channel,
    Evidence,
    Fetch,
    Option,
    Outcome,
    Refused,
    Request,
    Source,
    Verdict,
)
from connectors.protocol.documents import NotReadable, Unfit
from connectors.protocol.facts import Facts
from schemas.events.lines import LineQuantity
from schemas.events.orders import CancellationRequested, OrderCancelled, OrderShipped
from schemas.events.parcels import ParcelLinked
from schemas.events.stock import StockLevelReported
from schemas.meta import Event, Instant

MEDIUM = "marketplace"
ORDER, ORDER_CHANGE = "order", "ORDER_CHANGE"
CANCELED, BY_BUYER = "Canceled", "BuyerRequestedChange"


class Metadata(msgspec.Struct):
    notificationid: str = ""


class Notification(msgspec.Struct):
    notificationtype: str
    eventtime: str
    payload: dict[str, Any]
    notificationmetadata: Metadata | None = None


class Item(msgspec.Struct):
    orderitemid: str
    quantity: int
    sellersku: str | None = None
    isbuyerrequestedcancel: bool = False


class Summary(msgspec.Struct):
    orderstatus: str
    orderitems: list[Item] = []


class Trigger(msgspec.Struct):
    changereason: str | None = None


class OrderChange(msgspec.Struct):
    amazonorderid: str
    orderchangetype: str
    summary: Summary
    orderchangetrigger: Trigger | None = None


class Package(msgspec.Struct):
    carriercode: str | None = None
    trackingnumber: str | None = None


class Shipment(msgspec.Struct):
    amazonshipmentid: str
    fulfillmentshipmentpackages: list[Package] = []


class Fulfilment(msgspec.Struct):
    sellerfulfillmentorderid: str
    statusupdateddatetime: str
    fulfillmentshipment: Shipment | None = None


class Counted(msgspec.Struct):
    fulfillable: int


class Market(msgspec.Struct):
    marketplaceid: str
    fulfillmentinventory: Counted


class Inventory(msgspec.Struct):
    sku: str
    fulfillmentinventorybymarketplace: list[Market]


class Listed(msgspec.Struct):
    sku: str
    quantity: int
    fulfillmentchannelcode: str = "DEFAULT"


def receive(request: Request, source: Source) -> Outcome:
    """One notification."""
    if not credentials.are_right(request, source):
        return Refused("the credential does not fit")
    try:
        found = documents.fit(_notification(documents.parse(request.body)), Notification)
        metadata = found.notificationmetadata or Metadata()
        made = Facts(request, source, MEDIUM, metadata.notificationid)
        at, read = values.moment(found.eventtime), _TYPES.get(found.notificationtype)
        is_order = found.notificationtype == ORDER_CHANGE
        fetches = [Fetch(ORDER, _change(found.payload).amazonorderid)] if is_order else []
        return Verdict(list(read(made, source, found.payload, at)) if read else [], fetches=fetches)
    except (NotReadable, Unfit) as error:
        return facts.put_aside(request.body, error)


def _notification(document: Any) -> Any:
    """With its names in lower case, whichever way they were written."""
    inner = document.get("detail", document) if isinstance(document, dict) else document
    if documents.is_too_deep(inner):
        raise NotReadable("it is nested too deep")
    return _lower(inner)


def _lower(value: Any) -> Any:
    if isinstance(value, dict):
        return {name.lower(): _lower(inner) for name, inner in value.items()}
    return [_lower(each) for each in value] if isinstance(value, list) else value


def _change(payload: dict[str, Any]) -> OrderChange:
    return documents.fit(payload.get("orderchangenotification"), OrderChange)


def _order(made: Facts, _: Source, payload: dict[str, Any], at: Instant) -> Iterator[Event]:
    change = _change(payload)
    reason = change.orderchangetrigger.changereason if change.orderchangetrigger else None
    items = change.summary.orderitems
    if change.summary.orderstatus == CANCELED:
        yield OrderCancelled(
            meta=made.meta(OrderCancelled, change.amazonorderid, at),
            order_id=change.amazonorderid,
            lines=_lines(items),
            reason=reason,
        )
    asked = [each for each in items if each.isbuyerrequestedcancel]
    if change.orderchangetype == BY_BUYER and asked:
        yield CancellationRequested(
            meta=made.meta(CancellationRequested, change.amazonorderid, at),
            order_id=change.amazonorderid,
            lines=_lines(asked),
            reason=reason,
            by="customer",
        )


def _lines(items: list[Item]) -> list[LineQuantity]:
    return [
        LineQuantity(line_id=each.orderitemid, sku=each.sellersku, quantity=each.quantity) for each in items
    ]


def _shipped(made: Facts, _: Source, payload: dict[str, Any], at: Instant) -> Iterator[Event]:
    found = documents.fit(payload.get("fulfillmentorderstatusnotification", payload), Fulfilment)
    shipment = found.fulfillmentshipment
    packages = (
        [each for each in shipment.fulfillmentshipmentpackages if each.trackingnumber] if shipment else []
    )
    if shipment is None or not packages:
        return
    order_id, at = found.sellerfulfillmentorderid, values.moment(found.statusupdateddatetime)
    yield OrderShipped(
        meta=made.meta(OrderShipped, f"{order_id}:{shipment.amazonshipmentid}", at),
        order_id=order_id,
        shipment_id=shipment.amazonshipmentid,
        carrier=_carrier(packages[0]),
        tracking_number=packages[0].trackingnumber,
    )
    for package in {each.trackingnumber: each for each in packages}.values():
        yield ParcelLinked(
            meta=made.meta(ParcelLinked, f"{order_id}:{package.trackingnumber}", at),
            carrier=_carrier(package),
            tracking_number=package.trackingnumber or "",
            order_id=order_id,
            shipment_id=shipment.amazonshipmentid,
        )


def _carrier(package: Package) -> str:
    return (package.carriercode or "amazon").lower()


def _inventory(made: Facts, source: Source, payload: dict[str, Any], at: Instant) -> Iterator[Event]:
    found = documents.fit(payload, Inventory)
    markets = {each.marketplaceid: each for each in found.fulfillmentinventorybymarketplace}
    for market in markets.values():
        yield _level(
            made, found.sku, source.place(market.marketplaceid), market.fulfillmentinventory.fulfillable, at
        )


def _listing(made: Facts, source: Source, payload: dict[str, Any], at: Instant) -> Iterator[Event]:
    found = documents.fit(payload, Listed)
    yield _level(made, found.sku, source.place(found.fulfillmentchannelcode), found.quantity, at)


def _level(made: Facts, sku: str, place: str, quantity: int, at: Instant) -> Event:
    return StockLevelReported(
        meta=made.meta(StockLevelReported, f"{sku}:{place}:{at}", at),
        sku=sku,
        location_id=place,
        quantities={"available": quantity},
        as_of=at,
    )


_TYPES: dict[str, Callable[[Facts, Source, dict[str, Any], Instant], Iterator[Event]]] = {
    ORDER_CHANGE: _order,
    "FULFILLMENT_ORDER_STATUS": _shipped,
    "FBA_INVENTORY_AVAILABILITY_CHANGES": _inventory,
    "LISTINGS_ITEM_MFN_QUANTITY_CHANGE": _listing,
}

CHANNEL = Channel(
    name="amazon",
    title="Amazon Selling Partner API",
    medium=MEDIUM,
    receive=receive,
    proof="credential",
    evidence=Evidence("documented", "documented", "amzn/selling-partner-api-models schemas/notifications"),
    options=(
        Option(
            STORES, "which place of ours a marketplace's id or a fulfilment channel's code is", is_map=True
        ),
    ),
)
