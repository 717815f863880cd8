"""Picqer: hooks of a warehouse.

| event | events |
| --- | --- |
| orders.created and the others with an order as their data | OrderReported |
| picklists.closed | OrderPacked |
| picklists.shipments.created | OrderShipped, and ParcelLinked where there is a tracking code |
| products.free_stock_changed, products.stock_changed | StockLevelReported of each warehouse |
| another | nothing |

Times have no zone: they are those of the source's `zone`. Orders have no currency: it is the source's. Prices are net
of tax. A quantity may have a fraction only as `.0`.

Signature: base64 of the HMAC-SHA256 of the body with the hook's secret (picqer.com/en/api/webhooks and its examples).
A hook whose requests are not answered with 200 for long is switched off.
"""

from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import msgspec

from connectors.protocol import documents, facts, people, signatures, values
from connectors.protocol.channel import Channel, Evidence, Option, Outcome, Refused, Request, Source, Verdict
from connectors.protocol.documents import NotReadable, Unfit
from connectors.protocol.facts import Facts
from schemas.events.lines import Line, LineQuantity, Totals
from schemas.events.orders import OrderPacked, OrderReported, OrderShipped
from schemas.events.parcels import ParcelLinked
from schemas.events.people import Address, Customer
from schemas.events.stock import StockLevelReported
from schemas.meta import Event, Instant

MEDIUM = "warehouse"

Id = int | str


class Product(msgspec.Struct):
    idproduct: Id
    productcode: str | None = None
    idorder_product: Id | None = None
    price: Decimal = Decimal(0)
    amount: Decimal = Decimal(0)


class Order(msgspec.Struct):
    idorder: Id
    status: str
    orderid: str | None = None
    idcustomer: Id | None = None
    emailaddress: str | None = None
    telephone: str | None = None
    deliveryname: str | None = None
    deliveryaddress: str | None = None
    deliveryaddress2: str | None = None
    deliveryzipcode: str | None = None
    deliverycity: str | None = None
    deliverycountry: str | None = None
    updated: str | None = None
    products: list[Product] = []


class Picklist(msgspec.Struct):
    idpicklist: Id
    idorder: Id
    idwarehouse: Id | None = None
    products: list[Product] = []
    updated: str | None = None
    closed_at: str | None = None


class Shipment(msgspec.Struct):
    idshipment: Id
    idorder: Id
    carrier_key: str | None = None
    provider: str | None = None
    trackingcode: str | None = None
    created: str | None = None


class Shelf(msgspec.Struct):
    idwarehouse: Id
    stock: int | None = None
    freestock: int | None = None
    reserved: int | None = None


class Stocked(msgspec.Struct):
    idproduct: Id
    productcode: str | None = None
    stock: list[Any] = []


class Hook(msgspec.Struct):
    event: str
    event_triggered_at: str | None = None
    data: dict[str, Any] = {}


def receive(request: Request, source: Source) -> Outcome:
    """One event of the warehouse."""
    if not signatures.hmac_base64(source.secrets, request.body, request.header("x-picqer-signature")):
        return Refused("the signature does not fit")
    try:
        hook = documents.read(request.body, Hook)
        read = _read_by(hook)
        return Verdict() if read is None else read(Warehouse(request, source, hook))
    except (NotReadable, Unfit) as error:
        return facts.put_aside(request.body, error)


