"""The archive on real servers: every event once, in its month, and masked for who may not see people."""

import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest

from schemas.events.activity import CustomerIdentified, StoreVisited
from schemas.events.clock import ClockAdvanced
from schemas.events.orders import SoldInStore
from schemas.events.products import ProductReported
from schemas.events.service import MessageReceived
from schemas.meta import Identifier, Meta
from schemas.personal import mask, paths
from schemas.readable import body
from schemas.topic import Topic
from schemas.topics import ACTIVITY, CONVERSATIONS, ORDERS, PRODUCTS
from sinks.projections.archive import TOPICS
from tests.schemas.whole import whole
from tests.sinks.postgres.conftest import Pipe
from tests.sinks.postgres.test_schema import as_user, one

pytestmark = pytest.mark.servers

AT = 1_709_290_800_123_456
"""2024-03-01T11:00:00.123456Z."""
MARCH = 1_709_251_200_000_000
PERSON = [Identifier("email", "Ann@One.example", verified=True)]
DAY = 86_400_000_000
COUNT = "SELECT count(*)::int FROM ingest.events"
PLACES = "SELECT event_id, tableoid::regclass::text FROM ingest.events ORDER BY 1"
MAKE = "SELECT ingest.make_month_of_events(%s)"


def meta(name: str, received_at: int = AT, channel: str = "web", **more: Any) -> Meta:
    return Meta(
        event_id=name,
        occurred_at=received_at,
        received_at=received_at,
        channel=channel,
        source="shop",
        **more,
    )


def visited(name: str, received_at: int = AT) -> StoreVisited:
    return StoreVisited(meta=meta(name, received_at), store_id="haarlem", method="wifi")


def publish_visits(pipe: Pipe, first: int, count: int) -> None:
    for number in range(first, first + count):
        pipe.publish(ACTIVITY, f"card:{number % 7}", visited(f"{number:04}"))
    pipe.publisher.flush()


def the_event(pipe: Pipe, view: str) -> dict[str, Any]:
    """The one row, as the reader sees it, or as it is."""
    dsn = (
        as_user(pipe.addresses.postgres, "vaart_reader")
        if view.startswith("mart")
        else pipe.addresses.postgres
    )
    ((row,),) = one(dsn, f"SELECT to_jsonb(e) FROM {view} AS e")
    found: dict[str, Any] = row
    return found


@contextmanager
def read_by_someone(pipe: Pipe) -> Iterator[None]:
    """Another session, such as a dump, holds every partition."""
    with psycopg.connect(pipe.addresses.postgres) as connection:
        connection.execute("LOCK TABLE ingest.events IN ACCESS SHARE MODE")
        yield


def test_an_event_of_every_type_is_kept_whole_and_shown_masked(pipe: Pipe) -> None:
    sent: dict[str, tuple[Any, Topic]] = {}
    for topic in TOPICS:
        for struct in topic.events:
            event = whole(struct, meta=meta(struct.__name__, identifiers=PERSON, context={"ip": "10.0.0.1"}))
            sent[struct.__name__] = event, topic
            pipe.publish(topic, "key", event)
    pipe.publisher.flush()
    with pipe.running():
        pipe.wait_for(COUNT, len(sent))
    kept = dict(pipe.rows("SELECT type, jsonb_build_array(src_topic, key, event) FROM ingest.events"))
    shown = dict(one(as_user(pipe.addresses.postgres, "vaart_reader"), "SELECT type, event FROM mart.events"))
    for name, (event, topic) in sent.items():
        assert kept[name] == [pipe.settings.kafka.topic_prefix + topic.name, "key", body(event)], name
        assert shown[name] == mask(body(event), paths(event)), name


def test_units_and_masks_are_those_of_the_schema(pipe: Pipe) -> None:
    sale = whole(SoldInStore, meta=meta("sale", identifiers=PERSON, context={"ip": "10.0.0.1"}))
    pipe.publish(ORDERS, "shop:1", sale)
    pipe.publisher.flush()
    with pipe.running():
        pipe.wait_for(COUNT, 1)
    kept, shown = the_event(pipe, "ingest.events"), the_event(pipe, "mart.events")
    assert kept["received_at"] == shown["received_at"] == "2024-03-01T11:00:00.123456+00:00"
    assert kept["identifiers"] == [{"kind": "email", "value": "Ann@One.example", "verified": True}]
    assert shown["identifiers"] == [{"kind": "email", "value": "***", "verified": True}]
    assert (kept["context"], shown["context"]) == ({"ip": "10.0.0.1"}, {"ip": "***"})
    for found in (kept["event"], shown["event"]):
        assert (found["business_date"], found["totals"]["total"]) == ("2024-03-01", "1.2345")
    assert (kept["event"]["tenders"][0]["token"], shown["event"]["tenders"][0]["token"]) == ("token", "***")
    assert "personal" not in shown


def test_the_reader_sees_no_telephone_number_in_ids(pipe: Pipe) -> None:
    pipe.publish(
        CONVERSATIONS,
        "shop:hidden",
        MessageReceived(
            meta=meta("m", channel="messaging", source_event_id="wamid.31612345678"),
            conversation_id="ours:+31612345678",
            message_id="wamid.31612345678",
            text="call +31612345678",
        ),
    )
    pipe.publisher.flush()
    with pipe.running():
        pipe.wait_for(COUNT, 1)
    assert "31612345678" in str(the_event(pipe, "ingest.events"))
    assert "31612345678" not in str(the_event(pipe, "mart.events"))


