"""RudderStack: what its browser, app and server clients send, without RudderStack.

| call | events |
| --- | --- |
| identify | CustomerIdentified; TraitsChanged for the traits that are null |
| alias, merge | IdentifiersLinked |
| group | TraitsChanged |
| page | PageViewed; CampaignTouched where the page's address names a campaign or an ad |
| screen | ScreenViewed |
| track | by its name the event of a shop (connectors/vendors/web/shopping.py), else CustomActivityRecorded |

Its clients take an address of ours with a path, as data plane and as `configUrl`: `https://<gateway>/rudderstack`. At
the root of the gateway the same paths are Segment's.

Nothing is signed. A write key is public: it says which source it is, and anybody can send as it. Wire format:
rudderlabs/rudder-server, gateway; rudderlabs/rudder-sdk-js; rudderstack.com/docs, "HTTP API".
"""

import json

from connectors.protocol.channel import (
    BATCH_BYTES_MAX,
    Answer,
    Answers,
    Challenge,
    Channel,
    Evidence,
    Outcome,
    Request,
    Source,
)
from connectors.vendors.web import addresses, sending, shopping

JSON = "application/json"
CONFIG = "/sourceConfig"
OVERLOADED_S = "5"


def receive(request: Request, source: Source) -> Outcome:
    """A client that asks what it is to do is told: send to us, and to nobody else."""
    if request.method == "GET" and request.route.rstrip("/").endswith(CONFIG):
        return Challenge(Answer(200, _config(source, sending.write_key(request) or ""), JSON))
    return sending.receive(request, source)


def _config(source: Source, key: str) -> bytes:
    silent = {"errors": {"enabled": False}, "metrics": {"enabled": False}}
    told = {
        "id": source.name,
        "name": source.name,
        "writeKey": key,
        "enabled": True,
        "workspaceId": source.name,
        "config": {"statsCollection": silent},
        "destinations": [],
    }
    return json.dumps({"source": told}).encode()


CHANNEL = Channel(
    name="rudderstack",
    title="RudderStack's clients",
    medium="web",
    receive=receive,
    proof="public key",
    evidence=Evidence(
        "documented",
        "captured request",
        "analytics-js, rudder-sdk-node and rudder-sdk-python; rudderlabs/rudder-server",
    ),
    answers=Answers(
        ok=Answer(200, b"OK"),
        overloaded=Answer(429, headers={"Retry-After": OVERLOADED_S}),
    ),
    options=(addresses.OPTION, shopping.ORDERS),
    methods=("POST", "GET"),
    routes=(
        f"/rudderstack/v1/{{kind:{sending.CALLS}|batch|import}}",
        "/rudderstack/beacon/v1/batch",
        "/beacon/v1/batch",
        "/rudderstack/pixel/v1/{kind:track|page}",
        "/pixel/v1/{kind:track|page}",
        "/rudderstack/sourceConfig{rest:/?}",
        "/sourceConfig{rest:/?}",
    ),
    key_of=sending.write_key,
    body_bytes_max=BATCH_BYTES_MAX,
)
