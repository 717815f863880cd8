"""WooCommerce: webhooks of a WordPress shop.

| topic | events |
| --- | --- |
| order.created | OrderPlaced |
| order.updated, order.restored | OrderReported, and RefundIssued for each of its refunds |
| order.deleted | OrderCancelled |
| customer.created, customer.updated | CustomerReported |
| product.created, product.updated | ProductReported; StockLevelReported where the shop counts its stock |
| coupon.created, coupon.updated | CodeIssued |
| another (coupon.deleted, action.* and so on) | nothing |
| the ping of a new webhook: a form, without a signature | nothing |

A refund has no topic of its own: it comes inside order.updated, each time, with the id that it had. Times end in `_gmt`
and have no zone. A deleted object is its id alone.

Signature: base64 of the HMAC-SHA256 of the body; WordPress decodes entities in the secret first
(woocommerce/woocommerce, includes/class-wc-webhook.php). It never tries again, and disables a webhook after five
failures: whatever a request holds, it hears success.
"""

from collections.abc import Callable, Iterator
from html import unescape

from connectors.protocol import documents, facts, people, signatures, values
from connectors.protocol.channel import (
    Answer,
    Answers,
    Challenge,
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
from connectors.vendors.woocommerce import orders
from connectors.vendors.woocommerce.parts import addresses_of, moment_of, name_of
from connectors.vendors.woocommerce.payload import Coupon, Deleted, Order, Party, Person, Product
from schemas.events.activity import CustomerReported
from schemas.events.codes import CodeIssued
from schemas.events.orders import OrderCancelled
from schemas.events.products import ProductReported
from schemas.events.stock import StockLevelReported
from schemas.meta import Event

MEDIUM = "web"
PING = b"webhook_id="
LOCATION = "location"


def receive(request: Request, source: Source) -> Outcome:
    """A topic that is not in the table makes no event: the request is kept as it came."""
    if request.body.startswith(PING) and request.body[len(PING) :].isdigit():
        return Challenge(Answer(200))
    secrets = (
        source.secrets
        if signatures.is_vouched(source.secrets)
        else [unescape(each) for each in source.secrets]
    )
    if not signatures.hmac_base64(secrets, request.body, request.header("x-wc-webhook-signature")):
        return Refused("the signature does not fit")
    read = _TOPICS.get((request.header("x-wc-webhook-topic") or "").lower())
    if read is None:
        return Verdict()
    made = Facts(request, source, MEDIUM, request.header("x-wc-webhook-delivery-id") or "")
    try:
        return Verdict(list(read(made, source, request.body)))
    except (NotReadable, Unfit) as error:
        return facts.put_aside(request.body, error)


def _placed(made: Facts, source: Source, body: bytes) -> Iterator[Event]:
    yield orders.placed(made, source, documents.read(body, Order))


def _reported(made: Facts, source: Source, body: bytes) -> Iterator[Event]:
    return orders.reported(made, source, documents.read(body, Order))


def _cancelled(made: Facts, _: Source, body: bytes) -> Iterator[Event]:
    named = str(documents.read(body, Deleted).id)
    yield OrderCancelled(
        meta=made.meta(OrderCancelled, named, None), order_id=named, reason="deleted", by="shop"
    )


def _person(made: Facts, source: Source, body: bytes) -> Iterator[Event]:
    person = documents.read(body, Person)
    at = moment_of(person.date_modified_gmt or person.date_created_gmt)
    billing = person.billing or Party()
    yield CustomerReported(
        meta=made.meta(
            CustomerReported,
            f"{person.id}:{person.date_modified_gmt}",
            at,
            people.known_as(
                source.name,
                customer_id=person.id,
                email=person.email,
                phone=billing.phone,
                region=source.region,
            ),
        ),
        customer_id=str(person.id),
        updated_at=at,
        email=people.address_of(person.email),
        phone=people.number_of(billing.phone, source.region),
        name=name_of(person.first_name, person.last_name),
        addresses=addresses_of(person.billing, person.shipping),
    )


def _product(made: Facts, source: Source, body: bytes) -> Iterator[Event]:
    product = documents.read(body, Product)
    at, sku = moment_of(product.date_modified_gmt), product.sku or str(product.id)
    yield ProductReported(
        meta=made.meta(ProductReported, f"{sku}:{product.date_modified_gmt}", at),
        sku=sku,
        product_id=str(product.id),
        gtin=product.global_unique_id or None,
        name=product.name,
        category=product.categories[0].name if product.categories else None,
        images=[each.src for each in product.images],
        updated_at=at,
    )
    if product.manage_stock is True and product.stock_quantity is not None:
        place = str(source.options.get(LOCATION, source.name))
        yield StockLevelReported(
            meta=made.meta(StockLevelReported, f"{sku}:{place}:{product.date_modified_gmt}", at),
            sku=sku,
            location_id=place,
            quantities={"available": values.whole(product.stock_quantity)},
            as_of=at,
        )


def _code(made: Facts, source: Source, body: bytes) -> Iterator[Event]:
    coupon = documents.read(body, Coupon)
    yield CodeIssued(
        meta=made.meta(
            CodeIssued, f"{coupon.id}:{coupon.date_modified_gmt}", moment_of(coupon.date_modified_gmt)
        ),
        code=coupon.code,
        value_kind=_VALUE_KINDS.get(coupon.discount_type, "amount"),
        value=values.amount(coupon.amount),
        currency=source.currency,
        valid_to=moment_of(coupon.date_expires_gmt),
        uses_max=coupon.usage_limit,
    )


_VALUE_KINDS = {"percent": "percentage", "fixed_cart": "amount", "fixed_product": "amount"}
_TOPICS: dict[str, Callable[[Facts, Source, bytes], Iterator[Event]]] = {
    "order.created": _placed,
    "order.updated": _reported,
    "order.restored": _reported,
    "order.deleted": _cancelled,
    "customer.created": _person,
    "customer.updated": _person,
    "product.created": _product,
    "product.updated": _product,
    "coupon.created": _code,
    "coupon.updated": _code,
}

CHANNEL = Channel(
    name="woocommerce",
    title="WooCommerce",
    medium=MEDIUM,
    receive=receive,
    proof="signature",
    evidence=Evidence(
        "documented",
        "documented",
        "woocommerce/woocommerce class-wc-webhook.php; its REST API v3 documentation",
    ),
    answers=Answers(malformed=Answer(200), too_large=Answer(413)),
    options=(
        Option(LOCATION, "which store or warehouse of ours the shop's stock lies in; else the source's name"),
    ),
    retries=False,
)
