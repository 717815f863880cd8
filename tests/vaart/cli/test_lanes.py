"""`vaart views`, `vaart offsets` and `vaart state` on lanes of the counting view, on the real Kafka."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from typer.testing import CliRunner, Result

import streams.views
from sinks.postgres import schema
from streams.engine.lookup import lane_of
from streams.engine.takeover import standing
from tests.streams.engine.counting import event
from tests.streams.engine.pair import COUNTED, LANE, NEW, NOW, OLD, Pair
from tests.streams.engine.rig import PARTITIONS, Rig
from vaart.addresses import Addresses
from vaart.cli.main import app
from vaart.errors import ConfigFault, UsageFault

pytestmark = pytest.mark.servers


@pytest.fixture
def pair(
    servers: Addresses,
    prefix: str,
    environment: dict[str, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Pair]:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("VAART_KAFKA__PARTITIONS", str(PARTITIONS))
    monkeypatch.setattr(streams.views, "VIEWS", (NEW,))
    rig = Rig(servers.kafka, prefix, tmp_path, (OLD, NEW))
    yield Pair(rig, rig.log_of())
    rig.close()


def vaart(*words: str) -> Result:
    return CliRunner().invoke(app, words)


def answer(*words: str) -> Any:
    found = vaart(*words, "--output", "json")
    assert found.exception is None or found.exit_code == 1, found.output
    return json.loads(found.stdout)


def refusal(*words: str) -> str:
    found = vaart(*words)
    assert isinstance(found.exception, UsageFault), found.output
    return str(found.exception)


def fold_some(pair: Pair, count: int) -> None:
    pair.send([("key", event(1, at=NOW)) for _ in range(count)])
    pair.fold(pair.open(OLD))


def test_offsets_are_the_changelogs_whatever_the_group_shows(pair: Pair) -> None:
    fold_some(pair, 4)
    pair.send([("key", event(1))] * 3)
    rows = answer("offsets", "show", "counting", "--version", "1")["offsets"]
    assert [(row["partition"], row["state"]) for row in rows if row["state"] != "new"] == [(LANE, "speaks")]
    row = rows[LANE]
    assert (row["topic"], row["next"], row["end"], row["lag"], row["shown"]) == (COUNTED, 4, 7, 3, None)
    assert (row["commits"], row["at"]) == (1, "2025-11-24T16:00:00+00:00")
    assert "speaks" in vaart("offsets", "show", "counting", "--version", "1").output


def test_a_reset_says_what_it_does_and_asks(pair: Pair) -> None:
    fold_some(pair, 5)
    words = ("offsets", "reset", "counting", "--version", "1", "--lane", str(LANE))
    dry = vaart(*words, "--to", "earliest", "--dry-run")
    assert f"{COUNTED}[{LANE}]: from 5 to 0, folds 5 records again" in dry.output
    assert "--yes" in refusal(*words, "--to", "earliest")
    assert answer(*words, "--to", "latest")["steps"][0]["to"] == 5  # nothing to do, and nobody is asked
    position = standing(pair.log, OLD, LANE).position
    assert position is not None
    assert (position.next_offsets, position.commits) == ({COUNTED: 5}, 1)


@pytest.mark.parametrize(
    ("to", "expected"),
    [("earliest", 0), ("offset:3", 3), ("time:2001-01-01T00:00:00Z", 0), ("time:2100-01-01T00:00:00Z", 5)],
)
def test_a_reset_moves_the_lane_and_keeps_its_state(pair: Pair, to: str, expected: int) -> None:
    fold_some(pair, 5)
    words = ("offsets", "reset", "counting", "--version", "1", "--lane", str(LANE), "--to", to, "--yes")
    assert answer(*words)["steps"] == [{"source": COUNTED, "lane": LANE, "here": 5, "to": expected}]
    lane = pair.open(OLD)
    assert lane.next_offsets == {COUNTED: expected}
    pair.fold(lane)
    assert (
        answer("state", "get", "counting", "key", "--version", "1", "--lane", str(LANE))["head"]["units"]
        == 10 - expected
    )


def test_a_reset_that_cannot_be_is_refused(pair: Pair) -> None:
    fold_some(pair, 5)
    words = ("offsets", "reset", "counting", "--version", "1", "--lane")
    assert "holds 0 to 5" in refusal(*words, str(LANE), "--to", "offset:6", "--yes")
    assert "has no position yet" in refusal(*words, "0", "--to", "earliest", "--yes")
    assert "there is no lane 4" in refusal(*words, "4", "--to", "earliest")
    assert "not 'yesterday'" in refusal(*words, str(LANE), "--to", "yesterday")
    assert "no time zone" in refusal(*words, str(LANE), "--to", "time:2026-01-01")
    assert "is no time" in refusal(*words, str(LANE), "--to", "time:noon")
    assert "sink_offsets" in refusal("offsets", "reset", "postgres", "--to", "earliest")
    assert "there are: counting" in refusal("offsets", "show", "nothing")


def test_a_state_is_shown_by_the_names_of_its_fields(pair: Pair) -> None:
    pair.send([("key", event(2, at=NOW)), ("key", event(3, at=NOW, place="there"))])
    pair.send([("gone", event(1, at=NOW)), ("gone", event(0, at=NOW)), ("ker", event(9, at=NOW))])
    pair.fold(pair.open(OLD))
    get = ("state", "get", "counting", "--version", "1", "--lane", str(LANE))
    found = answer(*get, "key")
    assert found["head"] == {"units": 5, "rung": 0, "last_at": NOW}
    assert found["collections"]["places"] == [
        {"part": ["here"], "record": {"units": 2}},
        {"part": ["there"], "record": {"units": 3}},
    ]
    assert (found["next_offsets"], found["wake_at"]) == ({COUNTED: 5}, NOW + 86_400_000_000)
    for unknown in ("gone", "never"):
        nothing = vaart(*get, unknown)
        assert (nothing.exit_code, json.loads(nothing.stdout)["head"]) == (1, None)


def test_a_state_is_looked_for_where_producers_put_its_key(pair: Pair) -> None:
    key = next(f"key-{n}" for n in range(99) if lane_of(f"key-{n}".encode(), PARTITIONS) == LANE)
    pair.rig.send([(key, event(1, at=NOW))])
    assert pair.log.bounds(COUNTED, LANE) == (0, 1)
    pair.send([])
    pair.open(OLD)
    assert answer("state", "get", "counting", key, "--version", "1")["lane"] == LANE


def test_views_are_listed_with_their_versions_and_switched(pair: Pair) -> None:
    fold_some(pair, 4)
    for lane in range(PARTITIONS):
        pair.lane_number = lane
        new = pair.open(NEW, follows=1)
        if lane == LANE:
            new.follow()
            pair.fold(new)
        else:
            pair.open(OLD)
    listed = {row["version"]: row for row in answer("views", "list")["views"]}
    assert (listed[1]["state"], listed[1]["lag"]) == ("speaks", 0)
    assert (listed[2]["state"], listed[2]["lanes"], listed[2]["epoch"]) == ("muted behind 1", 4, 2)
    assert "muted behind 1" in vaart("views", "list").output
    dry = vaart("views", "switch", "counting", "--dry-run")
    assert f"lane {LANE}: follows version 1, 0 records behind" in dry.output
    assert "--yes" in refusal("views", "switch", "counting")
    assert all(lead["is_switched"] for lead in answer("views", "switch", "counting", "--yes")["lanes"])
    assert "done" in vaart("views", "switch", "counting", "--yes").output
    listed = {row["version"]: row["state"] for row in answer("views", "list")["views"]}
    assert listed == {1: "retired by 2", 2: "takes over from 1"}


def test_a_version_that_follows_nothing_cannot_be_switched(pair: Pair) -> None:
    assert "run `vaart worker counting --follows 1`" in refusal("views", "switch", "counting", "--dry-run")
    assert "can follow an older one only" in refusal("worker", "counting", "--follows", "2")


def test_a_version_does_not_begin_aloud_beside_an_older_one(pair: Pair) -> None:
    fold_some(pair, 1)
    refused = vaart("worker", "counting").exception
    assert isinstance(refused, ConfigFault)
    assert "vaart worker counting --follows 1" in str(refused)


def test_how_far_tables_have_come_is_in_the_database(pair: Pair, database: str) -> None:
    pair.send([("key", event(1))] * 3)
    schema.upgrade(database)
    with psycopg.connect(database) as connection:
        connection.execute(
            "INSERT INTO ops.sink_offsets (projection, topic, topic_id, partition, next_offset)"
            " VALUES ('orders', %s, 'id', %s, 1), ('orders', 'elsewhere.orders', 'id', 0, 1)",
            (pair.rig.prefix + COUNTED, LANE),
        )
    (row,) = answer("offsets", "show", "postgres")["offsets"]
    assert (row["reader"], row["topic"], row["partition"]) == ("orders", COUNTED, LANE)
    assert (row["next"], row["end"], row["lag"]) == (1, 3, 2)
