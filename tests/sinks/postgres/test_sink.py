"""From topic to table on real servers: each record once, whatever happens in between."""

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from prometheus_client import REGISTRY

from schemas.events.clock import ClockAdvanced
from schemas.events.states import (
    JourneyInstance,
    JourneyState,
    OrderState,
    OrderStateLine,
    StockLedgerEntry,
    StockLevel,
)
from schemas.ids import uuid5
from schemas.topics import JOURNEYS, LEDGER, LEVELS, ORDER_STATES
from tests.sinks.postgres.conftest import Pipe

PROFILE = uuid5("profile")
AT = 1_709_290_800_123_456
WRITTEN = "SELECT count(*) FROM core.stock_ledger"
ENDS = "SELECT coalesce(sum(next_offset), 0)::int FROM ops.sink_offsets WHERE projection = 'stock_ledger'"


def level(seq: int, available: int, owner: str = "own") -> StockLevel:
    return StockLevel(
        seq=seq,
        updated_at=AT,
        sku="dress",
        location_id="haarlem",
        owner=owner,
        available=available,
        on_hand=available,
    )


def entry(seq: int) -> StockLedgerEntry:
    return StockLedgerEntry(
        sku=f"sku-{seq % 7}", seq=seq, location_id="haarlem", event_id=uuid5(str(seq)), line_no=1, kind="sold",
        bucket="available", delta=-1, at=AT,
    )  # fmt: skip


def journey(version: int) -> JourneyState:
    run = JourneyInstance(
        journey="win_back", instance_key="1", version=version, step="send", status="running", entered_at=AT
    )
    return JourneyState(seq=1, updated_at=AT, profile_id=PROFILE, instances=[run])


def order(seq: int, *totals: int) -> OrderState:
    lines = [
        OrderStateLine(line_id=str(n), sku="dress", quantity=1, total=total, status="sold")
        for n, total in enumerate(totals)
    ]
    return OrderState(
        seq=seq, updated_at=AT, order_id="till:1", channel="store", source="till", location_id="haarlem",
        status="completed", placed_at=AT, business_date=19783, total=sum(totals), currency="EUR", lines=lines,
    )  # fmt: skip


def publish_entries(pipe: Pipe, first: int, count: int) -> None:
    for seq in range(first, first + count):
        pipe.publish(LEDGER, f"sku-{seq % 7}", entry(seq))
    pipe.publisher.flush()


@contextmanager
def postgres_closed(pipe: Pipe) -> Iterator[None]:
    """Nobody gets into the test's database, and whoever was in is thrown out."""
    name = pipe.addresses.postgres.rsplit("/", 1)[1]
    other = pipe.addresses.postgres.removesuffix(name) + "postgres"
    with psycopg.connect(other, autocommit=True) as connection:
        connection.execute(f"ALTER DATABASE {name} WITH ALLOW_CONNECTIONS false".encode())
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (name,)
        )
        yield
        connection.execute(f"ALTER DATABASE {name} WITH ALLOW_CONNECTIONS true".encode())


def test_amounts_times_and_days_arrive_exactly(pipe: Pipe) -> None:
    pipe.publish(ORDER_STATES, "till:1", order(1, 19_900, 1))
    pipe.publisher.flush()
    with pipe.running():
        pipe.wait_for("SELECT count(*)::int FROM core.order_lines", 2)
    found = pipe.rows("SELECT total::text, placed_at::text, business_date::text, line_count FROM mart.orders")
    assert found == [("1.9901", "2024-03-01 11:00:00.123456+00", "2024-03-01", 2)]
    assert pipe.rows("SELECT total::text FROM mart.order_lines ORDER BY line_id") == [
        ("1.9900",),
        ("0.0001",),
    ]


def test_an_older_version_is_refused_in_a_batch_and_after_it(pipe: Pipe) -> None:
    for seq, available in ((5, 50), (4, 40)):
        pipe.publish(LEVELS, '["dress","haarlem","own"]', level(seq, available))
    publish_entries(pipe, 1, 1)
    with pipe.running():
        pipe.wait_for(WRITTEN, 1)
        pipe.wait_for("SELECT available::int FROM core.stock_levels", 50)
        pipe.publish(LEVELS, '["dress","haarlem","own"]', level(3, 30))
        publish_entries(pipe, 2, 1)
        pipe.wait_for(
            "SELECT sum(next_offset)::int FROM ops.sink_offsets WHERE projection = 'stock_levels'", 3
        )
    assert pipe.rows("SELECT seq, available FROM core.stock_levels") == [(5, 50)]


def test_a_tombstone_deletes_the_order_and_its_lines(pipe: Pipe) -> None:
    pipe.publish(ORDER_STATES, "till:1", order(1, 100, 200))
    pipe.publisher.flush()
    with pipe.running():
        pipe.wait_for("SELECT count(*)::int FROM core.order_lines", 2)
        pipe.publish(ORDER_STATES, "till:1", None)
        pipe.publisher.flush()
        pipe.wait_for("SELECT count(*)::int FROM core.order_lines", 0)
    assert pipe.rows("SELECT * FROM core.orders") == []


