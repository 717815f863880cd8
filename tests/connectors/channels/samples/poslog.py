"""A day of a till: sold, weighed, voided, returned, made undone; after the schema and a real till's sales."""

from connectors.channels.poslog import CHANNEL
from connectors.protocol.channel import Request, Source
from tests.connectors.channels.sampling import Sample, Samples, post, with_headers

SECRET = "a token of the till"
HEAD = """<?xml version="1.0" encoding="UTF-8"?>
<POSLog xmlns="http://www.nrf-arts.org/IXRetail/namespace/" xmlns:acs="http://www.ncr.com/rsd/acs/tlog/markup/poslog/2.1">"""


def transaction(inner: str, number: int = 17, attributes: str = "", end: str = "2025-11-25T02:01:00") -> str:
    return f"""<Transaction {attributes}>
      <RetailStoreID>7</RetailStoreID><WorkstationID>3</WorkstationID><SequenceNumber>{number}</SequenceNumber>
      <BusinessDayDate>2025-11-24</BusinessDayDate><EndDateTime>{end}</EndDateTime><CurrencyCode>EUR</CurrencyCode>
      <acs:Strange>kept raw</acs:Strange>{inner}</Transaction>"""


def item(
    number: int,
    kind: str = "Sale",
    *,
    sku: str = "dress-36",
    total: str = "19.95",
    more: str = "",
    void: str = "",
) -> str:
    return f"""<LineItem {void}><SequenceNumber>{number}</SequenceNumber><{kind}><ItemID>{sku}</ItemID>
      <POSIdentity><POSItemID>08710400000013</POSItemID></POSIdentity>
      <RegularSalesUnitPrice>19.95</RegularSalesUnitPrice><ExtendedAmount>{total}</ExtendedAmount>{more}</{kind}></LineItem>"""


def retail(*lines: str, attributes: str = "") -> str:
    return f"<RetailTransaction {attributes}>{''.join(lines)}</RetailTransaction>"


TENDER = """<LineItem><SequenceNumber>9</SequenceNumber>
  <Tender TenderType="Cash"><Amount>19.95</Amount></Tender></LineItem>"""
CARD = "<Customer><CustomerID>2611</CustomerID></Customer>"
POINTS = """<LineItem><SequenceNumber>8</SequenceNumber>
  <LoyaltyReward><PointsAwarded>19</PointsAwarded></LoyaltyReward></LineItem>"""
LINK = """<TransactionLink ReasonCode="Voids"><RetailStoreID>7</RetailStoreID><WorkstationID>3</WorkstationID>
  <SequenceNumber>12</SequenceNumber><BusinessDayDate>2025-11-24</BusinessDayDate></TransactionLink>"""
SOLD = transaction(retail(CARD, item(1), POINTS, TENDER))
RETURNED = transaction(retail(item(1, "Return", more=LINK), TENDER.replace(">19", ">-19")), 18)
WEIGHED = transaction(
    retail(item(1, sku="grapes", total="1.36", more='<Quantity UnitOfMeasureCode="KG">0.453</Quantity>')), 19
)
SCARF = item(2, sku="scarf", total="5.00")
TAKEN_BACK = item(3, sku="scarf", total="-5.00", more="<ItemLink>2</ItemLink>", void='VoidFlag="true"')
VOIDED_LINE = transaction(retail(item(1), SCARF, TAKEN_BACK), 20)
EXCHANGED = transaction(retail(item(1), item(2, "Return")), 21)
UNDONE = transaction(f"<PostVoidTransaction>{LINK}</PostVoidTransaction>", 22)


def document(*transactions: str) -> bytes:
    return f"{HEAD}{''.join(transactions)}</POSLog>".encode()


def sign(request: Request, secret: str) -> Request:
    return with_headers(request, authorization=f"Bearer {secret}") if secret else request


def sample(name: str, body: bytes, *gives: str, rejected: int = 0) -> Sample:
    return Sample(name, post(body), gives, rejected)


SAMPLES = Samples(
    CHANNEL,
    Source("tills", (SECRET,), zone="Europe/Amsterdam"),
    SECRET,
    sign,
    (
        sample("sold", document(SOLD), "SoldInStore", "PointsEarned"),
        sample("returned", document(RETURNED), "ReturnedInStore"),
        sample("an exchange", document(EXCHANGED), "SoldInStore", "ReturnedInStore"),
        sample("weighed", document(WEIGHED), "SoldInStore"),
        sample("a line taken back", document(VOIDED_LINE), "SoldInStore"),
        sample("made undone", document(UNDONE), "StoreSaleVoided"),
        sample("made undone by a link", document(transaction(retail(LINK, item(1)), 23)), "StoreSaleVoided"),
        sample("cancelled", document(transaction(retail(item(1)), 24, 'CancelFlag="true"'))),
        sample("the drawer opened", document(transaction("<ControlTransaction><NoSale/></ControlTransaction>", 25))),
        sample(
            "a broken one among good ones",
            document(SOLD, transaction(retail(item(1, total="much")), 26), WEIGHED),
            "SoldInStore",
            "PointsEarned",
            "SoldInStore",
            rejected=1,
        ),
        sample("no XML", b"<POSLog>", rejected=1),
        sample("a document type", b'<!DOCTYPE a [<!ENTITY b "c">]><POSLog/>', rejected=1),
    ),
    covers_body=False,
)  # fmt: skip
