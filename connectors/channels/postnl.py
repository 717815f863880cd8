"""PostNL: where its parcels are. PostNL pushes nothing: the poller `postnl_statuses` asks for what changed.

| document | events |
| --- | --- |
| shipments, each with its current status, perhaps with those before | ParcelStatusReported for each status |
| without a shipment | nothing |

Whoever asks PostNL by other means hands its documents in here, with a token of the source's in `Authorization`.
"""

from connectors.protocol import credentials, facts
from connectors.protocol.channel import Channel, Evidence, Option, Outcome, Refused, Request, Source
from connectors.protocol.documents import NotReadable, Unfit
from connectors.protocol.facts import Facts
from connectors.vendors.postnl.status import CUSTOMER, statuses

MEDIUM = "carrier"


def receive(request: Request, source: Source) -> Outcome:
    """A document of `/shipment/v2/status`."""
    if not credentials.are_right(request, source):
        return Refused("the token does not fit")
    try:
        return statuses(Facts(request, source, MEDIUM), request.body)
    except (NotReadable, Unfit) as error:
        return facts.put_aside(request.body, error)


CHANNEL = Channel(
    name="postnl",
    title="PostNL",
    medium=MEDIUM,
    receive=receive,
    proof="credential",
    evidence=Evidence("documented", "documented", "PostNL's SDK, doc/controllers/shipping-status.md"),
    options=(Option(CUSTOMER, "our customer number at PostNL, by which it is asked", is_required=True),),
)
