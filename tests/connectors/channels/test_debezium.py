"""Debezium's traps, and Connect's: what must not become a fact, and what must not be misread."""

from typing import Any, cast

import pytest

from connectors.channels.debezium import CHANNEL, OTHERS, Tables
from connectors.protocol.channel import Source, Verdict
from connectors.protocol.mapping_faults import faults_of_all
from schemas.events.orders import OrderPlaced
from schemas.meta import Event
from tests.connectors.channels.samples import kafka_connect as visits
from tests.connectors.channels.samples.debezium import (
    INSERT,
    ROW,
    SAMPLES,
    SHIPPED,
    TABLES,
    change,
    enveloped,
    flat,
    record,
    sign,
)

CREATED_AT = 1_764_064_710_123_456


def taken(document: Any, tables: Any = None, **headers: str) -> Verdict:
    source = Source("shop-db", SAMPLES.source.secrets, {"tables": tables or TABLES}, zone="Europe/Amsterdam")
    return cast(Verdict, CHANNEL.receive(sign(record(document, **headers), SAMPLES.secret), source))


def rule(**changes: Any) -> dict[str, Any]:
    told = {
        "event": "OrderPlaced",
        "op": ["c"],
        "id": ["/id"],
        "fields": TABLES["public.orders"][0]["fields"],
    }
    return {"orders": [{**told, "json": ["lines"], **changes}]}


def names(found: Verdict) -> list[str]:
    return [type(event).__name__ for event in found.events]


def test_an_order_by_its_mapping() -> None:
    event = cast(OrderPlaced, taken(change("c")).events[0])
    assert (event.order_id, event.currency, event.totals.total, event.totals.shipping) == (
        "1001",
        "EUR",
        449_000,
        49_500,
    )
    assert [(line.line_id, line.sku, line.quantity, line.total) for line in event.lines] == [
        ("1", "mug-blue", 2, 399_500)
    ]
    assert event.meta.occurred_at == CREATED_AT
    assert [each.value for each in event.meta.identifiers] == ["sam@example.com"]


def test_the_three_forms_are_the_same_facts() -> None:
    first, *others = (taken(form).events for form in (change("c"), enveloped(change("c")), flat("c")))
    assert all(other == first for other in others)


@pytest.mark.parametrize("snapshot", [True, "true", "first", "last", "incremental"])
def test_a_snapshot_is_only_for_rules_that_list_it(snapshot: Any) -> None:
    assert names(taken(change("r", snapshot=snapshot))) == []
    assert names(taken(change("c", snapshot=snapshot))) == []
    assert names(taken(change("r", snapshot=snapshot), rule(op=["c", "r"]))) == ["OrderPlaced"]


@pytest.mark.parametrize("snapshot", [False, "false", None])
def test_a_row_of_the_log_is_no_snapshot(snapshot: Any) -> None:
    assert names(taken(change("c", snapshot=snapshot))) == ["OrderPlaced"]


def test_a_changed_primary_key_is_neither_a_new_order_nor_one_that_is_gone() -> None:
    gone = change("d", {**ROW, "status": "cancelled"})
    renamed = {"__debezium.newkey": '{"id": 2}'}
    assert names(taken(gone)) == ["OrderCancelled"]
    assert names(taken(gone, **renamed)) == []
    moved = {"__debezium.oldkey": '{"id": 1}'}
    assert names(taken(change("c"), **moved)) == []
    assert names(taken(change("c", SHIPPED), **moved)) == ["OrderShipped"]


@pytest.mark.parametrize("told", ["__debezium_unavailable_value", "X19kZWJleml1bV91bmF2YWlsYWJsZV92YWx1ZQ=="])
def test_a_value_that_was_not_sent_is_not_taken_for_one(told: str) -> None:
    found = taken(change("u", {**SHIPPED, "shipment": told}))
    assert names(found) == []
    assert "REPLICA IDENTITY FULL" in found.rejects[0].detail
    assert names(taken(change("u", {**SHIPPED, "lines": told}))) == ["OrderShipped"]


