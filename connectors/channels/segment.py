"""Segment: what its browser, app and server clients send, without Segment.

| call | events |
| --- | --- |
| identify | CustomerIdentified; TraitsChanged for the traits that are null |
| alias | IdentifiersLinked |
| group | TraitsChanged |
| page | PageViewed; CampaignTouched where the page's address names a campaign or an ad |
| screen | ScreenViewed |
| track | by its name the event of a shop (connectors/vendors/web/shopping.py), else CustomActivityRecorded |

Nothing is signed. A write key is public: it says which source it is, and anybody can send as it. Wire format:
segmentio/analytics-next, packages/browser/src/plugins/segmentio; segment.com/docs, "HTTP Tracking API Source".
"""

import json
from urllib.parse import urlsplit

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
PROJECTS, SETTINGS = "/projects/", "/settings"
OVERLOADED_S = "5"
KINDS = f"{sending.CALLS}|batch|import"
SHORT_KINDS = "|".join(sending.SHORT)
"""What the browser's client calls them. Below `/v1` alone: a bare `/i` is Snowplow's."""


def receive(request: Request, source: Source) -> Outcome:
    """A browser that asks for its project's settings is told where to send."""
    if request.method == "GET" and (key := _project(request)) is not None:
        return Challenge(Answer(200, _settings(request, key), JSON))
    return sending.receive(request, source)


def key_of(request: Request) -> str | None:
    """The write key: for a project's settings it stands in the path."""
    return _project(request) or sending.write_key(request)


def _project(request: Request) -> str | None:
    before, _, rest = request.route.partition(PROJECTS)
    key, word, _ = rest.partition(SETTINGS)
    return key if word and key and "/" not in key and before in ("", "/v1") else None


def _settings(request: Request, key: str) -> bytes:
    """With this the client sends to the address that it asked, and nowhere else."""
    asked = urlsplit(request.public_url)
    ours = {
        "apiKey": key,
        "apiHost": asked.netloc + asked.path.partition(PROJECTS)[0],
        "protocol": asked.scheme,
    }
    return json.dumps({"integrations": {"Segment.io": ours}}).encode()


CHANNEL = Channel(
    name="segment",
    title="Segment's clients",
    medium="web",
    receive=receive,
    proof="public key",
    evidence=Evidence(
        "documented",
        "captured request",
        "analytics-next, analytics-node and segment-analytics-python; segment.com/docs",
    ),
    answers=Answers(
        ok=Answer(200, b'{"success":true}', JSON),
        malformed=Answer(400, b'{"success":false,"error":"malformed"}', JSON),
        refused=Answer(401, b'{"success":false,"error":"unknown write key"}', JSON),
        too_large=Answer(413, b'{"success":false,"error":"too large"}', JSON),
        overloaded=Answer(429, b'{"success":false}', JSON, {"Retry-After": OVERLOADED_S}),
    ),
    options=(addresses.OPTION, shopping.ORDERS),
    methods=("POST", "GET"),
    routes=(
        f"/v1/{{kind:{KINDS}|{SHORT_KINDS}}}",
        f"/{{kind:{KINDS}}}",
        "/v1/batch/b",
        f"/v1/pixel/{{kind:{sending.CALLS}}}",
        "/v1/projects/{key}/settings",
    ),
    key_of=key_of,
    body_bytes_max=BATCH_BYTES_MAX,
)
