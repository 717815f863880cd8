"""PostNL: shipments whose status changed, two hours at a time, of the last two days at most.

`GET /shipment/v2/status/{customerNumber}/updatedshipments?period=&period=` with the header `apikey`
(PostNL's SDK, doc/controllers/shipping-status.md). It tells the newest status of each; that of a parcel which changed
twice within a window is told once, and the one before is not told again.
"""

from connectors.protocol import values
from connectors.protocol.channel import Source
from connectors.protocol.facts import Facts
from connectors.protocol.poller import Answered, Api, Ask, Page, Poller, as_request
from connectors.vendors.postnl.status import CUSTOMER, ZONE, statuses
from schemas.meta import Instant

MEDIUM = "carrier"
HOUR_US = 3600 * 1_000_000
WINDOW_US, KEPT_US = 2 * HOUR_US, 47 * HOUR_US
NOTHING = 204


def ask(since: Instant, page: str, source: Source) -> Ask:
    """One window, in PostNL's own time."""
    begin = int(page) if page else since
    period = [values.local_text(begin, ZONE), values.local_text(begin + WINDOW_US, ZONE)]
    customer = source.options[CUSTOMER]
    return Ask(f"shipment/v2/status/{customer}/updatedshipments", {"period": period})


def read(answer: Answered, source: Source) -> Page:
    """The statuses of the window; behind it comes the next one, until there is none that has begun."""
    request = as_request(answer)
    begin = int(answer.page) if answer.page else answer.since
    end = begin + WINDOW_US
    page = Page(newest=min(end, answer.received_at))
    if answer.status != NOTHING and answer.body:
        verdict = statuses(Facts(request, source, MEDIUM), answer.body)
        page.events, page.rejects = verdict.events, verdict.rejects
    if end < answer.received_at:
        page.next_page = str(max(end, answer.received_at - KEPT_US))
    return page


API = Api(lambda token: {"apikey": token})
POLLER = Poller(
    name="postnl_statuses",
    channel="postnl",
    api=API,
    ask=ask,
    read=read,
    overlap_s=600,
    start_s=46 * 3600,
)