@pytest.mark.parametrize(
    "document",
    [
        change("c", {**ROW, "total": "EYo="}),
        change("c", {**ROW, "total": {"scale": 2, "value": "EYo="}}),
        enveloped(change("c", {**ROW, "total": "1234"}), total="org.apache.kafka.connect.data.Decimal"),
    ],
    ids=["bare", "with a scale of its own", "by its schema, though it looks like a number"],
)
def test_a_decimal_in_base64_is_refused_and_says_what_to_set(document: Any) -> None:
    found = taken(document)
    assert names(found) == []
    assert "decimal.handling.mode=string" in found.rejects[0].detail
    assert "1234" not in found.rejects[0].detail


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("io.debezium.time.MicroTimestamp", CREATED_AT),
        ("io.debezium.time.Timestamp", CREATED_AT // 1_000),
        ("io.debezium.time.NanoTimestamp", CREATED_AT * 1_000),
        ("io.debezium.time.Date", 20_417),
        ("io.debezium.time.ZonedTimestamp", "2025-11-25T09:58:30.123456Z"),
    ],
)
@pytest.mark.parametrize("written", ["time", "micros"])
def test_times_are_read_by_their_schema(kind: str, value: Any, written: str) -> None:
    if written == "micros" and isinstance(value, str):
        return
    document = enveloped(change("c", {**ROW, "created_at": value}), created_at=kind)
    event = taken(document, rule(occurred_at=f"{written} /created_at")).events[0]
    step = {"Timestamp": 1_000, "Date": 86_400_000_000}.get(kind.rpartition(".")[2], 1)
    assert event.meta.occurred_at == CREATED_AT // step * step


def test_without_a_schema_a_number_is_a_time_only_of_a_kind() -> None:
    row = {**ROW, "created_at": CREATED_AT}
    assert "say which" in taken(change("c", row), rule(occurred_at="time /created_at")).rejects[0].detail
    event = taken(change("c", row), rule(occurred_at="micros /created_at")).events[0]
    assert event.meta.occurred_at == CREATED_AT


def test_what_the_mapping_names_no_time_of_happened_when_the_row_changed() -> None:
    assert taken(change("c"), rule()).events[0].meta.occurred_at == INSERT["source"]["ts_us"]
    assert taken(flat("c"), rule()).events[0].meta.occurred_at == INSERT["source"]["ts_ms"] * 1_000


def test_ids_are_of_the_row_whatever_else_changes() -> None:
    first, again = (taken(change("u", {**SHIPPED, "total": total})).events for total in ("1.00", "2.00"))
    assert [event.meta.event_id for event in first] == [event.meta.event_id for event in again]
    log, key = (
        taken(change("c", lsn=5), rule(id=["source/lsn"])),
        taken(change("c"), rule(id=["key/id"]), **{"vaart-key": '{"id":5}'}),
    )
    assert (
        log.events[0].meta.event_id
        == key.events[0].meta.event_id
        == taken(change("c", {**ROW, "id": 5})).events[0].meta.event_id
    )


def test_one_rule_that_cannot_read_the_row_spoils_no_other() -> None:
    tables = {"orders": [*rule()["orders"], *rule(json=["status"])["orders"]]}
    found = taken(change("c"), tables)
    assert (names(found), len(found.rejects)) == (["OrderPlaced"], 1)


def test_a_flat_row_must_say_what_happened() -> None:
    assert "add.fields=op" in taken(flat(None)).rejects[0].detail


@pytest.mark.parametrize(
    ("changed", "fault"),
    [
        ({"event": "OrderEaten"}, "OrderEaten is no event"),
        ({"id": []}, "id is empty"),
        ({"id": ["baskets/id"]}, "`baskets/id` is no pointer"),
        ({"occurred_at": "moment /at"}, "`moment /at` is no pointer"),
        ({"customer": {"name": "/name"}}, "customer has no name"),
        ({"fields": {"order_id": "/id"}}, "OrderPlaced needs currency"),
        ({"fields": {"orderid": "/id"}}, "OrderPlaced has no orderid"),
        ({"fields": {"totals": {"shiping": "/s"}}}, "Totals has no shiping"),
        ({"fields": {"lines": {"each": "/l", "fields": {"sku": "/sku"}}}}, "Line needs quantity"),
        ({"fields": {"lines": {"each": "/l"}}}, "lines: a list is written as"),
        ({"op": ["x"]}, "Invalid enum"),
        ({"feilds": {}}, "unknown field"),
    ],
)
def test_a_mapping_is_checked_before_any_row_comes(changed: Any, fault: str) -> None:
    assert any(fault in each for each in faults_of_all(rule(**changed), Tables, OTHERS))
    assert list(faults_of_all(rule(), Tables, OTHERS)) == []


def test_a_visit_is_read_the_same_with_and_without_a_schema() -> None:
    of = visits.SAMPLES
    found: list[list[Event]] = [
        cast(Verdict, of.channel.receive(of.sign(sample.request, of.secret), of.source)).events
        for sample in of.samples[:2]
    ]
    assert found[0] == found[1]
    assert found[0][0].meta.occurred_at == visits.VISIT["at"] * 1_000
