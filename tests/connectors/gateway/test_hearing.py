"""When sources were last heard, from what is kept: found from the end, within bounds, and known after a restart."""

import json
import os
import signal
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.error import HTTPError

import pytest
from prometheus_client import REGISTRY
from prometheus_client.parser import text_string_to_metric_families

from connectors.gateway import hearing
from connectors.gateway.hearing import Heard, Way, begin, last_heard
from connectors.sources import SourceForm
from schemas.codec import Codec
from schemas.events.ingest import RequestReceived, RequestsRefused
from schemas.meta import Event, Meta
from schemas.topics import RAW, REFERENCES
from tests.connectors.channels.samples import shopify
from tests.connectors.gateway.conftest import PARTITIONS, Log
from tests.connectors.gateway.test_gateway import gateway
from tests.connectors.gateway.test_webhooks import PATH, signed
from vaart import kafka
from vaart.addresses import Addresses
from vaart.admin import Topics, Wanted
from vaart.backwards import Backwards
from vaart.clock import wall
from vaart.reading import Reader
from vaart.settings import Settings

pytestmark = pytest.mark.servers

SECOND = 1_000_000
BEGAN = wall()
"""Ages are counted from here."""
Send = Callable[..., None]


@pytest.fixture
def send(log: Log) -> Send:
    """Requests of a source, that came in so many seconds before the tests began."""

    def send_some(source: str, *ages_s: float, refused: str = "") -> None:
        log.send(*(record(source, age_s, refused) for age_s in ages_s))

    return send_some


def record(source: str, age_s: float, refused: str) -> Event:
    at = BEGAN - int(age_s * SECOND)
    named = str(uuid.uuid4())
    meta = Meta(event_id=named, occurred_at=at, received_at=at, channel="shopify", source=source)
    if refused:
        return RequestsRefused(meta=meta, request_id=named, why=refused, count=1, first_at=at)
    return RequestReceived(meta=meta, request_id=named, route="POST ", body=b"{}", verdict="1 OrderPlaced")


@pytest.fixture
def reader(settings: Settings, servers: Addresses) -> Iterator[Reader]:
    with Reader(settings, servers, "test") as found:
        yield found


@pytest.fixture
def look(reader: Reader, codec: Codec) -> Callable[..., Heard]:
    def look_for(*names: str, records_max: int = 1_000, since_ms: int = 0) -> Heard:
        wanted: list[Way] = [("shopify", name) for name in names]
        decode = codec.decoder(RAW)
        return last_heard(reader, decode, PARTITIONS, wanted, since_ms, lambda read: read >= records_max)

    return look_for


def ago_s(at: int | None) -> float:
    return (BEGAN - (at or 0)) / SECOND


def test_the_newest_request_of_each_source_is_found(send: Send, look: Callable[..., Heard]) -> None:
    send("shop-nl", 500, 40, 90)
    send("shop-be", 70)
    heard = look("shop-nl", "shop-be", "shop-de")
    assert [ago_s(heard.at.get(("shopify", name))) for name in ("shop-nl", "shop-be")] == [40, 70]
    assert ("shopify", "shop-de") not in heard.at
    assert heard.since is None
    assert heard.latest(("shopify", "shop-de"), SourceForm(channel="shopify")) is None


