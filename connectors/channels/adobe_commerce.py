"""Adobe Commerce (Magento): its events by Adobe I/O Events. Open-source Magento pushes nothing.

| type, behind `com.adobe.commerce.` | events |
| --- | --- |
| observer.sales_order_save_commit_after | OrderPlaced, OrderReported; an order without its lines is asked for |
| observer.sales_order_creditmemo_save_commit_after | RefundIssued |
| observer.sales_order_shipment_save_commit_after | OrderShipped, and ParcelLinked for each of its tracks |
| observer.customer_save_commit_after | CustomerReported |
| observer.catalog_product_save_commit_after | ProductReported |
| observer.cataloginventory_stock_item_save_commit_after | StockLevelReported; an unknown product is asked for |
| another | nothing |

Which fields an event has is chosen when it is subscribed to: with `*` it has all. One event comes, or a list of them.
`?challenge=` wants to be read back when the webhook is registered.

Signature: two, RSA with SHA-256 of the body, by keys whose paths on static.adobeioevents.com two headers name; one that
fits is enough. All of Adobe's customers are signed for by the same keys, so that `recipient_client_id` has to be ours
(developer.adobe.com, "Signature Verification for Events").
"""

import re
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key

from connectors.protocol import documents, facts, signatures, values
from connectors.protocol.channel import (
    BATCH_BYTES_MAX,
    Answer,
    Challenge,
    Channel,
    Evidence,
    Fetch,
    KeyPlace,
    NeedKey,
    Option,
    Outcome,
    Refused,
    Request,
    Source,
)
from connectors.protocol.documents import NotReadable, Unfit
from connectors.protocol.facts import Facts
from connectors.vendors.adobe_commerce import rows
from connectors.vendors.adobe_commerce.payload import StockItem, Thin
from schemas.events.stock import StockLevelReported
from schemas.meta import Event

MEDIUM = "web"
PREFIX, OBSERVER = "com.adobe.commerce.", "observer."
ORDER, PRODUCT, LOCATION = "order", "product", "location"
ORDER_SAVED = "sales_order_save_commit_after"
STOCK_SAVED = "cataloginventory_stock_item_save_commit_after"
KEYS = "https://static.adobeioevents.com"
PAIRS = (
    ("x-adobe-digital-signature-1", "x-adobe-public-key1-path"),
    ("x-adobe-digital-signature-2", "x-adobe-public-key2-path"),
)
CHALLENGE_LENGTH_MAX = 200
_PATH = re.compile(r"/[A-Za-z0-9/_-]{1,200}\.pem")


class Happening(msgspec.Struct):
    """A CloudEvent, or the older form that holds one as `event`."""

    recipient_client_id: str
    type: str = ""
    id: str = ""
    data: dict[str, Any] = {}
    event: dict[str, Any] = {}


def receive(request: Request, source: Source) -> Outcome:
    """Every event of a list is taken by itself."""
    if request.method == "GET":
        told = request.parameter("challenge") or ""
        is_one = told.isprintable() and 0 < len(told) <= CHALLENGE_LENGTH_MAX
        return Challenge(Answer(200, told.encode())) if is_one else Refused("it holds no challenge")
    named = _named(request)
    needed = next((path for _, path in named if path not in source.keys), None)
    if needed is not None:
        return NeedKey(needed)
    fits = [signatures.rsa_sha256(source.keys[path], request.body, told) for told, path in named]
    if not any(fits) and not signatures.is_vouched(source.secrets):
        return Refused("the signature does not fit")
    try:
        found = documents.parse(request.body)
    except NotReadable as error:
        return facts.put_aside(request.body, error)
    return _taken(request, source, found if isinstance(found, list) else [found])


def _named(request: Request) -> list[tuple[str, str]]:
    """Each signature, and where the key is that it was made with."""
    told = [(request.header(signature) or "", request.header(path) or "") for signature, path in PAIRS]
    return [(signature, path) for signature, path in told if signature and _PATH.fullmatch(path)]


def _taken(request: Request, source: Source, items: list[Any]) -> Outcome:
    ours = str(source.options.get("client_id", ""))
    recipients = [each.get("recipient_client_id") if isinstance(each, dict) else None for each in items]
    if not recipients or any(each != ours for each in recipients):
        return Refused("it is for another client")
    fetches: dict[Fetch, None] = {}

    def events(item: Any) -> list[Event]:
        found = documents.fit(item, Happening)
        inner = found.event or item
        data = inner.get("data") or {}
        row = data.get("value", data) if isinstance(data, dict) else None
        if not isinstance(row, dict):
            raise Unfit("an event holds no row")
        kind = str(inner.get("type") or found.type).removeprefix(PREFIX).removeprefix(OBSERVER)
        named = found.id or str(inner.get("id", ""))
        return list(_events(Facts(request, source, MEDIUM, named), source, kind, row, fetches, named))

    verdict = facts.gather(items, events)
    verdict.fetches = list(fetches)
    return verdict


def _events(
    made: Facts, source: Source, kind: str, row: dict[str, Any], fetches: dict[Fetch, None], event_id: str
) -> Iterator[Event]:
    if kind == STOCK_SAVED:
        yield from _stock(made, source, row, fetches, event_id)
    elif kind == ORDER_SAVED and not row.get("items"):
        thin = documents.fit(row, Thin)
        named = thin.entity_id or thin.id
        if named is None:
            raise Unfit("an order without its lines has no entity_id: have Commerce send every field")
        fetches[Fetch(ORDER, str(named))] = None
    elif kind in _ROWS:
        yield from _ROWS[kind](made, source, row)


def _stock(
    made: Facts, source: Source, row: Any, fetches: dict[Fetch, None], event_id: str
) -> Iterator[Event]:
    """A row of stock has neither version nor time: the event's own id tells one change from another."""
    found = documents.fit(row, StockItem)
    named = str(found.product_id)
    sku, place = source.reference(PRODUCT, named), str(source.options.get(LOCATION, source.name))
    if sku is None:
        fetches[Fetch(PRODUCT, named)] = None
        return
    quantity = values.whole(found.qty)
    yield StockLevelReported(
        meta=made.meta(StockLevelReported, f"{sku}:{place}:{event_id or quantity}", None),
        sku=sku,
        location_id=place,
        quantities={"available": quantity},
    )


def _key_url(name: str, _: Source) -> str | None:
    return KEYS + name if _PATH.fullmatch(name) else None


def _key_read(body: bytes, _: str) -> bytes | None:
    try:
        key = load_pem_public_key(body)
    except ValueError:
        return None
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


_ROWS: dict[str, Callable[[Facts, Source, Any], Iterator[Event]]] = {
    ORDER_SAVED: rows.order,
    "sales_order_creditmemo_save_commit_after": rows.refund,
    "sales_order_shipment_save_commit_after": rows.shipment,
    "customer_save_commit_after": rows.person,
    "catalog_product_save_commit_after": rows.product,
}

CHANNEL = Channel(
    name="adobe_commerce",
    title="Adobe Commerce",
    medium=MEDIUM,
    receive=receive,
    proof="signature",
    evidence=Evidence(
        "documented",
        "documented",
        "developer.adobe.com (I/O Events, signature verification); AdobeDocs/commerce-extensibility",
    ),
    methods=("GET", "POST"),
    options=(
        Option("client_id", "the client id of the project that the events are for", is_required=True),
        Option(LOCATION, "which store or warehouse of ours the shop's stock lies in; else the source's name"),
    ),
    body_bytes_max=BATCH_BYTES_MAX,
    keys=KeyPlace(_key_url, _key_read),
)
