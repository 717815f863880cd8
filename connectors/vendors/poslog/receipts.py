"""One transaction of a till as receipts: what was sold, what came back, what was made undone."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from xml.etree.ElementTree import Element

from connectors.protocol import people, values
from connectors.protocol.channel import Source
from connectors.protocol.documents import Unfit
from connectors.protocol.facts import Facts
from connectors.vendors.poslog.markup import all_of, is_so, needed, one, text
from schemas.events.lines import Line, Tender, Totals
from schemas.events.loyalty import PointsEarned
from schemas.events.orders import ReturnedInStore, SoldInStore, StoreSaleVoided
from schemas.meta import Event, Identifier, Instant

GRAMS = {"KG": 1_000, "KGM": 1_000, "KILOGRAM": 1_000, "G": 1, "GRM": 1, "GRAM": 1}
UNPAID = ("cancelled", "canceled", "suspended", "voided")


@dataclass(frozen=True, slots=True)
class Receipt:
    """What every event of a transaction says alike."""

    named: str
    store: str
    till: str
    sequence: int
    day: int
    at: Instant
    currency: str
    card: str | None
    who: list[Identifier]


def events_of(made: Facts, source: Source, transaction: Element) -> Iterator[Event]:
    """The events of one transaction. Raises Unfit."""
    retail = one(transaction, "RetailTransaction")
    voided = _voided(transaction, retail)
    if retail is None and voided is None:
        return
    receipt = _receipt(source, transaction, retail)
    if voided is not None:
        yield _undone(made, receipt, retail, voided)
        return
    assert retail is not None
    if is_so(transaction, "CancelFlag") or retail.get("TransactionStatus", "").lower() in UNPAID:
        return
    sold, returned = _lines(retail, "Sale"), _lines(retail, "Return")
    tenders = _tenders(retail)
    if sold:
        yield SoldInStore(
            meta=made.meta(SoldInStore, receipt.named, receipt.at, receipt.who),
            receipt_id=receipt.named,
            store_id=receipt.store,
            till_id=receipt.till,
            till_sequence=receipt.sequence,
            business_date=receipt.day,
            currency=receipt.currency,
            lines=sold,
            tenders=[] if returned else tenders,
            loyalty_card=receipt.card,
            totals=_totals(sold),
        )
    if returned:
        yield ReturnedInStore(
            meta=made.meta(ReturnedInStore, receipt.named, receipt.at, receipt.who),
            receipt_id=receipt.named,
            original_order_id=_original(retail),
            store_id=receipt.store,
            till_id=receipt.till,
            till_sequence=receipt.sequence,
            business_date=receipt.day,
            currency=receipt.currency,
            lines=returned,
            tenders=[] if sold else [Tender(kind=each.kind, amount=abs(each.amount)) for each in tenders],
            loyalty_card=receipt.card,
            totals=_totals(returned),
        )
    yield from _points(made, receipt, retail)


def _receipt(source: Source, transaction: Element, retail: Element | None) -> Receipt:
    store = text(transaction, "BusinessUnit", "UnitID") or needed(transaction, "RetailStoreID")
    till, number = needed(transaction, "WorkstationID"), needed(transaction, "SequenceNumber")
    day = needed(transaction, "BusinessDayDate")
    said = text(transaction, "EndDateTime") or needed(transaction, "BeginDateTime")
    card = None if retail is None else _card(retail)
    currency = text(transaction, "CurrencyCode") or source.currency
    if currency is None:
        raise Unfit("CurrencyCode is missing: set `currency` for this source")
    return Receipt(
        named=f"{store}:{till}:{day[:10]}:{number}",
        store=store,
        till=till,
        sequence=values.whole(number),
        day=values.day(day),
        at=values.moment(said, source.zone),
        currency=currency,
        card=card,
        who=people.known_as(source.name, loyalty_card=card),
    )


def _lines(retail: Element, kind: str) -> list[Line]:
    """The lines of a kind, without those that were taken back before the receipt was paid."""
    items = [(line, item) for line in all_of(retail, "LineItem") for item in all_of(line, kind)]
    taken_back = {
        text(line, "Void", "ItemLink") or text(item, "ItemLink") for line, item in items if _is_void(line)
    }
    return [
        _line(line, item)
        for line, item in items
        if not _is_void(line) and text(line, "SequenceNumber") not in taken_back
    ]


def _is_void(line: Element) -> bool:
    return is_so(line, "VoidFlag") or is_so(line, "CancelFlag")


def _line(line: Element, item: Element) -> Line:
    quantity, unit = _quantity(item)
    total = abs(_amount(item, "ExtendedAmount"))
    discount = abs(_amount(item, "DiscountAmount", otherwise="0"))
    tax = sum(abs(_amount(each, "Amount", otherwise="0")) for each in all_of(item, "Tax"))
    price = text(item, "ActualSalesUnitPrice") or text(item, "RegularSalesUnitPrice")
    code = text(item, "POSIdentity", "POSItemID") or text(item, "POSItemID")
    return Line(
        line_id=needed(line, "SequenceNumber"),
        sku=text(item, "ItemID") or code or _no_item(),
        gtin=code,
        quantity=quantity,
        unit=unit,
        unit_price=None if price is None else values.amount(price),
        discount=discount,
        tax=tax,
        total=total,
    )


def _no_item() -> str:
    raise Unfit("a line names no item")


def _quantity(item: Element) -> tuple[int, str]:
    """Pieces, or grams of what was weighed."""
    element = one(item, "Quantity")
    if element is None:
        return 1, "piece"
    told = (element.text or "1").strip()
    grams = GRAMS.get(element.get("UnitOfMeasureCode", "").upper())
    if grams is None:
        return abs(values.whole(told)), "piece"
    try:
        return abs(values.whole(Decimal(told) * grams)), "g"
    except InvalidOperation:
        raise Unfit("Quantity must be a number") from None


def _amount(element: Element, name: str, otherwise: str | None = None) -> int:
    return values.amount(needed(element, name) if otherwise is None else text(element, name) or otherwise)


def _tenders(retail: Element) -> list[Tender]:
    return [
        Tender(
            kind=(each.get("TenderType") or text(each, "TenderID") or "unknown").lower(),
            amount=_amount(each, "Amount"),
        )
        for line in all_of(retail, "LineItem")
        if not _is_void(line)
        for each in all_of(line, "Tender")
    ]


def _kind(tender: Element) -> str:
    return (tender.get("TenderType") or text(tender, "TenderID") or "unknown").lower()


def _totals(lines: Sequence[Line]) -> Totals:
    return Totals(
        total=sum(line.total for line in lines),
        discount=sum(line.discount for line in lines),
        tax=sum(line.tax for line in lines),
    )


def _card(retail: Element) -> str | None:
    found = text(retail, "Customer", "CustomerID") or text(retail, "LoyaltyAccount", "LoyaltyAccountID")
    return found or text(retail, "LoyaltyID")


def _original(retail: Element) -> str | None:
    """The receipt that a return names, as its own events name it; None where the goods came without."""
    link = next(
        (each for line in all_of(retail, "LineItem") for each in all_of(line, "Return", "TransactionLink")),
        None,
    )
    return None if link is None else _linked(link)


def _voided(transaction: Element, retail: Element | None) -> str | None:
    """The receipt that this transaction makes undone."""
    whole = one(transaction, "PostVoidTransaction")
    links = [*all_of(whole, "TransactionLink")] if whole is not None else []
    if retail is not None:
        links += [
            each
            for each in all_of(retail, "TransactionLink")
            if each.get("ReasonCode", "").lower() == "voids"
        ]
    if whole is not None and not links:
        raise Unfit("PostVoidTransaction names no receipt")
    return _linked(links[0]) if links else None


def _linked(link: Element) -> str:
    store = text(link, "BusinessUnit", "UnitID") or needed(link, "RetailStoreID")
    day = needed(link, "BusinessDayDate")[:10]
    return f"{store}:{needed(link, 'WorkstationID')}:{day}:{needed(link, 'SequenceNumber')}"


def _undone(made: Facts, receipt: Receipt, retail: Element | None, voided: str) -> Event:
    lines = [] if retail is None else _lines(retail, "Sale")
    return StoreSaleVoided(
        meta=made.meta(StoreSaleVoided, receipt.named, receipt.at, receipt.who),
        receipt_id=receipt.named,
        voided_receipt_id=voided,
        store_id=receipt.store,
        till_id=receipt.till,
        till_sequence=receipt.sequence,
        business_date=receipt.day,
        currency=receipt.currency,
        lines=lines,
    )


def _points(made: Facts, receipt: Receipt, retail: Element) -> Iterator[Event]:
    rewards = [each for line in all_of(retail, "LineItem") for each in all_of(line, "LoyaltyReward")]
    points = sum(values.whole(told) for each in rewards if (told := text(each, "PointsAwarded")))
    if points > 0 and receipt.card is not None:
        yield PointsEarned(
            meta=made.meta(PointsEarned, receipt.named, receipt.at, receipt.who),
            card=receipt.card,
            points=points,
            document_id=receipt.named,
        )
