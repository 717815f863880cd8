"""`vaart events find` and `tail` on the real servers: which events they show, and that nobody shows by mistake."""

import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from schemas.events.activity import CustomerIdentified, StoreVisited
from schemas.events.clock import ClockAdvanced
from schemas.events.products import ProductReported
from schemas.events.service import MessageReceived
from schemas.meta import Identifier, Meta
from schemas.topics import ACTIVITY, CONVERSATIONS, PRODUCTS
from tests.sinks.postgres.conftest import PARTITIONS, Pipe
from tests.sinks.postgres.test_schema import as_user
from vaart.cli.main import app
from vaart.cli.sightings import Sighting
from vaart.clock import wall
from vaart.errors import ConfigFault, UsageFault

pytestmark = pytest.mark.servers

HOUR = 3_600_000_000
CARD = Identifier("loyalty_card", "AbC1")
MAIL = Identifier("email", "Ann@One.example")
Vaart = Callable[..., Result]


def meta(name: str, hours_ago: int = 0, channel: str = "store", **more: Any) -> Meta:
    at = wall() - hours_ago * HOUR - 1_000_000
    return Meta(event_id=name, occurred_at=at, received_at=at, channel=channel, source="till-7", **more)


def publish_three(pipe: Pipe) -> None:
    pipe.publish(
        ACTIVITY,
        "c",
        StoreVisited(meta=meta("old", 50, identifiers=[CARD]), store_id="haarlem", method="wifi"),
    )
    pipe.publish(
        ACTIVITY,
        "c",
        CustomerIdentified(
            meta=meta("mid", 2, channel="web", identifiers=[MAIL], context={"ip": "10.0.0.1"})
        ),
    )
    talk = MessageReceived(
        meta=meta("new", channel="messaging", source_event_id="wamid.31612345678"),
        conversation_id="ours:+31612345678",
        message_id="wamid.31612345678",
        author="Ann",
        text="hello\x1b[31m",
    )
    pipe.publish(CONVERSATIONS, "till-7:hidden", talk)
    pipe.publisher.flush()


@pytest.fixture
def vaart(pipe: Pipe) -> Vaart:
    """The command, in the deployment of the test."""
    pipe.environment["VAART_KAFKA__PARTITIONS"] = str(PARTITIONS)

    def run(*words: str, **environment: str) -> Result:
        return CliRunner(env=pipe.environment | environment).invoke(app, ["events", *words])

    return run


@pytest.fixture
def filled(pipe: Pipe) -> None:
    """Three events are in the archive."""
    publish_three(pipe)
    with pipe.running():
        pipe.wait_for("SELECT count(*)::int FROM ingest.events", 3)


def found(result: Result) -> list[str]:
    assert result.exception is None or result.exit_code == 1, result.output
    return [each["event_id"] for each in json.loads(result.stdout)["events"]]


@pytest.mark.usefixtures("filled")
def test_find_takes_what_fits_oldest_first(vaart: Vaart) -> None:
    def ids(*words: str) -> list[str]:
        return found(vaart("find", *words, "--output", "json"))

    assert ids() == ["old", "mid", "new"]
    assert ids("--channel", "store") == ["old"]
    assert ids("--type", "MessageReceived", "--source", "till-7") == ["new"]
    assert ids("--source", "till-8") == []
    assert ids("--event-id", "mid") == ["mid"]
    assert ids("--since", "3h") == ["mid", "new"]
    assert ids("--since", "3d", "--until", "1h") == ["old", "mid"]
    assert ids("--limit", "2") == ["mid", "new"]
    assert ids("--identifier", "loyalty_card:AbC1") == ["old"]
    assert ids("--identifier", "loyalty_card:abc1") == []
    assert ids("--identifier", "email: ann@ONE.example") == ["mid"]
    assert vaart("find", "--source", "till-8").exit_code == 1
    assert json.loads(vaart("find", "--limit", "2", "--output", "json").stdout)["more"] is True


