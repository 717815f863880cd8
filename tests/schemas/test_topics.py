"""The catalogue: names, keys, settings, and what a real Kafka makes of them."""

import re
from typing import Any

import pytest
from typer.testing import CliRunner

from schemas import topics as t
from schemas.events import activity, orders, service, stock
from schemas.events.clock import ClockAdvanced
from schemas.events.lines import Totals
from schemas.events.marketing import MessageStatusReported
from schemas.events.states import Profile
from schemas.identifiers import SecretMissing, key_of
from schemas.ids import event_id
from schemas.meta import Identifier, Meta
from schemas.topic import Topic
from vaart.addresses import Addresses
from vaart.admin import Found, Topics, Wanted
from vaart.cli.main import app
from vaart.cli.topics import compared, ensure
from vaart.errors import UsageFault
from vaart.kafka import admin
from vaart.settings import Settings

NAME = re.compile(r"[a-z]+(-[a-z]+)*(\.[a-z]+(-[a-z]+)*)*\.v[1-9]")
SECRET = "the deployment's own"
EMAIL = Identifier("email", "Someone@Example.org ")
CARD = Identifier("loyalty_card", "2375")
BROWSER = Identifier("anonymous_id", "a-1")


def meta(*identifiers: Identifier, channel: str = "store") -> Meta:
    return Meta(
        event_id="e-1",
        occurred_at=1,
        received_at=2,
        channel=channel,
        source="shop",
        identifiers=[*identifiers],
    )


def viewed(*identifiers: Identifier, channel: str = "web") -> activity.PageViewed:
    return activity.PageViewed(meta=meta(*identifiers, channel=channel), url="https://shop.example/")


def returned(order_id: str | None = None, source: str | None = None) -> orders.ReturnedInStore:
    return orders.ReturnedInStore(
        meta=meta(),
        receipt_id="r-2",
        store_id="haarlem",
        business_date=1,
        currency="EUR",
        lines=[],
        totals=Totals(total=0),
        original_order_id=order_id,
        original_source=source,
    )


def test_names_are_well_formed_and_unique() -> None:
    names = [topic.name for topic in t.TOPICS]
    assert [name for name in names if not NAME.fullmatch(name)] == []
    assert len(set(names)) == len(names)


def test_an_event_has_one_topic_that_channels_publish_it_to() -> None:
    listed = [each for topic in t.INPUTS for each in topic.events]
    assert len(set(listed)) == len(listed)


def test_the_clock_may_stand_on_every_topic() -> None:
    assert all(ClockAdvanced in topic.carries for topic in t.TOPICS)


def test_events_that_concern_a_customer_reach_profiles_and_timeline() -> None:
    assert set(t.ROUTED.events) == set(t.TIMELINE.events) >= {*t.ORDERS.events, *t.ACTIVITY.events}


@pytest.mark.parametrize(
    ("event", "topic", "key"),
    [
        (orders.OrderAccepted(meta=meta(), order_id="o-1"), t.ORDERS, "shop:o-1"),
        (returned(), t.ORDERS, "shop:r-2"),
        (returned("o-1"), t.ORDERS, "shop:o-1"),
        (returned("o-1", "webshop"), t.ORDERS, "webshop:o-1"),
        (stock.StockFactCorrected, t.STOCK, "dress"),
        (viewed(CARD, BROWSER), t.ACTIVITY, "anonymous_id:a-1"),
        (viewed(BROWSER, CARD, channel="crm"), t.ACTIVITY, "loyalty_card:2375"),
        (viewed(CARD), t.ACTIVITY, "loyalty_card:2375"),
        (viewed(), t.ACTIVITY, "e-1"),
        (
            service.MessageRemoved(meta=meta(channel="chat"), conversation_id="c", message_id="m"),
            t.CONVERSATIONS,
            "shop:c",
        ),
    ],
)
def test_route(event: Any, topic: Topic, key: str) -> None:
    if event is stock.StockFactCorrected:
        event = event(meta=meta(), sku="dress", location_id="haarlem", corrects_event_id="e-0", quantity=1)
    assert t.route(event) == (topic, key)


def test_every_input_event_is_routed_to_the_topic_that_lists_it() -> None:
    class Anything:
        def __getattr__(self, name: str) -> str:
            return f"the {name}"

    for topic in t.INPUTS:
        assert topic.key is not None
        for each in topic.events:
            stand_in = type(each.__name__, (Anything,), {"meta": meta()})()
            assert topic.key(stand_in, SECRET) or topic is t.RAW


