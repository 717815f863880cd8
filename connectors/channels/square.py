"""Square: webhooks of tills.

| type | events |
| --- | --- |
| payment.created, payment.updated | OrderPaid where it is completed, PaymentFailed where it failed |
| refund.created, refund.updated | RefundIssued where it is completed |
| inventory.count.updated | StockLevelReported of each count in stock; a fetch where its sku is not known |
| customer.created, customer.updated | CustomerReported |
| loyalty.event.created | PointsEarned, PointsSpent |
| order.created, order.updated | nothing; a fetch of `order`, since these say only which one |
| another | nothing |

Amounts are whole numbers of the currency's smallest unit. Quantities are texts.

Signature: base64 of the HMAC-SHA256 of the notification's address and the body, under the subscription's signature key
(developer.squareup.com, "Validate webhook event notifications"; square/square-python-sdk, webhooks_helper).
"""

from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import msgspec

from connectors.protocol import documents, facts, people, signatures, values
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
from schemas.events.activity import CustomerReported
from schemas.events.loyalty import PointsEarned, PointsSpent
from schemas.events.orders import OrderPaid, PaymentFailed, RefundIssued
from schemas.events.people import Address
from schemas.events.stock import StockLevelReported
from schemas.meta import Event

MEDIUM = "store"
CATALOG_OBJECT, ORDER = "catalog_object", "order"
COMPLETED, FAILED = ("COMPLETED", "APPROVED", "CAPTURED"), ("FAILED", "CANCELED", "REJECTED")
IN_STOCK = "IN_STOCK"


class Envelope(msgspec.Struct):
    """What stands around each notification."""

    type: str
    event_id: str
    created_at: str
    data: "About"


class About(msgspec.Struct):
    type: str = ""
    id: str = ""
    object: dict[str, Any] = {}


class Money(msgspec.Struct):
    amount: int
    currency: str


class Paid(msgspec.Struct):
    id: str
    status: str
    amount_money: Money
    order_id: str | None = None
    payment_id: str | None = None
    source_type: str | None = None
    updated_at: str | None = None


class Count(msgspec.Struct):
    catalog_object_id: str
    location_id: str
    state: str
    quantity: Decimal
    calculated_at: str


class Place(msgspec.Struct):
    address_line_1: str | None = None
    postal_code: str | None = None
    locality: str | None = None
    country: str | None = None


class Buyer(msgspec.Struct):
    id: str
    given_name: str | None = None
    family_name: str | None = None
    email_address: str | None = None
    phone_number: str | None = None
    updated_at: str | None = None
    version: int | None = None
    address: Place | None = None


class Points(msgspec.Struct):
    points: int = 0


class LoyaltyEvent(msgspec.Struct):
    id: str
    type: str
    loyalty_account_id: str
    created_at: str
    accumulate_points: Points | None = None
    redeem_reward: Points | None = None
    order_id: str | None = None


def receive(request: Request, source: Source) -> Outcome:
    """One notification."""
    signed = request.public_url.encode() + request.body
    if not signatures.hmac_base64(source.secrets, signed, request.header("x-square-hmacsha256-signature")):
        return Refused("the signature does not fit")
    try:
        found = documents.read(request.body, Envelope)
        if found.type.startswith("order."):
            return Verdict(fetches=[Fetch(ORDER, found.data.id)])
        read = _TYPES.get(found.type)
        verdict = Verdict()
        for told in (
            read(Facts(request, source, MEDIUM, found.event_id), source, found.data.object) if read else ()
        ):
            (verdict.fetches if isinstance(told, Fetch) else verdict.events).append(told)  # type: ignore[arg-type]
    except (NotReadable, Unfit) as error:
        return facts.put_aside(request.body, error)
    return verdict


def _payment(made: Facts, _: Source, about: dict[str, Any]) -> Iterator[Event]:
    paid = documents.fit(about.get("payment"), Paid)
    if paid.order_id is None or paid.status not in (*COMPLETED, *FAILED):
        return
    kind = OrderPaid if paid.status in COMPLETED else PaymentFailed
    yield kind(
        meta=made.meta(kind, paid.id, _at(paid.updated_at)),
        order_id=paid.order_id,
        payment_id=paid.id,
        method=(paid.source_type or "unknown").lower(),
        currency=paid.amount_money.currency,
        amount=values.minor(paid.amount_money.amount, paid.amount_money.currency),
    )


