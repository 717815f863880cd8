"""What bol's Retailer API (version 10) says, as far as it is read here. Prices are numbers of euros, VAT included."""

from decimal import Decimal

import msgspec


class Party(msgspec.Struct, rename="camel"):
    """Who receives, or who pays. The e-mail address is an alias of bol's own, another one for each order."""

    first_name: str | None = None
    surname: str | None = None
    company: str | None = None
    street_name: str | None = None
    house_number: str | None = None
    house_number_extension: str | None = None
    extra_address_information: str | None = None
    zip_code: str | None = None
    city: str | None = None
    country_code: str | None = None
    email: str | None = None
    delivery_phone_number: str | None = None
    pickup_point_name: str | None = None


class Fulfilment(msgspec.Struct, rename="camel"):
    method: str | None = None
    latest_delivery_date: str | None = None


class Offer(msgspec.Struct):
    """`reference` is the retailer's own word for what is offered: our sku."""

    reference: str | None = None


class Product(msgspec.Struct):
    ean: str
    title: str | None = None


class OrderItem(msgspec.Struct, rename="camel"):
    order_item_id: str
    quantity: int
    unit_price: Decimal
    product: Product
    latest_changed_date_time: str
    offer: Offer | None = None
    fulfilment: Fulfilment | None = None
    quantity_shipped: int = 0
    quantity_cancelled: int = 0
    total_price: Decimal | None = None
    cancellation_request: bool = False


class Order(msgspec.Struct, rename="camel"):
    order_id: str
    order_placed_date_time: str
    order_items: list[OrderItem]
    pickup_point: bool = False
    shipment_details: Party | None = None
    billing_details: Party | None = None


class ListedItem(msgspec.Struct, rename="camel"):
    latest_changed_date_time: str


class ListedOrder(msgspec.Struct, rename="camel"):
    order_id: str
    order_items: list[ListedItem]


class Orders(msgspec.Struct):
    orders: list[ListedOrder] = []


class ShipmentOrder(msgspec.Struct, rename="camel"):
    order_id: str


class ShipmentItem(msgspec.Struct, rename="camel"):
    order_item_id: str
    quantity: int
    quantity_shipped: int | None = None
    offer: Offer | None = None
    product: Product | None = None


class TransportEvent(msgspec.Struct, rename="camel"):
    event_code: str
    event_date_time: str


class Transport(msgspec.Struct, rename="camel"):
    transporter_code: str | None = None
    track_and_trace: str | None = None
    transport_events: list[TransportEvent] = []


class Shipment(msgspec.Struct, rename="camel"):
    shipment_id: str
    shipment_date_time: str
    order: ShipmentOrder
    shipment_items: list[ShipmentItem] = []
    transport: Transport | None = None


class ListedShipment(msgspec.Struct, rename="camel"):
    shipment_id: str
    shipment_date_time: str


class Shipments(msgspec.Struct):
    shipments: list[ListedShipment] = []


class ReturnReason(msgspec.Struct, rename="camel"):
    """What the customer wrote beside it is left out: it may name a person."""

    main_reason: str | None = None


class Processed(msgspec.Struct, rename="camel"):
    quantity: int
    processing_date_time: str
    processing_result: str | None = None
    handling_result: str | None = None


class ReturnItem(msgspec.Struct, rename="camel"):
    rma_id: str
    order_id: str
    ean: str
    expected_quantity: int = 1
    return_reason: ReturnReason | None = None
    processing_results: list[Processed] = []


class Return(msgspec.Struct, rename="camel"):
    return_id: str
    registration_date_time: str
    fulfilment_method: str | None = None
    return_items: list[ReturnItem] = []


class Returns(msgspec.Struct):
    """Each return is fitted by itself, so that one that is odd spoils no other."""

    returns: list[object] = []


class Event(msgspec.Struct, rename="camel"):
    resource: str
    type: str | None = None
    resource_id: str | int | None = None


class Push(msgspec.Struct, rename="camel"):
    event: Event
    timestamp: str | None = None
