"""The paths that clients have built in, at the gateway itself."""

import base64
import json

import httpx
import pytest

from tests.connectors.channels.samples import calls, snowplow
from tests.connectors.clients.conftest import KEYS, Seen

BASIC = {"Authorization": "Basic " + base64.b64encode(b"wk_segment:").decode()}
RUDDER = {"Authorization": "Basic " + base64.b64encode(b"wk_rudder:").decode()}
SEEN = calls.call("track", event="Seen")
ONE = [f"/v1/{word}" for word in ("identify", "track", "page", "screen", "i", "t", "p", "s")] + [
    "/track",
    "/page",
]
MANY = ["/v1/batch", "/v1/import", "/v1/b", "/v1/batch/b", "/batch", "/import"]


@pytest.fixture
async def asking(gateway: Seen) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=gateway.url)


@pytest.mark.parametrize("path", ONE + MANY)
async def test_segment(gateway: Seen, asking: httpx.AsyncClient, path: str) -> None:
    body = {"batch": [SEEN]} if path in MANY else SEEN
    answer = await asking.post(path, content=json.dumps(body), headers=BASIC)
    assert (answer.status_code, answer.json()) == (200, {"success": True})
    assert [type(event).__name__ for event in gateway.events] == ["CustomActivityRecorded"]
    assert gateway.events[0].meta.source == "segment-nl"


@pytest.mark.parametrize(
    "path",
    ["/rudderstack/v1/track", "/rudderstack/v1/batch", "/rudderstack/beacon/v1/batch", "/beacon/v1/batch"],
)
async def test_rudderstack(gateway: Seen, asking: httpx.AsyncClient, path: str) -> None:
    body = {"batch": [SEEN]} if path.endswith("batch") else SEEN
    answer = await asking.post(path, content=json.dumps(body), params={"writeKey": "wk_rudder"})
    assert (answer.status_code, answer.text) == (200, "OK")
    assert gateway.events[0].meta.source == "rudderstack-nl"


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("/v1/pixel/track", {"writeKey": "wk_segment", "event": "Seen", "userId": "1"}),
        ("/pixel/v1/track", {"writeKey": "wk_rudder", "event": "Seen", "userId": "1"}),
        ("/i", snowplow.payload("se", se_ac="seen")),
    ],
)
async def test_pictures(gateway: Seen, asking: httpx.AsyncClient, path: str, query: dict[str, str]) -> None:
    answer = await asking.get(path, params=query)
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "image/gif")
    assert len(gateway.events) == 1


async def test_what_clients_ask_first(asking: httpx.AsyncClient) -> None:
    settings = await asking.get(f"/v1/projects/{KEYS['segment']}/settings")
    assert settings.json()["integrations"]["Segment.io"]["apiKey"] == "wk_segment"
    for path in ("/rudderstack/sourceConfig/", "/sourceConfig/", "/sourceConfig"):
        config = await asking.get(path, params={"p": "npm", "writeKey": "wk_rudder"}, headers=RUDDER)
        assert config.json()["source"]["enabled"] is True


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/v1/t"),
        ("POST", "/rudderstack/v1/track"),
        ("GET", "/v1/projects/nobody/settings"),
        ("GET", "/i"),
    ],
)
async def test_a_key_that_nobody_has_is_refused(
    gateway: Seen, asking: httpx.AsyncClient, method: str, path: str
) -> None:
    answer = await asking.request(method, path, content=json.dumps({**SEEN, "writeKey": "nobody"}))
    assert answer.status_code == 401
    assert gateway.events == []


@pytest.mark.parametrize("body", [b"", b"[]", b'{"batch":[]}', b'{"batch":'])
async def test_what_is_no_batch_is_malformed(asking: httpx.AsyncClient, body: bytes) -> None:
    assert (await asking.post("/v1/batch", content=body, headers=BASIC)).status_code == 400
