"""`vaart dlq resume` on a lane of the counting view that stopped, on the real Kafka, without a worker."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import streams.views
from streams.engine.limit import IN_A_ROW
from streams.engine.position import Stopped
from streams.engine.takeover import Takeover
from tests.streams.engine.counting import event
from tests.streams.engine.pair import COUNTED, LANE, NOW, OLD, Pair
from tests.streams.engine.rig import PARTITIONS, Rig
from vaart.addresses import Addresses
from vaart.cli.main import app

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
    monkeypatch.setattr(streams.views, "VIEWS", (OLD,))
    rig = Rig(servers.kafka, prefix, tmp_path)
    yield Pair(rig, rig.log_of())
    rig.close()


def vaart(*words: str) -> str:
    found = CliRunner().invoke(app, words)
    assert found.exception is None, found.output
    return found.stdout


def answer(*words: str) -> Any:
    return json.loads(vaart(*words, "--output", "json"))


def test_a_stopped_lane_goes_on_from_where_it_stopped(pair: Pair) -> None:
    pair.send([("key", event(1, at=NOW))] * 3)
    pair.fold(pair.open(OLD))
    held = Takeover(OLD, pair.log, LANE)
    assert held.position is not None
    held.position.stopped = Stopped(NOW, IN_A_ROW)
    held.write(held.position)
    pair.send([("key", event(1, at=NOW))] * 2)

    assert "stopped" in [row["state"] for row in answer("offsets", "show", "counting")["offsets"]]
    assert answer("dlq", "resume", "counting", "--lane", "0", "--yes") == {"stopped": [], "resumed": False}
    said = vaart("dlq", "resume", "counting", "--dry-run")
    assert "lane 1: 1,000 records in a row became dead letters" in said
    found = answer("dlq", "resume", "counting", "--dry-run")
    assert found["resumed"] is False
    assert [(row["lane"], row["reason"]) for row in found["stopped"]] == [(LANE, IN_A_ROW)]
    assert answer("dlq", "resume", "counting", "--yes")["resumed"] is True

    lane = pair.open(OLD)
    assert (lane.stopped, lane.next_offsets[COUNTED]) == (None, 3)
    pair.fold(lane)
    assert lane.next_offsets[COUNTED] == 5
