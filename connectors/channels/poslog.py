"""ARTS POSLog: tills' transactions in XML, one or many in a document.

| transaction | events |
| --- | --- |
| RetailTransaction with sold lines | SoldInStore |
| RetailTransaction with lines that came back | ReturnedInStore; beside sold lines, both |
| one that is cancelled or voided before it was paid | nothing |
| one that voids another (PostVoidTransaction, or a link of type Voids) | StoreSaleVoided |
| LoyaltyReward with points, where a card is named | PointsEarned |
| ControlTransaction and the like | nothing |

A line that is marked as void is netted out, with the line that it takes back. Goods that are weighed are counted in
grams. A time without an offset is one of the source's zone; the business day is what the till says it is, and not the
calendar's. Elements are known by their local names, so that a vendor's own among them do no harm
(nrf.com/resources/retail-technology-standards, ARTS XML POSLog; kjbreil/poslog, a sample of a real till).

A receipt is named by store, till, business day and sequence number. The sender shows a secret of the source: as a
bearer token or as the password of Basic.
"""

from connectors.protocol import credentials, facts
from connectors.protocol.channel import (
    BATCH_BYTES_MAX,
    Channel,
    Evidence,
    Outcome,
    Refused,
    Reject,
    Request,
    Source,
    Verdict,
)
from connectors.protocol.documents import NotReadable, Unfit
from connectors.protocol.facts import Facts
from connectors.vendors.poslog import markup
from connectors.vendors.poslog.receipts import events_of
from connectors.vendors.poslog.splitting import split

MEDIUM = "store"


def receive(request: Request, source: Source) -> Outcome:
    """Each transaction is read by itself: a broken one does not hold up the others."""
    if not credentials.are_right(request, source):
        return Refused("it shows no secret of the source")
    try:
        found = markup.transactions(request.body)
    except NotReadable as error:
        return facts.put_aside(request.body, error)
    made, verdict = Facts(request, source, MEDIUM), Verdict()
    for transaction in found:
        try:
            verdict.events.extend(events_of(made, source, transaction))
        except Unfit as unfit:
            verdict.rejects.append(Reject(facts.UNFIT, str(unfit), markup.written(transaction)))
    return verdict


CHANNEL = Channel(
    name="poslog",
    title="ARTS POSLog",
    medium=MEDIUM,
    receive=receive,
    proof="credential",
    evidence=Evidence(
        "documented", "documented", "kjbreil/poslog, a real till's sales; returns after the schema"
    ),
    body_bytes_max=BATCH_BYTES_MAX,
    split=split,
)