def test_tombstones_and_clocks_are_passed_over(pipe: Pipe) -> None:
    pipe.publish(PRODUCTS, "sku", ProductReported(meta=meta("product"), sku="sku"))
    pipe.publish(PRODUCTS, "sku", None)
    pipe.publish(PRODUCTS, "sku", ClockAdvanced(until=9, writer="replay"))
    pipe.publisher.flush()
    with pipe.running():
        pipe.wait_for("SELECT coalesce(max(until), 0)::int FROM ops.clocks", 9)
    assert pipe.rows(PLACES) == [("product", "ingest.events_2024_03")]


def test_each_event_is_there_once_wherever_the_sink_was_killed(pipe: Pipe) -> None:
    for number, failpoint in enumerate(("mid_copy", "after_upsert", "after_db_commit")):
        publish_visits(pipe, 100 * number, 100)
        assert pipe.process(failpoint).wait(60) == -signal.SIGKILL, failpoint
    publish_visits(pipe, 300, 100)
    with pipe.running():
        pipe.wait_for("SELECT count(DISTINCT event_id)::int FROM ingest.events", 400)
    assert pipe.rows(COUNT) == [(400,)]
    # The table lost its offsets: it takes everything again, and nothing twice.
    pipe.rows("DELETE FROM ops.sink_offsets WHERE projection = 'events' RETURNING 1")
    with pipe.running():
        pipe.wait_for(
            "SELECT coalesce(sum(next_offset), 0)::int FROM ops.sink_offsets WHERE projection = 'events'", 400
        )
    assert pipe.rows(COUNT) == [(400,)]


def test_an_event_that_was_sent_twice_stands_there_twice(pipe: Pipe) -> None:
    for _ in range(2):
        pipe.publish(ACTIVITY, "key", visited("same"))
    pipe.publisher.flush()
    with pipe.running():
        pipe.wait_for(COUNT, 2)


def test_months_are_made_as_events_of_them_come(pipe: Pipe) -> None:
    for name, at in {
        "a": MARCH - 1,
        "b": MARCH,
        "c": MARCH + 366 * DAY,
        "d": -DAY,
        "e": 253_402_300_799_999_999,
        "f": -60_000_000_000_000_000,
    }.items():
        pipe.publish(ACTIVITY, "key", visited(name, at))
    pipe.publisher.flush()
    with pipe.running():
        pipe.wait_for(COUNT, 6)
    assert pipe.rows(PLACES) == [
        ("a", "ingest.events_2024_02"),
        ("b", "ingest.events_2024_03"),
        ("c", "ingest.events_2025_03"),
        ("d", "ingest.events_default"),
        ("e", "ingest.events_default"),
        ("f", "ingest.events_default"),
    ]
    assert pipe.rows("SELECT to_regclass('ingest.events_2025_04') IS NOT NULL") == [(True,)]


def test_while_someone_holds_the_table_events_wait_in_the_default_and_then_move(pipe: Pipe) -> None:
    with read_by_someone(pipe), pipe.running():
        publish_visits(pipe, 1, 3)
        pipe.wait_for(COUNT, 3)
        assert pipe.rows("SELECT count(*)::int FROM ingest.events_default") == [(3,)]
    publish_visits(pipe, 4, 1)
    with pipe.running():
        pipe.wait_for(f"{COUNT} WHERE tableoid::regclass::text = 'ingest.events_2024_03'", 4)
    assert pipe.rows("SELECT count(*)::int FROM ingest.events_default") == [(0,)]


def test_a_customer_is_found_by_an_index_in_every_month(migrated: str) -> None:
    with psycopg.connect(migrated) as connection:
        connection.execute("SET enable_seqscan = off")
        plan = connection.execute(
            'EXPLAIN SELECT * FROM ingest.events WHERE lower(identifiers::text)::jsonb @> \'[{"value": "a"}]\''
        ).fetchall()
    assert "Seq Scan" not in str(plan)
    assert str(plan).count("Bitmap Index Scan") == 3


def test_a_migrated_database_has_this_month_and_the_next(migrated: str) -> None:
    assert one(
        migrated,
        "SELECT count(*) FROM pg_inherits WHERE inhparent = 'ingest.events'::regclass",
    ) == [(3,)]


def test_the_sinks_role_makes_months_and_two_sinks_may_make_the_same_one(migrated: str) -> None:
    sink = as_user(migrated, "vaart_sink")
    with ThreadPoolExecutor() as pool, psycopg.connect(sink) as first:
        first.execute(MAKE, ("2019-05-05T00:00Z",))
        second = pool.submit(_make, sink)
        assert not wait([second], 0.3).done
        first.commit()
        second.result(10)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            first.execute("DROP TABLE ingest.events_2019_05")
    assert one(
        migrated,
        "SELECT pg_get_expr(relpartbound, oid), relowner::regrole::text FROM pg_class "
        "WHERE relname = 'events_2019_05'",
    ) == [("FOR VALUES FROM ('2019-05-01 00:00:00+00') TO ('2019-06-01 00:00:00+00')", "vaart_owner")]


def _make(dsn: str) -> None:
    with psycopg.connect(dsn) as connection:
        connection.execute(MAKE, ("2019-05-05T00:00Z",))


def test_an_event_that_postgres_cannot_hold_is_a_dead_letter_and_the_rest_is_kept(pipe: Pipe) -> None:
    pipe.publish(ACTIVITY, "key", visited("good"))
    pipe.publish(
        ACTIVITY, "key", CustomerIdentified(meta=meta("bad", identifiers=[Identifier("email", "a\0b")]))
    )
    pipe.publish(ACTIVITY, "key", b"{}")
    publish_visits(pipe, 1, 3)
    with pipe.running():
        letters = pipe.dead_letters(2)
        pipe.wait_for(COUNT, 4)
    assert {(letter.stage, letter.reason) for letter in letters} == {
        ("write", "unstorable_text"),
        ("decode", "json"),
    }