def test_a_source_far_behind_the_end_is_found_round_by_round(
    send: Send, look: Callable[..., Heard], reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vaart.backwards.CHUNK", 2)
    send("shop-be", 60)
    send("shop-nl", *range(40, 0, -1))
    assert ago_s(look("shop-be", "shop-nl").at["shopify", "shop-be"]) == 60
    back = Backwards(reader, RAW.name, dict.fromkeys(range(PARTITIONS), 0))
    sizes = []
    while back.horizon_ms is not None:
        sizes.append(len(list(back.round())))
    assert sum(sizes) == 41
    assert sizes[:2] == [4, 8]


def test_what_is_looked_through_is_bounded_and_the_horizon_is_told(
    send: Send, look: Callable[..., Heard], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vaart.backwards.CHUNK", 2)
    send("shop-be", 60)
    send("shop-nl", *[1] * 40)
    before = wall()
    heard = look("shop-be", "shop-nl", records_max=5)
    assert ("shopify", "shop-be") not in heard.at
    assert heard.since is not None
    assert heard.since <= before
    assert heard.latest(("shopify", "shop-be"), SourceForm(channel="shopify")) == heard.since


def test_what_came_before_the_moment_is_not_looked_for(send: Send, look: Callable[..., Heard]) -> None:
    send("shop-be", 60)
    soon_ms = wall() // 1_000 + 1
    while wall() // 1_000 <= soon_ms:
        pass
    send("shop-nl", 1)
    heard = look("shop-be", "shop-nl", since_ms=soon_ms)
    assert list(heard.at) == [("shopify", "shop-nl")]
    assert heard.since == soon_ms * 1_000


def test_a_refusal_is_no_sign_of_life_and_the_last_is_told(send: Send, look: Callable[..., Heard]) -> None:
    send("shop-nl", 30, refused="the later")
    send("shop-nl", 50, refused="the earlier")
    heard = look("shop-nl")
    assert heard.at == {}
    assert heard.refused["shopify", "shop-nl"].why == "the later"


def value(name: str, source: str) -> float | None:
    return REGISTRY.get_sample_value(name, {"channel": "shopify", "source": source})


def form(**more: Any) -> SourceForm:
    return SourceForm(channel="shopify", **more)


POLL = {
    "poller": "shopify_orders",
    "base_url": "https://shop.example",
    "token": {"env": "T"},
    "every_s": 60,
}


def test_a_gateway_that_starts_again_neither_forgets_nor_reports_everybody(
    send: Send, reader: Reader, codec: Codec, monkeypatch: pytest.MonkeyPatch
) -> None:
    send("old-" + (mark := uuid.uuid4().hex[:6]), 200)
    names = {word: f"{word}-{mark}" for word in ("old", "lively", "never", "polled", "paused", "free")}
    monkeypatch.setattr(hearing, "RECORDS_MAX", 1)
    monkeypatch.setattr("vaart.backwards.CHUNK", 1)
    send(names["lively"], *[5] * 30)
    forms = {
        names["old"]: form(silent_after_s=100),
        names["lively"]: form(silent_after_s=90),
        names["never"]: form(silent_after_s=80),
        names["polled"]: form(silent_after_s=70, poll=POLL),
        names["paused"]: form(silent_after_s=60, is_paused=True),
        names["free"]: form(),
    }
    begin(forms, reader, codec.decoder(RAW), PARTITIONS, wall)
    limits = {word: value("vaart_source_silent_after_seconds", name) for word, name in names.items()}
    assert limits == {"old": 100, "lively": 90, "never": 80, "polled": 70, "paused": None, "free": None}
    heard = {word: value("vaart_source_heard_timestamp_seconds", name) for word, name in names.items()}
    assert heard["lively"] == BEGAN / SECOND - 5
    # Not looked for any further: so long ago at least, and no alert of which nobody is sure.
    assert heard["old"] == heard["never"] is not None
    assert [heard[word] for word in ("polled", "paused", "free")] == [None] * 3


def test_a_gateway_that_looked_at_everything_knows_who_never_came(
    send: Send, reader: Reader, codec: Codec
) -> None:
    mark = uuid.uuid4().hex[:6]
    send(f"old-{mark}", 200)
    forms = {f"old-{mark}": form(silent_after_s=100), f"never-{mark}": form(silent_after_s=300)}
    begin(forms, reader, codec.decoder(RAW), PARTITIONS, wall)
    assert value("vaart_source_heard_timestamp_seconds", f"old-{mark}") == BEGAN / SECOND - 200
    assert value("vaart_source_heard_timestamp_seconds", f"never-{mark}") is None


SOURCES = """
sources:
  shop-nl: {channel: shopify, secrets: [{env: SHOP}], zone: Europe/Amsterdam, region: NL, silent_after_s: 600}
"""


def posted(url: str, secret: str) -> int:
    request = signed(shopify.ORDER, secret=secret)
    headers = {name: values[0] for name, values in request.headers.items()}
    try:
        with urllib.request.urlopen(urllib.request.Request(url, request.body, headers), timeout=10) as found:
            return int(found.status)
    except HTTPError as error:
        return error.code


def addresses(printed: Iterator[str]) -> tuple[str, str]:
    """Of the management port and of the gateway, once it listens."""
    found: dict[str, str] = {}
    for line in printed:
        told = json.loads(line)
        found[told["event"]] = told.get("address", "")
        if "gateway_listens" in found:
            return found["management_listens"], found["gateway_listens"]
    raise AssertionError("it ended")


def scraped(management: str) -> dict[str, float]:
    """What it says of the source."""
    with urllib.request.urlopen(f"{management}/metrics", timeout=10) as answer:
        families = text_string_to_metric_families(answer.read().decode())
    samples = [sample for family in families for sample in family.samples]
    return {each.name: each.value for each in samples if each.labels.get("source") == "shop-nl"}


def test_a_gateway_that_was_killed_knows_what_it_heard_and_tells_what_it_refused(
    environment: dict[str, str], log: Log, tmp_path: Path
) -> None:
    name = kafka.topic_name(log.settings, REFERENCES.name)
    beside = Wanted(name, PARTITIONS, 1, REFERENCES.config())
    Topics(kafka.admin(log.settings, log.addresses), log.addresses.kafka).create([beside])
    path = tmp_path / "sources.yaml"
    path.write_text(SOURCES)
    told = {"VAART_GATEWAY__SOURCES": str(path), "VAART_KAFKA__PARTITIONS": str(PARTITIONS)}
    told |= environment | {"SHOP": shopify.SECRET}
    with gateway(told) as (process, printed):
        management, url = addresses(printed)
        assert "vaart_source_heard_timestamp_seconds" not in scraped(management)
        assert posted(url + PATH, shopify.SECRET) == 200
        first = scraped(management)
        assert posted(url + PATH, "guessed") == 401
        told_of = log.events(2, RAW)
        os.kill(process.pid, signal.SIGKILL)
    assert sorted(type(each).__name__ for each in told_of) == ["RequestReceived", "RequestsRefused"]
    with gateway(told) as (_, printed):
        again = scraped(addresses(printed)[0])
    name = "vaart_source_heard_timestamp_seconds"
    assert first["vaart_source_silent_after_seconds"] == again["vaart_source_silent_after_seconds"] == 600
    (request,) = (each for each in told_of if isinstance(each, RequestReceived))
    assert again[name] == request.meta.received_at / SECOND <= first[name]