def test_clocks_are_kept_and_make_no_rows(pipe: Pipe) -> None:
    for until in (5, 9):
        pipe.publish(LEVELS, "clock", ClockAdvanced(until=until, writer="replay", lane=3))
        pipe.publisher.flush()
    with pipe.running():
        pipe.wait_for("SELECT max(until)::int FROM ops.clocks", 9)
    assert [row[2:4] for row in pipe.rows("SELECT * FROM ops.clocks")] == [("replay", 3)]


def test_the_guilty_record_alone_becomes_a_dead_letter(pipe: Pipe) -> None:
    publish_entries(pipe, 1, 20)
    pipe.publish(LEVELS, '["dress","haarlem","own\\u0000"]', level(1, 1, owner="own\0"))
    pipe.publish(JOURNEYS, PROFILE, journey(version=2**40))
    pipe.publish(LEVELS, '["dress","haarlem","own"]', level(2, 7))
    pipe.publish(LEDGER, "sku-1", b"{}")
    pipe.publish(LEDGER, "sku-1", b"\0\x7f\xff\xff\xff\0")
    publish_entries(pipe, 21, 20)
    with pipe.running():
        letters = pipe.dead_letters(4)
        pipe.wait_for(WRITTEN, 40)
        pipe.wait_for("SELECT count(*)::int FROM core.stock_levels", 1)
    found = {(letter.stage, letter.reason) for letter in letters}
    assert found == {
        ("write", "unstorable_text"),
        ("write", "out_of_range"),
        ("decode", "json"),
        ("decode", "unknown_schema_id"),
    }
    assert {letter.value for letter in letters} >= {b"{}"}


def test_a_kill_anywhere_neither_loses_nor_doubles(pipe: Pipe) -> None:
    points = ("before_begin", "mid_copy", "after_upsert", "before_db_commit", "after_db_commit")
    for number, failpoint in enumerate(points):
        publish_entries(pipe, 1 + 100 * number, 100)
        assert pipe.process(failpoint).wait(60) == -signal.SIGKILL, failpoint
    publish_entries(pipe, 501, 100)
    with pipe.running():
        pipe.wait_for(ENDS, 600)
    assert pipe.rows("SELECT count(*), sum(seq)::int FROM core.stock_ledger") == [(600, 600 * 601 // 2)]


def test_while_postgres_is_away_nothing_is_lost_and_the_group_stays_as_it_is(pipe: Pipe) -> None:
    publish_entries(pipe, 1, 10)
    with pipe.running():
        pipe.wait_for(WRITTEN, 10)
        before = rebalances()
        with postgres_closed(pipe):
            publish_entries(pipe, 11, 10)
            wait_until_paused()
        pipe.wait_for(WRITTEN, 20)
        assert rebalances() == before


def test_two_owners_cannot_both_advance(pipe: Pipe) -> None:
    publish_entries(pipe, 1, 10)
    with pipe.running():
        pipe.wait_for(WRITTEN, 10)
        pipe.rows("UPDATE ops.sink_offsets SET next_offset = 0 WHERE projection = 'stock_ledger' RETURNING 1")
        publish_entries(pipe, 11, 10)
        pipe.wait_for(ENDS, 20)
    assert pipe.rows("SELECT count(*) FROM core.stock_ledger") == [(20,)]


def test_a_new_table_fills_from_the_beginning_and_the_others_stand_still(pipe: Pipe) -> None:
    pipe.publish(ORDER_STATES, "till:1", order(1, 100))
    pipe.publisher.flush()
    with pipe.running():
        pipe.wait_for("SELECT count(*)::int FROM core.order_lines", 1)
    pipe.rows("DELETE FROM ops.sink_offsets WHERE projection = 'order_lines' RETURNING 1")
    pipe.rows("DELETE FROM core.order_lines RETURNING 1")
    pipe.rows("UPDATE core.orders SET status = 'untouched' RETURNING 1")
    with pipe.running():
        pipe.wait_for("SELECT count(*)::int FROM core.order_lines", 1)
    assert pipe.rows("SELECT status FROM core.orders") == [("untouched",)]


def test_sigterm_drains_and_exits_with_0(pipe: Pipe) -> None:
    publish_entries(pipe, 1, 10)
    process = pipe.process()
    pipe.wait_for(WRITTEN, 10)
    process.terminate()
    assert process.wait(60) == 0


def test_two_sinks_share_the_partitions_and_each_record_is_written_once(pipe: Pipe) -> None:
    publish_entries(pipe, 1, 50)
    process = pipe.process(instance="other")
    pipe.wait_for(WRITTEN, 50)
    with pipe.running():
        publish_entries(pipe, 51, 50)
        pipe.wait_for(WRITTEN, 100)
        process.kill()
        process.wait(60)
        publish_entries(pipe, 101, 50)
        pipe.wait_for(ENDS, 150)
    assert pipe.rows("SELECT count(*), sum(seq)::int FROM core.stock_ledger") == [(150, 150 * 151 // 2)]


def rebalances() -> float:
    return REGISTRY.get_sample_value("vaart_rebalances_total", {"group": "vaart.sink.postgres.v1"}) or 0.0


def wait_until_paused() -> None:
    deadline = time.monotonic() + 60
    while REGISTRY.get_sample_value("vaart_sink_paused", {"sink": "sink-postgres"}) != 1:
        assert time.monotonic() < deadline
        time.sleep(0.05)
