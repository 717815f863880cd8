"""`vaart sources watch`, `status` and `plan` on a real Kafka: what sources sent, when, and what they seem to plan."""

import json
import subprocess
import sys
import threading
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner, Result

from schemas.avsc import schema_of
from schemas.codec import Codec, subject_of
from schemas.events.activity import CustomActivityRecorded, ProductViewed
from schemas.events.ingest import CursorMoved, RequestReceived, RequestsRefused
from schemas.meta import Event, Meta
from schemas.registry import Registry
from schemas.topics import ACTIVITY, CURSORS, INPUTS, RAW
from tests.connectors.gateway.conftest import PARTITIONS, Log
from vaart import kafka
from vaart.addresses import Addresses
from vaart.admin import Topics, Wanted
from vaart.cli.main import app
from vaart.clock import wall
from vaart.errors import UsageFault
from vaart.settings import Settings

pytestmark = pytest.mark.servers

SECOND = 1_000_000
VERDICT = "2 ProductViewed, 1 rejected; off plan: 2 missing sku (ProductViewed)"
USED = (
    (RAW, RequestReceived),
    (RAW, RequestsRefused),
    (CURSORS, CursorMoved),
    (ACTIVITY, ProductViewed),
    (ACTIVITY, CustomActivityRecorded),
)
SOURCES = """
sources:
  web-nl: {channel: segment, write_keys: [a], silent_after_s: 600}
  web-be: {channel: segment, write_keys: [b], silent_after_s: 3600}
  web-de: {channel: segment, write_keys: [c]}
  web-fr: {channel: segment, write_keys: [d], is_paused: true, silent_after_s: 60}
  shop:
    channel: shopify
    secrets: [{env: NOT_SET_HERE}]
    silent_after_s: 600
    poll: {poller: shopify_orders, base_url: "https://shop.example", token: {env: NOT_SET_HERE}}
"""
Vaart = Callable[..., Result]


@pytest.fixture
def log(settings: Settings, servers: Addresses) -> Iterator[Log]:
    registry = Registry(servers.registry)
    for topic, struct in USED:
        subject = subject_of(topic, struct, settings.kafka.topic_prefix)
        registry.register(subject, schema_of(struct), "FULL_TRANSITIVE")
    names = {kafka.topic_name(settings, topic.name): topic for topic in INPUTS}
    wanted = [Wanted(name, PARTITIONS, 1, topic.config()) for name, topic in names.items()]
    Topics(kafka.admin(settings, servers), servers.kafka).create(wanted)
    yield Log(settings, servers, Codec(registry, settings.kafka.topic_prefix))
    registry.close()


@pytest.fixture
def told(environment: dict[str, str], tmp_path: Path) -> dict[str, str]:
    """The variables of a deployment that has sources."""
    path = tmp_path / "sources.yaml"
    path.write_text(SOURCES)
    return environment | {"VAART_KAFKA__PARTITIONS": str(PARTITIONS), "VAART_GATEWAY__SOURCES": str(path)}


@pytest.fixture
def vaart(told: dict[str, str]) -> Vaart:
    return lambda *words: CliRunner(env={**told, "COLUMNS": "200"}).invoke(app, ["sources", *words])


def meta(source: str, age_s: float = 0, channel: str = "segment") -> Meta:
    at = wall() - int(age_s * SECOND)
    return Meta(event_id=str(uuid.uuid4()), occurred_at=at, received_at=at, channel=channel, source=source)


def taken(source: str, age_s: float = 0, verdict: str = "1 ProductViewed") -> RequestReceived:
    made = meta(source, age_s)
    named = f"request of {source}"
    return RequestReceived(meta=made, request_id=named, route="POST ", body=b"hush", verdict=verdict)


def refused(source: str, channel: str = "segment") -> RequestsRefused:
    made, why = meta(source, channel=channel), "the signature does not fit"
    return RequestsRefused(meta=made, request_id="r-2", why=why, count=7, first_at=made.occurred_at)


def polled(source: str) -> CursorMoved:
    made = meta(source, channel="poller")
    return CursorMoved(meta=made, poller="shopify_orders", since=1, newest=2, page="")


