"""Lightspeed eCom (C-Series, once SEOshop): webhooks of a web shop.

| x-event | events |
| --- | --- |
| orders/* | OrderPlaced, OrderReported; an order that comes without its lines is asked for |
| variants/* | ProductReported, and StockLevelReported where the shop counts its stock |
| customers/* | CustomerReported |
| another (products/*, which have neither sku nor stock, quotes/* and so on) | nothing |
| */deleted | nothing |

An object links to others, which come along only as `embedded`. Prices are in the shop's currency, which none names.

Signature: `x-signature`, the MD5 of the body with the app's secret behind it.
"""

from collections.abc import Callable, Iterator

from connectors.protocol import documents, facts, people, signatures, values
from connectors.protocol.channel import (
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
from connectors.vendors.lightspeed.shop import (
    Bought,
    Link,
    Order,
    OrderDocument,
    PersonDocument,
    VariantDocument,
)
from schemas.events.activity import CustomerReported
from schemas.events.lines import Line, Totals
from schemas.events.orders import OrderPlaced, OrderReported
from schemas.events.people import Customer
from schemas.events.products import ProductReported
from schemas.events.stock import StockLevelReported
from schemas.meta import Event

MEDIUM = "web"
ORDER, ORDERS, DELETED, LOCATION = "order", "orders", "deleted", "location"


def receive(request: Request, source: Source) -> Outcome:
    """An event that is not in the table makes none: the request is kept as it came."""
    if not signatures.md5_hex_before(source.secrets, request.body, request.header("x-signature")):
        return Refused("the signature does not fit")
    subject, _, what = (request.header("x-event") or "").partition("/")
    read = _SUBJECTS.get(subject) if what != DELETED else None
    if read is None:
        return Verdict()
    try:
        if subject == ORDERS and not _lines(order := documents.read(request.body, OrderDocument).order):
            return Verdict(fetches=[Fetch(ORDER, str(order.id))])
        return Verdict(list(read(Facts(request, source, MEDIUM), source, request.body)))
    except (NotReadable, Unfit) as error:
        return facts.put_aside(request.body, error)


def _order(made: Facts, source: Source, body: bytes) -> Iterator[Event]:
    found = documents.read(body, OrderDocument).order
    lines, totals, customer = _lines(found), _totals(found), _customer(source, found)
    placed, changed = (
        values.moment(found.created_at, source.zone),
        values.moment(found.updated_at, source.zone),
    )
    who = people.known_as(
        source.name,
        customer_id=_id(found.customer),
        email=found.email,
        phone=found.mobile or found.phone,
        region=source.region,
    )
    yield OrderPlaced(
        meta=made.meta(OrderPlaced, str(found.id), placed, who),
        order_id=str(found.id),
        number=found.number,
        currency=_currency(source),
        lines=lines,
        totals=totals,
        customer=customer,
    )
    yield OrderReported(
        meta=made.meta(OrderReported, f"{found.id}:{found.updated_at}:{found.status}", changed, who),
        order_id=str(found.id),
        number=found.number,
        status=found.status,
        updated_at=changed,
        currency=_currency(source),
        lines=lines,
        totals=totals,
        customer=customer,
    )


def _lines(found: Order) -> list[Line]:
    bought = found.products.resource.embedded if found.products else None
    return [_line(documents.fit(each, Bought)) for each in bought or []]


def _line(bought: Bought) -> Line:
    price, discount = values.amount(bought.price_incl), values.amount(bought.discount_incl)
    return Line(
        line_id=str(bought.id),
        sku=bought.article_code or bought.sku or str(bought.id),
        product_id=_id(bought.product),
        gtin=bought.ean or None,
        quantity=bought.quantity_ordered,
        unit_price=price,
        discount=discount,
        total=price * bought.quantity_ordered - discount,
    )


def _totals(found: Order) -> Totals:
    total = values.amount(found.price_incl)
    tax = 0 if found.price_excl is None else total - values.amount(found.price_excl)
    return Totals(total=total, tax=tax, shipping=values.amount(found.shipment_price_incl))


def _customer(source: Source, found: Order) -> Customer:
    return Customer(
        customer_id=_id(found.customer),
        email=people.address_of(found.email),
        phone=people.number_of(found.mobile or found.phone, source.region),
        name=_name(found.firstname, found.lastname),
    )


def _variant(made: Facts, source: Source, body: bytes) -> Iterator[Event]:
    found = documents.read(body, VariantDocument).variant
    at, sku = values.moment(found.updated_at, source.zone), found.article_code or found.sku or str(found.id)
    yield ProductReported(
        meta=made.meta(ProductReported, f"{sku}:{found.updated_at}", at),
        sku=sku,
        product_id=str(found.id),
        gtin=found.ean or None,
        name=found.title,
        updated_at=at,
    )
    if found.stock_level is not None:
        place = str(source.options.get(LOCATION, source.name))
        yield StockLevelReported(
            meta=made.meta(StockLevelReported, f"{sku}:{place}:{found.updated_at}:{found.stock_level}", at),
            sku=sku,
            location_id=place,
            quantities={"available": found.stock_level},
            as_of=at,
        )


def _person(made: Facts, source: Source, body: bytes) -> Iterator[Event]:
    found = documents.read(body, PersonDocument).customer
    at, phone = values.moment(found.updated_at, source.zone), found.mobile or found.phone
    who = people.known_as(
        source.name, customer_id=found.id, email=found.email, phone=phone, region=source.region
    )
    yield CustomerReported(
        meta=made.meta(CustomerReported, f"{found.id}:{found.updated_at}", at, who),
        customer_id=str(found.id),
        updated_at=at,
        email=people.address_of(found.email),
        phone=people.number_of(phone, source.region),
        name=_name(found.firstname, found.lastname),
    )


def _currency(source: Source) -> str:
    if source.currency is None:
        raise Unfit("orders come without a currency: set `currency` for this source")
    return source.currency


def _id(link: Link | None) -> str | None:
    named = link.resource.id if link else None
    return str(named) if named else None


def _name(first: str | None, last: str | None) -> str | None:
    return " ".join(filter(None, [first, last])) or None


_SUBJECTS: dict[str, Callable[[Facts, Source, bytes], Iterator[Event]]] = {
    ORDERS: _order,
    "variants": _variant,
    "customers": _person,
}

CHANNEL = Channel(
    name="lightspeed_ecom",
    title="Lightspeed eCom (C-Series)",
    medium=MEDIUM,
    receive=receive,
    proof="signature",
    evidence=Evidence("assumed", "assumed", "what is known of developers.lightspeedhq.com/ecom, Webhooks"),
    options=(
        Option(LOCATION, "which store or warehouse of ours the shop's stock lies in; else the source's name"),
    ),
)
