"""Lightspeed Retail X-Series (once Vend): webhooks of a till.

| type | events |
| --- | --- |
| sale.update, a closed sale | SoldInStore of what was sold, ReturnedInStore of what came back |
| sale.update, VOIDED | StoreSaleVoided |
| sale.update, another status (OPEN, SAVED, LAYBY and so on) | nothing |
| inventory.update | StockLevelReported; without a version nothing, and the inventory is asked for |
| product.update | ProductReported |
| customer.update | CustomerReported |
| consignment.send, consignment.receive | nothing; the consignment is asked for, as it comes without its lines |
| another (register_closure.create) | nothing |

The body is a form whose field `payload` is JSON; `type` is another field, or stands in the query of the address that
was given to Lightspeed. Prices are of one unit and without tax, and a unit's tax has five decimals. Times are UTC.

Signature: `X-Signature: signature=<hex>,algorithm=HMAC-SHA256`, of the body, by the secret of an OAuth application.
It tries 20 times at most, and expects an answer within 5 seconds.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from urllib.parse import parse_qs

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
from connectors.vendors.lightspeed.till import (
    LARGEST,
    Inventory,
    Named,
    Paid,
    Person,
    Product,
    Sale,
    SoldProduct,
    SomeId,
)
from schemas.events.activity import CustomerReported
from schemas.events.lines import Line, Tender, Totals
from schemas.events.orders import ReturnedInStore, SoldInStore, StoreSaleVoided
from schemas.events.products import ProductReported
from schemas.events.stock import StockLevelReported
from schemas.meta import Amount, Event

MEDIUM = "store"
PRODUCT, CONSIGNMENT, INVENTORY = "product", "consignment", "inventory"
STOCK, CONSIGNMENTS = "inventory.update", ("consignment.send", "consignment.receive")
CLOSED, VOIDED = "CLOSED", "VOIDED"

_SIGNATURE = re.compile("signature=([0-9a-f]{64}), ?algorithm=HMAC-SHA256", re.ASCII)


def receive(request: Request, source: Source) -> Outcome:
    """A type that is not in the table makes no event: the request is kept as it came."""
    if not signatures.hmac_hex(source.secrets, request.body, _signature(request)):
        return Refused("the signature does not fit")
    form = parse_qs(request.body.decode("utf-8", "replace"))
    kind = form.get("type", [request.parameter("type") or ""])[0]
    payload = form.get("payload", [""])[0].encode()
    try:
        if kind in CONSIGNMENTS:
            return Verdict(fetches=[Fetch(CONSIGNMENT, documents.read(payload, SomeId).id)])
        if kind == STOCK and documents.read(payload, Inventory).version is None:
            return Verdict(fetches=[Fetch(INVENTORY, documents.read(payload, Inventory).id)])
        read = _TYPES.get(kind)
        return Verdict(list(read(Facts(request, source, MEDIUM), source, payload)) if read else [])
    except (NotReadable, Unfit) as error:
        return facts.put_aside(request.body, error)


def _signature(request: Request) -> str | None:
    parts = _SIGNATURE.fullmatch(request.header("x-signature") or "")
    return None if parts is None else parts[1]


def _sale(made: Facts, source: Source, payload: bytes) -> Iterator[Event]:
    sale = documents.read(payload, Sale)
    if sale.status == VOIDED:
        yield _voided(made, source, sale)
    elif sale.status.endswith(CLOSED):
        sold = [each for each in sale.register_sale_products if each.quantity > 0]
        back = [each for each in sale.register_sale_products if each.quantity < 0]
        if sold:
            yield _receipt(SoldInStore, made, source, sale, sold)
        if back:
            yield _receipt(ReturnedInStore, made, source, sale, back)


def _receipt(
    kind: type[SoldInStore] | type[ReturnedInStore],
    made: Facts,
    source: Source,
    sale: Sale,
    products: Sequence[SoldProduct],
) -> Event:
    at, lines = values.moment(sale.sale_date, "UTC"), [_line(source, each) for each in products]
    is_sale = kind is SoldInStore
    more = {} if is_sale else {"original_order_id": sale.return_for}
    return kind(
        meta=made.meta(kind, sale.id, at, people.known_as(source.name, customer_id=sale.customer_id)),
        receipt_id=sale.id,
        store_id=source.place(sale.outlet_id or sale.register_id),
        till_id=sale.register_id,
        business_date=values.local_day(at, source.zone or "UTC"),
        currency=_currency(source),
        lines=lines,
        tenders=[_tender(each) for each in sale.register_sale_payments if (each.amount > 0) is is_sale],
        totals=_totals(lines),
        **more,  # type: ignore[arg-type]
    )


def _voided(made: Facts, source: Source, sale: Sale) -> Event:
    at = values.moment(sale.updated_at or sale.sale_date, "UTC")
    lines = [_line(source, each) for each in sale.register_sale_products]
    return StoreSaleVoided(
        meta=made.meta(StoreSaleVoided, sale.id, at),
        receipt_id=sale.id,
        voided_receipt_id=sale.id,
        store_id=source.place(sale.outlet_id or sale.register_id),
        till_id=sale.register_id,
        business_date=values.local_day(at, source.zone or "UTC"),
        currency=_currency(source),
        lines=lines,
        tenders=[_tender(each) for each in sale.register_sale_payments],
    )


def _line(source: Source, sold: SoldProduct) -> Line:
    quantity = abs(values.whole(sold.quantity))
    price, tax = _rounded(sold.price + sold.tax), _rounded(sold.tax * quantity)
    return Line(
        line_id=sold.id,
        sku=source.reference(PRODUCT, sold.product_id) or sold.product_id,
        product_id=sold.product_id,
        quantity=quantity,
        unit_price=price,
        tax=tax,
        total=_rounded((sold.price + sold.tax) * quantity),
    )


def _totals(lines: Sequence[Line]) -> Totals:
    return Totals(total=sum(each.total for each in lines), tax=sum(each.tax for each in lines))


def _tender(paid: Paid) -> Tender:
    kind = paid.payment_type or Named()
    return Tender(kind=(kind.name or paid.name or "unknown").lower(), amount=values.amount(abs(paid.amount)))


def _rounded(value: Decimal) -> Amount:
    is_small = value.is_finite() and abs(value) < LARGEST
    return values.amount(round(value, 4) if is_small else value)


def _stock(made: Facts, source: Source, payload: bytes) -> Iterator[Event]:
    found = documents.read(payload, Inventory)
    known = (found.product or Named()).sku or source.reference(PRODUCT, found.product_id)
    place, count = source.place(found.outlet_id), values.whole(found.count)
    yield StockLevelReported(
        meta=made.meta(StockLevelReported, f"{found.id}:{found.version}", None),
        sku=known or found.product_id,
        location_id=place,
        quantities={"available": count},
        version=found.version,
    )


def _product(made: Facts, _: Source, payload: bytes) -> Iterator[Event]:
    found = documents.read(payload, Product)
    at = _at(found.updated_at)
    yield ProductReported(
        meta=made.meta(ProductReported, f"{found.id}:{_version(found)}", at),
        sku=found.sku or found.id,
        product_id=found.id,
        name=found.name,
        brand=found.brand_name,
        version=found.version,
        updated_at=at,
    )


def _person(made: Facts, source: Source, payload: bytes) -> Iterator[Event]:
    found = documents.read(payload, Person)
    at, phone = _at(found.updated_at), found.mobile or found.phone
    who = people.known_as(
        source.name, customer_id=found.id, email=found.email, phone=phone, region=source.region
    )
    yield CustomerReported(
        meta=made.meta(CustomerReported, f"{found.id}:{_version(found)}", at, who),
        customer_id=found.id,
        version=found.version,
        updated_at=at,
        email=people.address_of(found.email),
        phone=people.number_of(phone, source.region),
        name=" ".join(filter(None, [found.first_name, found.last_name])) or None,
        company=found.company_name,
    )


def _version(found: Product | Person) -> str:
    told = found.version or found.updated_at
    if told is None:
        raise Unfit("has neither version nor updated_at")
    return str(told)


def _currency(source: Source) -> str:
    if source.currency is None:
        raise Unfit("has no currency: set `currency` for this source")
    return source.currency


def _at(text: str | None) -> int | None:
    return None if text is None else values.moment(text, "UTC")


_TYPES: dict[str, Callable[[Facts, Source, bytes], Iterator[Event]]] = {
    "sale.update": _sale,
    STOCK: _stock,
    "product.update": _product,
    "customer.update": _person,
}

CHANNEL = Channel(
    name="lightspeed_x",
    title="Lightspeed Retail X-Series",
    medium=MEDIUM,
    receive=receive,
    proof="signature",
    evidence=Evidence("assumed", "assumed", "what is known of x-series-api.lightspeedhq.com, Webhooks"),
    options=(Option(STORES, "which store of ours an outlet's id is", is_map=True),),
)