@pytest.fixture
def watched(vaart: Vaart, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """What is printed, once it has ended by itself."""
    monkeypatch.setattr("vaart.cli.sink.stopped_by_signal", threading.Event)

    def watch(*words: str) -> str:
        found = vaart("watch", *words)
        assert found.exit_code == 0, (found.output, found.exception)
        return found.stdout

    return watch


def test_watch_shows_what_comes_and_what_became_of_it(log: Log, watched: Callable[..., str]) -> None:
    log.send(taken("web-be"), taken("web-nl", verdict=VERDICT), refused("web-nl"))
    found = watched("web-nl", "--since", "10m", "--count", "2", "--output", "json")
    lines = sorted(map(json.loads, found.splitlines()), key=lambda line: line["refused"])
    assert [line["source"] for line in lines] == ["web-nl", "web-nl"]
    assert (lines[0]["request_id"], lines[0]["verdict"]) == ("request of web-nl", VERDICT)
    assert (lines[0]["events"], lines[0]["rejected"]) == ({"ProductViewed": 2}, 1)
    flag = {"reason": "missing", "event": "ProductViewed", "field": "sku", "count": 2}
    assert lines[0]["off_plan"] == [flag]
    assert (lines[1]["refused"], lines[1]["verdict"]) == (7, "refused 7: the signature does not fit")
    assert "hush" not in found


def test_watch_shows_polls_beside_requests_and_follows_all(log: Log, watched: Callable[..., str]) -> None:
    log.send(taken("web-nl"), polled("shop"))
    head, *lines = watched("--since", "10m", "--count", "2").splitlines()
    assert head.split() == ["TIME", "SOURCE", "CHANNEL", "REQUEST", "VERDICT"]
    assert any("web-nl" in line and "1 ProductViewed" in line for line in lines)
    assert any("shop" in line and "shopify_orders" in line and "up to date" in line for line in lines)


def test_watch_begins_now(log: Log, told: dict[str, str]) -> None:
    log.send(taken("web-nl", verdict="before"))
    words = [sys.executable, "-m", "vaart.cli", "sources", "watch", "web-nl", "--count", "1"]
    with subprocess.Popen(
        words, env=told, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None
        assert "following web-nl" in process.stderr.readline()
        log.send(taken("web-nl", verdict="after"))
        printed, _ = process.communicate(timeout=30)
    assert "after" in printed
    assert "before" not in printed


def test_a_name_that_is_misspelled_is_said(vaart: Vaart) -> None:
    for words in (("watch", "web-ln"), ("plan", "web-ln")):
        found = vaart(*words)
        assert isinstance(found.exception, UsageFault)
        assert "web-nl" in str(found.exception)


def state(rows: list[dict[str, Any]], source: str, channel: str = "segment") -> tuple[str, str]:
    (row,) = (each for each in rows if (each["source"], each["channel"]) == (source, channel))
    return row["state"], row["last_heard"]


def test_status_says_which_source_is_silent(log: Log, vaart: Vaart) -> None:
    log.send(taken("web-nl", 900), taken("web-be", 900), taken("web-fr", 900), polled("shop"))
    log.send(refused("shop", "shopify"), refused("web-nl"))
    found = vaart("status", "--output", "json")
    assert found.exit_code == 1, (found.output, found.exception)
    rows = json.loads(found.stdout)
    assert [state(rows, name)[0] for name in ("web-nl", "web-be", "web-fr")] == ["silent", "ok", "paused"]
    assert state(rows, "web-de") == ("never heard", "")
    assert state(rows, "shop", "shopify") == ("never heard", "")
    assert state(rows, "shop", "shopify_orders")[0] == "ok"
    assert [row["refused"].partition("Z: ")[2] for row in rows if row["refused"]] == [
        "the signature does not fit"
    ] * 2
    table = vaart("status").stdout
    assert "silent" in table
    assert "600 s" in table


def test_status_is_good_where_none_is_silent(log: Log, vaart: Vaart) -> None:
    log.send(taken("web-nl", 30))
    found = vaart("status", "--output", "json")
    assert found.exit_code == 0, (found.output, found.exception)
    rows = json.loads(found.stdout)
    assert [state(rows, name)[0] for name in ("web-nl", "web-be")] == ["ok", "never heard"]


def test_refusals_are_no_requests(log: Log, told: dict[str, str]) -> None:
    log.send(taken("web-nl"), refused("web-nl"))
    found = CliRunner(env=told).invoke(app, ["requests", "list", "--since", "10m", "--output", "json"])
    assert [row["id"] for row in json.loads(found.stdout)] == ["request of web-nl"]


def viewed(source: str, number: int) -> Event:
    return ProductViewed(meta=meta(source), sku=f"secret-{number}")


def test_a_plan_is_drafted_from_what_the_source_sent(log: Log, vaart: Vaart, tmp_path: Path) -> None:
    sized = CustomActivityRecorded(
        meta=meta("web-nl"), name="Size Guide Opened", properties_json='{"size": "S"}'
    )
    log.send(*(viewed("web-nl", number) for number in range(12)), sized, viewed("web-be", 1))
    found = vaart("plan", "web-nl")
    assert found.exit_code == 0, (found.output, found.exception)
    assert yaml.safe_load(found.stdout) == {
        "events": {"ProductViewed": {"fields": {"sku": {"required": True}}}},
        "custom": {"Size Guide Opened": {"fields": {"size": {"kind": "text"}}}},
        "others": "flagged",
    }
    assert "secret" not in found.stdout
    some = json.loads(vaart("plan", "web-nl", "--from-last", "5", "--output", "json").stdout)
    assert (some["source"], some["events"]) == ("web-nl", 5)
    assert vaart("plan", "web-de").exit_code == 1


def test_check_reads_the_plans_that_sources_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "sources.yaml"
    path.write_text("sources: {web: {channel: segment, write_keys: [a], plan: plan.yaml}}")
    plan = tmp_path / "plan.yaml"
    words = ["sources", "check", "--sources", str(path), "--output", "json"]
    plan.write_text("events: {ProductVewed: {}}")
    bad = CliRunner().invoke(app, words)
    assert "web: " in str(bad.exception)
    assert "did you mean ProductViewed?" in str(bad.exception)
    plan.write_text("events: {ProductViewed: {}}")
    assert json.loads(CliRunner().invoke(app, words).stdout)[0]["plan"] == "plan.yaml"


@pytest.mark.parametrize("verb", ["check", "watch", "status", "plan"])
def test_every_verb_shows_how_it_is_used(verb: str) -> None:
    assert (
        f"vaart sources {verb}"
        in CliRunner(env={"COLUMNS": "200"}).invoke(app, ["sources", verb, "--help"]).stdout
    )