def test_what_channels_do_not_publish_has_no_route() -> None:
    with pytest.raises(t.Unroutable, match="Profile"):
        t.route(Profile(profile_id="p", identifiers=[], first_seen_at=1, last_seen_at=1))  # type: ignore[arg-type]


def test_no_person_shows_in_a_key() -> None:
    _, key = t.route(viewed(EMAIL, channel="crm"), SECRET)
    assert re.fullmatch(r"email:[a-z2-7]{26}", key)
    assert key == key_of(Identifier("email", "someone@example.org"), SECRET)
    assert key != key_of(EMAIL, "another secret")

    message = MessageStatusReported(
        meta=meta(), message_id="wamid.31612345678", medium="whatsapp", status="read"
    )
    assert "316" not in t.route(message, SECRET)[1]
    talk = service.MessageRemoved(
        meta=meta(channel="messaging"), conversation_id="31612345678", message_id="m"
    )
    assert "316" not in t.route(talk, SECRET)[1]


def test_without_the_secret_a_personal_key_is_refused_and_the_text_shows_nobody() -> None:
    with pytest.raises(SecretMissing, match="VAART_IDENTIFIER_SECRET") as refused:
        t.route(viewed(EMAIL, channel="crm"))
    assert "example" not in str(refused.value).lower()


def test_the_same_fact_has_the_same_id_and_parts_never_run_together() -> None:
    assert event_id("shop", "OrderPlaced", "1") == event_id("shop", "OrderPlaced", "1")
    assert event_id("shop:1", "OrderPlaced", "2") != event_id("shop", "OrderPlaced", "1:2")
    assert re.fullmatch(
        r"[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", event_id("", "", "")
    )


def test_state_is_compacted_within_a_day_and_events_stay_four_weeks() -> None:
    assert t.PROFILES.config()["max.compaction.lag.ms"] == str(24 * 3_600_000)
    assert t.ORDERS.config()["retention.ms"] == str(28 * 24 * 3_600_000)
    assert t.ORDERS.config(3)["min.insync.replicas"] == "2"


@pytest.mark.servers
def test_topics_are_created_checked_and_put_right(settings: Settings, servers: Addresses) -> None:
    assert {each.state for each in compared(settings, servers)} == {"missing"}
    ensure(settings, servers)
    assert {each.state for each in compared(settings, servers)} == {"same"}

    name = settings.kafka.topic_prefix + t.ORDERS.name
    drifted = Wanted(name, settings.kafka.partitions, 1, {"retention.ms": "1000"})
    Topics(admin(settings, servers), servers.kafka).alter([Found(drifted, "differs")])
    found = {each.wanted.name: each for each in compared(settings, servers)}
    assert found[name].differences == (("retention.ms", "1000", t.ORDERS.config()["retention.ms"]),)
    ensure(settings, servers)
    assert {each.state for each in compared(settings, servers)} == {"same"}


@pytest.mark.servers
def test_another_partition_count_is_refused_before_anything_changes(
    settings: Settings, servers: Addresses
) -> None:
    client = Topics(admin(settings, servers), servers.kafka)
    name = settings.kafka.topic_prefix + t.ORDERS.name
    client.create([Wanted(name, settings.kafka.partitions + 1, 1, {})])
    with pytest.raises(UsageFault, match="partitions is 5, not 4"):
        ensure(settings, servers)
    assert sum(each.state == "missing" for each in compared(settings, servers)) == len(compared(settings)) - 1


@pytest.mark.servers
def test_the_command_says_what_it_would_do_and_asks_first(environment: dict[str, str]) -> None:
    run = CliRunner(env=environment).invoke
    assert run(app, ["topics", "plan"]).exit_code == 0
    assert run(app, ["topics", "check"]).exit_code == 1
    assert isinstance(run(app, ["topics", "apply"]).exception, UsageFault)
    assert run(app, ["topics", "apply", "--dry-run"]).exit_code == 0
    assert run(app, ["topics", "check"]).exit_code == 1
    assert run(app, ["topics", "apply", "--yes"]).exit_code == 0
    checked = run(app, ["topics", "check", "--output", "json"])
    assert checked.exit_code == 0
    assert '"state": "same"' in checked.output
