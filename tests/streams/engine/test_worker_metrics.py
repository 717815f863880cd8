"""A running worker, seen from its management port: every metric of the engine moves, readiness names what is wrong."""

import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.streams.engine import counting
from tests.streams.engine.rig import PARTITIONS, PATIENCE_S, Rig
from tests.streams.engine.test_worker import some_events
from vaart import metrics
from vaart.addresses import Addresses

pytestmark = pytest.mark.servers
ELSEWHERE = (
    "vaart_events_received",
    "vaart_fetches",
    "vaart_request",
    "vaart_source_",
    "vaart_plan_violations",
    "vaart_drop_",
    "vaart_spool",
    "vaart_events_published",
    "vaart_publish_",
    "vaart_sink_",
    "vaart_notifications",
)
STILL = {
    "vaart_events_skipped_total",
    "vaart_queue_depth",
    "vaart_restore_records_total",
    "vaart_restore_remaining_records",
}
"""Nothing is skipped by this view, what waits is gone before anybody looks, and there was nothing to restore."""


@pytest.fixture
def rig(servers: Addresses, prefix: str, tmp_path: Path) -> Iterator[Rig]:
    made = Rig(servers.kafka, prefix, tmp_path)
    yield made
    made.close()


def ask(rig: Rig, path: str) -> tuple[int, str]:
    lines = (json.loads(line) for line in rig.log("a").splitlines() if line.startswith("{"))
    (address,) = (line["address"] for line in lines if line["event"] == "management_listens")
    try:
        with urllib.request.urlopen(address + path, timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def scraped(rig: Rig) -> dict[str, list[float]]:
    """The values of each metric, by its documented name."""
    found: dict[str, list[float]] = {}
    for family in text_string_to_metric_families(ask(rig, "/metrics")[1]):
        for sample in family.samples:
            name = sample.name.removesuffix("_count") if family.type == "histogram" else sample.name
            found.setdefault(name, []).append(sample.value)
    return found


def wait_until(rig: Rig, holds: Callable[[dict[str, list[float]]], bool]) -> dict[str, list[float]]:
    deadline = time.monotonic() + PATIENCE_S
    while not holds(found := scraped(rig)):
        assert time.monotonic() < deadline, {n: found.get(n) for n in engine_metrics()}
        time.sleep(0.2)
    return found


def engine_metrics() -> set[str]:
    """The names of those metrics that are not of another room alone."""
    return {each.name for each in metrics.DOCUMENTED if not each.name.startswith(ELSEWHERE)} - STILL


def test_every_metric_of_the_engine_moves(rig: Rig) -> None:
    rig.start("a")
    sent = some_events(400, keys=40, seed=21)
    rig.send(sent)
    rig.wait_for(counting.PASSED.name, len(sent))
    lags = "vaart_consumer_lag_records"
    found = wait_until(rig, lambda found: len(found.get(lags, [])) == PARTITIONS and not any(found[lags]))
    assert found["vaart_lanes_open"] == [PARTITIONS]
    assert sum(found["vaart_events_processed_total"]) == len(sent)
    assert ask(rig, "/readyz")[0] == 200

    rig.send([("key-1", b"not json")] * 1_500)
    wait_until(rig, lambda found: any(found["vaart_lane_stopped"]))
    # While the lane stops not all that was sent has been counted yet: the lag may still grow by it.
    before = sum(wait_until(rig, lambda found: any(found[lags]))[lags])
    for count in (100, 200):  # the first still lies in the consumer's own buffer
        rig.send([("key-1", b"not json")] * 100)
        wait_until(rig, lambda found, count=count: sum(found[lags]) >= before + count)  # type: ignore[misc]
    wait_until(rig, lambda found: all(any(found.get(name, [])) for name in engine_metrics()))
    status, body = ask(rig, "/readyz")
    assert status == 503
    assert "vaart dlq resume counting" in body
    assert ask(rig, "/livez")[0] == 200
