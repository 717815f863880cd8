"""Square: an order as the till's receipt that it is; and which sku an object of the catalogue is, with its counts.

`GET /v2/orders/{id}`, `/v2/catalog/object/{id}`, `/v2/inventory/{id}` (developer.squareup.com/reference/square).
"""

import msgspec

from connectors.channels.square import CATALOG_OBJECT, MEDIUM, ORDER, Money, counted
from connectors.protocol import documents, people, values
from connectors.protocol.channel import Source
from connectors.protocol.documents import Unfit
from connectors.protocol.facts import Facts
from connectors.protocol.fetcher import Fetcher
from connectors.protocol.poller import Answered, Api, Ask, Page, as_request
from schemas.events.ingest import ReferenceLearned
from schemas.events.lines import Line, Tender, Totals
from schemas.events.orders import SoldInStore
from schemas.meta import Amount, Event

GONE = 404
COMPLETED = "COMPLETED"
VERSION = "2025-10-16"
API = Api(
    lambda token: {"Authorization": f"Bearer {token}", "Square-Version": VERSION}, reads=frozenset({GONE})
)


class _Line(msgspec.Struct):
    uid: str
    quantity: str
    total_money: Money
    catalog_object_id: str | None = None
    base_price_money: Money | None = None
    total_discount_money: Money | None = None
    total_tax_money: Money | None = None


class _Tender(msgspec.Struct):
    type: str
    amount_money: Money


class _Order(msgspec.Struct):
    id: str
    location_id: str
    state: str
    total_money: Money
    closed_at: str | None = None
    customer_id: str | None = None
    line_items: list[_Line] = []
    tenders: list[_Tender] = []
    total_tax_money: Money | None = None
    total_discount_money: Money | None = None


class _OrderTold(msgspec.Struct):
    order: _Order


class _Variation(msgspec.Struct):
    sku: str | None = None


class _Object(msgspec.Struct):
    id: str
    item_variation_data: _Variation | None = None


class _ObjectTold(msgspec.Struct):
    object: _Object


class _Counts(msgspec.Struct):
    counts: list[object] = []


def _ask_order(order_id: str, _: str, __: Source) -> Ask:
    return Ask(f"v2/orders/{order_id}")


def _order(answer: Answered, _: str, source: Source) -> Page:
    """An order that is not completed is no receipt yet: Square says so again when it is."""
    if answer.status == GONE:
        return Page()
    order = documents.fit(documents.parse(answer.body), _OrderTold).order
    if order.state != COMPLETED or order.closed_at is None:
        return Page()
    if source.zone is None:
        raise Unfit("a till's receipt needs the shop's business day: set `zone` for this source")
    at, made = values.moment(order.closed_at), Facts(as_request(answer), source, MEDIUM)
    sold = SoldInStore(
        meta=made.meta(
            SoldInStore, order.id, at, people.known_as(source.name, customer_id=order.customer_id)
        ),
        receipt_id=order.id,
        store_id=source.place(order.location_id),
        business_date=values.local_day(at, source.zone),
        currency=order.total_money.currency,
        lines=[_line(source, each) for each in order.line_items],
        tenders=[Tender(kind=each.type.lower(), amount=_money(each.amount_money)) for each in order.tenders],
        totals=Totals(
            total=_money(order.total_money),
            discount=_money(order.total_discount_money),
            tax=_money(order.total_tax_money),
        ),
    )
    return Page([sold])


def _line(source: Source, line: _Line) -> Line:
    named = line.catalog_object_id or line.uid
    return Line(
        line_id=line.uid,
        sku=source.reference(CATALOG_OBJECT, named) or named,
        product_id=line.catalog_object_id,
        quantity=values.whole(line.quantity),
        unit_price=_money(line.base_price_money),
        discount=_money(line.total_discount_money),
        tax=_money(line.total_tax_money),
        total=_money(line.total_money),
    )


def _ask_object(object_id: str, sku: str, _: Source) -> Ask:
    """First the object; once its sku is known, its counts."""
    return Ask(f"v2/inventory/{object_id}" if sku else f"v2/catalog/object/{object_id}")


def _object(answer: Answered, object_id: str, source: Source) -> Page:
    if answer.status == GONE:
        return Page()
    made, sku = Facts(as_request(answer), source, MEDIUM), answer.page
    if sku:
        told = documents.fit(documents.parse(answer.body), _Counts)
        found = counted(made, source, told.counts, lambda _: sku)
        return Page([each for each in found if isinstance(each, Event)])
    data = documents.fit(documents.parse(answer.body), _ObjectTold).object.item_variation_data
    named = (data.sku if data else None) or object_id
    learned = ReferenceLearned(
        meta=made.meta(ReferenceLearned, f"{CATALOG_OBJECT}:{object_id}:{named}", None),
        kind=CATALOG_OBJECT,
        foreign_id=object_id,
        ours=named,
    )
    return Page([learned], next_page=named)


def _money(money: Money | None) -> Amount:
    return 0 if money is None else values.minor(money.amount, money.currency)


FETCHERS = (
    Fetcher("square", ORDER, API, _ask_order, _order),
    Fetcher("square", CATALOG_OBJECT, API, _ask_object, _object),
)