class Warehouse:
    """Reads one hook."""

    def __init__(self, request: Request, source: Source, hook: Hook) -> None:
        self._made = Facts(request, source, MEDIUM)
        self._source = source
        self._hook = hook

    def order(self) -> Verdict:
        order = documents.fit(self._hook.data, Order)
        at = self._at(order.updated)
        who = people.known_as(
            self._source.name,
            customer_id=order.idcustomer,
            email=order.emailaddress,
            phone=order.telephone,
            region=self._source.region,
        )
        lines = [_line(number, product) for number, product in enumerate(order.products, 1)]
        event = OrderReported(
            meta=self._made.meta(OrderReported, f"{order.idorder}:{order.updated}:{order.status}", at, who),
            order_id=str(order.idorder),
            number=order.orderid,
            status=order.status,
            updated_at=at,
            currency=self._currency(),
            lines=lines,
            totals=Totals(total=sum(line.total for line in lines), is_tax_included=False),
            customer=_customer(order, self._source),
        )
        return Verdict([event])

    def packed(self) -> Verdict:
        picklist = documents.fit(self._hook.data, Picklist)
        at = self._at(picklist.closed_at or picklist.updated)
        event = OrderPacked(
            meta=self._made.meta(OrderPacked, str(picklist.idpicklist), at),
            order_id=str(picklist.idorder),
            shipment_id=str(picklist.idpicklist),
            lines=[_quantity(number, product) for number, product in enumerate(picklist.products, 1)],
            location_id=None if picklist.idwarehouse is None else self._location(picklist.idwarehouse),
        )
        return Verdict([event])

    def shipped(self) -> Verdict:
        return Verdict(list(self._shipped(documents.fit(self._hook.data, Shipment))))

    def stock(self) -> Verdict:
        found = documents.fit(self._hook.data, Stocked)
        return facts.gather(found.stock, lambda item: [self._level(found, documents.fit(item, Shelf))])

    def _shipped(self, shipment: Shipment) -> Iterator[Event]:
        at, named = self._at(shipment.created), str(shipment.idshipment)
        carrier = (shipment.carrier_key or shipment.provider or "unknown").lower()
        yield OrderShipped(
            meta=self._made.meta(OrderShipped, named, at),
            order_id=str(shipment.idorder),
            shipment_id=named,
            carrier=carrier,
            tracking_number=shipment.trackingcode or None,
        )
        if shipment.trackingcode:
            yield ParcelLinked(
                meta=self._made.meta(ParcelLinked, f"{carrier}:{shipment.trackingcode}:{named}", at),
                carrier=carrier,
                tracking_number=shipment.trackingcode,
                order_id=str(shipment.idorder),
                shipment_id=named,
            )

    def _level(self, found: Stocked, shelf: Shelf) -> Event:
        sku, place = found.productcode or str(found.idproduct), self._location(shelf.idwarehouse)
        told = {"on_hand": shelf.stock, "available": shelf.freestock, "reserved": shelf.reserved}
        quantities = {bucket: units for bucket, units in told.items() if units is not None}
        version = ":".join(f"{bucket}={units}" for bucket, units in quantities.items())
        at = self._at(self._hook.event_triggered_at)
        named = f"{sku}:{place}:{self._hook.event_triggered_at}:{version}"
        return StockLevelReported(
            meta=self._made.meta(StockLevelReported, named, at),
            sku=sku,
            location_id=place,
            quantities=quantities,
            as_of=at,
        )

    def _at(self, told: str | None) -> Instant | None:
        found = told or self._hook.event_triggered_at
        return None if found is None else values.moment(found, self._source.zone)

    def _currency(self) -> str:
        if self._source.currency is None:
            raise Unfit("orders come without a currency: set `currency` for this source")
        return self._source.currency

    def _location(self, warehouse: Id) -> str:
        places: Any = self._source.options.get("warehouses", {})
        return str(places.get(str(warehouse), warehouse))


def _read_by(hook: Hook) -> Callable[[Warehouse], Verdict] | None:
    if hook.event.startswith("orders.") and hook.event.count(".") == 1:
        return Warehouse.order
    return _EVENTS.get(hook.event)


def _line(number: int, product: Product) -> Line:
    units, price = values.whole(product.amount), values.amount(product.price)
    return Line(
        line_id=str(product.idorder_product or number),
        sku=product.productcode or str(product.idproduct),
        product_id=str(product.idproduct),
        quantity=units,
        unit_price=price,
        total=price * units,
    )


def _quantity(number: int, product: Product) -> LineQuantity:
    return LineQuantity(
        line_id=str(product.idorder_product or number),
        sku=product.productcode or str(product.idproduct),
        quantity=values.whole(product.amount),
    )


def _customer(order: Order, source: Source) -> Customer:
    place = Address(
        kind="delivery",
        name=order.deliveryname,
        line_1=order.deliveryaddress,
        line_2=order.deliveryaddress2,
        postal_code=order.deliveryzipcode,
        city=order.deliverycity,
        country=order.deliverycountry,
    )
    return Customer(
        customer_id=None if order.idcustomer is None else str(order.idcustomer),
        email=people.address_of(order.emailaddress),
        phone=people.number_of(order.telephone, source.region),
        addresses=[place],
    )


_EVENTS = {
    "picklists.closed": Warehouse.packed,
    "picklists.shipments.created": Warehouse.shipped,
    "products.free_stock_changed": Warehouse.stock,
    "products.stock_changed": Warehouse.stock,
}

CHANNEL = Channel(
    name="picqer",
    title="Picqer",
    medium=MEDIUM,
    receive=receive,
    proof="signature",
    evidence=Evidence(
        "documented",
        "assumed",
        "picqer.com/en/api (webhooks, webhook examples: read for orders; other objects are assumed)",
    ),
    options=(Option("warehouses", "which place of ours a warehouse's id is", is_map=True),),
)
