"""bol: returns. All that are not handled yet are listed, and those handled as far back as what changed since.

`GET /retailer/returns?handled=`, version 10 of the Retailer API (its OpenAPI document), which lists them whole: of what
the retailer sends, then of what bol sends for it.
"""

from connectors.protocol import documents, facts
from connectors.protocol.channel import Source
from connectors.protocol.facts import Facts
from connectors.protocol.poller import Answered, Ask, Page, Poller, as_request
from connectors.vendors.bol import api
from connectors.vendors.bol.payload import Return, Returns
from connectors.vendors.bol.returns import changed_at, return_events
from schemas.meta import Event, Instant

MEDIUM = "marketplace"
LISTS = ("FBR/false", "FBR/true", "FBB/false", "FBB/true")


def ask(since: Instant, page: str, source: Source) -> Ask:
    """A list."""
    which, number = _where(page)
    method, _, handled = which.partition("/")
    return Ask("retailer/returns", {"fulfilment-method": method, "handled": handled, "page": str(number)})


def read(answer: Answered, source: Source) -> Page:
    """The events of each return that changed since; of those that are not handled, of each."""
    request = as_request(answer)
    made, newest = Facts(request, source, MEDIUM), [0]

    def events(item: object) -> list[Event]:
        found = documents.fit(item, Return)
        newest.append(changed_at(found))
        return list(return_events(made, source, found))

    told = documents.fit(documents.parse(answer.body), Returns).returns
    verdict = facts.gather(told, events)
    which, number = _where(answer.page)
    is_old = which.endswith("true") and max(newest) < answer.since
    goes_on = len(told) >= api.ENTRIES_A_LIST and not is_old
    return Page(verdict.events, verdict.rejects, max(newest), _next(which, number, goes_on))


def _next(which: str, number: int, goes_on: bool) -> str:
    if goes_on:
        return f"{which}/{number + 1}"
    later = LISTS[LISTS.index(which) + 1 :]
    return f"{later[0]}/1" if later else ""


def _where(page: str) -> tuple[str, int]:
    which, _, number = page.rpartition("/")
    return (which, int(number)) if page else (LISTS[0], 1)


POLLER = Poller(
    name="bol_returns",
    channel="bol",
    api=api.API,
    ask=ask,
    read=read,
    start_s=7 * 24 * 3600,
)