@pytest.mark.usefixtures("filled")
def test_find_shows_nobody_unless_it_is_told_to(vaart: Vaart, pipe: Pipe) -> None:
    for words in ((), ("--output", "json")):
        masked, clear = vaart("find", *words).stdout, vaart("find", "--clear", *words).stdout
        for personal in ("Ann@One.example", "31612345678", "hello", "AbC1"):
            assert personal in clear
            assert personal not in masked
        assert "\x1b" not in clear
    (event,) = json.loads(vaart("find", "--event-id", "mid", "--output", "json").stdout)["events"]
    assert event["identifiers"] == [{"kind": "email", "value": "***", "verified": False}]
    assert event["context"] == {"ip": "***"}
    topic = pipe.settings.kafka.topic_prefix + ACTIVITY.name
    assert (event["type"], event["topic"], event["key"]) == ("CustomerIdentified", topic, "c")


def test_find_says_what_is_missing(vaart: Vaart, pipe: Pipe) -> None:
    reader = vaart("find", VAART_POSTGRES__DSN=as_user(pipe.addresses.postgres, "vaart_reader"))
    assert isinstance(reader.exception, ConfigFault)
    assert "mart.events" in str(reader.exception)
    empty = vaart("find", VAART_POSTGRES__DSN=pipe.addresses.postgres.rsplit("/", 1)[0] + "/postgres")
    assert "vaart db upgrade" in str(empty.exception)
    typo = vaart("find", "--type", "OrderPlace")
    assert isinstance(typo.exception, UsageFault)
    assert "OrderPlaced" in str(typo.exception)
    assert isinstance(vaart("find", "--identifier", "ann").exception, UsageFault)
    assert isinstance(vaart("find", "--since", "yesterday").exception, UsageFault)


@contextmanager
def tailing(pipe: Pipe, *words: str) -> "Iterator[subprocess.Popen[str]]":
    """`vaart events tail`, once it follows."""
    process = subprocess.Popen(
        [sys.executable, "-m", "vaart.cli", "events", "tail", *words],
        env=pipe.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    try:
        while "following" not in (line := process.stderr.readline()):
            assert line, "it ended"
        yield process
    finally:
        process.kill()
        process.communicate()


@pytest.mark.usefixtures("vaart")
def test_tail_follows_from_now_on_until_it_is_interrupted(pipe: Pipe) -> None:
    publish_three(pipe)
    with tailing(pipe, "--output", "json") as process:
        assert process.stdout is not None
        assert process.stderr is not None
        pipe.publish(PRODUCTS, "sku", ProductReported(meta=meta("product"), sku="sku", name="Dress"))
        pipe.publish(PRODUCTS, "sku", None)
        pipe.publish(PRODUCTS, "sku", ClockAdvanced(until=9, writer="replay"))
        pipe.publish(PRODUCTS, "sku", b"{}")
        pipe.publisher.flush()
        event = json.loads(process.stdout.readline())
        assert event["topic"] == pipe.settings.kafka.topic_prefix + PRODUCTS.name
        assert (event["event_id"], event["event"]["name"]) == ("product", "Dress")
        assert f"not readable: {event['topic']}[" in process.stderr.readline()
        publish_three(pipe)
        line = process.stdout.readline() + process.stdout.readline() + process.stdout.readline()
        assert "31612345678" not in line
        assert "Ann@One.example" not in line
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 0


@pytest.mark.usefixtures("vaart")
def test_tail_begins_earlier_takes_what_fits_and_ends_at_its_limit(pipe: Pipe) -> None:
    publish_three(pipe)
    words = ("--since", "10m", "--identifier", "email:ann@one.example", "--limit", "1", "--clear")
    with tailing(pipe, *words) as process:
        printed, _ = process.communicate(timeout=30)
    assert process.returncode == 0
    assert "CustomerIdentified web/till-7 email:Ann@One.example mid" in printed
    assert len(printed.splitlines()) == 1


def test_a_line_moves_no_cursor() -> None:
    shown = Sighting("a", "b", "T", "web", "s\x1b[2J", None, "id\r", "k", [], {}, {"x": "\x9b"}, "t", 0, 0)
    assert shown.line().isprintable()