def _refund(made: Facts, _: Source, about: dict[str, Any]) -> Iterator[Event]:
    refund = documents.fit(about.get("refund"), Paid)
    if refund.order_id is None or refund.status not in COMPLETED:
        return
    yield RefundIssued(
        meta=made.meta(RefundIssued, refund.id, _at(refund.updated_at)),
        order_id=refund.order_id,
        refund_id=refund.id,
        currency=refund.amount_money.currency,
        amount=values.minor(refund.amount_money.amount, refund.amount_money.currency),
    )


def _counts(made: Facts, source: Source, about: dict[str, Any]) -> Iterator[Event | Fetch]:
    return counted(
        made, source, about.get("inventory_counts", []), lambda named: source.reference(CATALOG_OBJECT, named)
    )


def counted(
    made: Facts, source: Source, counts: Any, sku_of: Callable[[str], str | None]
) -> Iterator[Event | Fetch]:
    """What is in stock, by its counts; a fetch of an object whose sku is not known. Raises Unfit."""
    for count in documents.fit(counts, list[Count]):
        if count.state != IN_STOCK:
            continue
        sku = sku_of(count.catalog_object_id)
        if sku is None:
            yield Fetch(CATALOG_OBJECT, count.catalog_object_id)
            continue
        place, at = source.place(count.location_id), values.moment(count.calculated_at)
        yield StockLevelReported(
            meta=made.meta(StockLevelReported, f"{sku}:{place}:{count.calculated_at}", at),
            sku=sku,
            location_id=place,
            quantities={"available": values.whole(count.quantity)},
            as_of=at,
        )


def _buyer(made: Facts, source: Source, about: dict[str, Any]) -> Iterator[Event]:
    buyer = documents.fit(about.get("customer"), Buyer)
    at = _at(buyer.updated_at)
    who = people.known_as(
        source.name,
        customer_id=buyer.id,
        email=buyer.email_address,
        phone=buyer.phone_number,
        region=source.region,
    )
    yield CustomerReported(
        meta=made.meta(CustomerReported, f"{buyer.id}:{buyer.version or buyer.updated_at}", at, who),
        customer_id=buyer.id,
        version=buyer.version,
        updated_at=at,
        email=people.address_of(buyer.email_address),
        phone=people.number_of(buyer.phone_number, source.region),
        name=" ".join(filter(None, [buyer.given_name, buyer.family_name])) or None,
        addresses=[] if buyer.address is None else [_address(buyer.address)],
    )


def _points(made: Facts, source: Source, about: dict[str, Any]) -> Iterator[Event]:
    told = documents.fit(about.get("loyalty_event"), LoyaltyEvent)
    found = told.accumulate_points or told.redeem_reward
    if found is None or not found.points:
        return
    kind = PointsEarned if told.accumulate_points else PointsSpent
    card = f"{source.name}:{told.loyalty_account_id}"
    yield kind(
        meta=made.meta(kind, told.id, _at(told.created_at), people.known_as(source.name, loyalty_card=card)),
        card=card,
        points=abs(found.points),
        document_id=told.order_id,
    )


def _address(place: Place) -> Address:
    return Address(
        line_1=place.address_line_1,
        postal_code=place.postal_code,
        city=place.locality,
        country=place.country,
    )


def _at(text: str | None) -> int | None:
    return None if text is None else values.moment(text)


_TYPES: dict[str, Callable[[Facts, Source, dict[str, Any]], Iterator[Event | Fetch]]] = {
    "payment.created": _payment,
    "payment.updated": _payment,
    "refund.created": _refund,
    "refund.updated": _refund,
    "inventory.count.updated": _counts,
    "customer.created": _buyer,
    "customer.updated": _buyer,
    "loyalty.event.created": _points,
}

CHANNEL = Channel(
    name="square",
    title="Square",
    medium=MEDIUM,
    receive=receive,
    proof="signature",
    evidence=Evidence(
        "documented", "documented", "developer.squareup.com (webhooks); square/square-python-sdk"
    ),
    options=(Option(STORES, "which store of ours a location id is", is_map=True),),
)
