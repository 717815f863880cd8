"""The list of metrics is whole, means what it says, and holds nothing that nobody sets."""

import ast
import json
import re
from pathlib import Path

from prometheus_client import Counter, Gauge, Histogram, Info
from typer.testing import CliRunner

from vaart import metrics
from vaart.cli.main import app

ROOT = Path(__file__).parents[2]
ROOMS = ("connectors", "sinks", "streams", "vaart")
KINDS = {"counter": Counter, "gauge": Gauge, "histogram": Histogram, "info": Info}
LABELS = {
    "app", "channel", "group", "lane", "medium", "outcome", "partition", "queue", "reason", "route", "sink",
    "status", "topic", "version", "word",
    "source",
}  # fmt: skip
UNITS = ("_seconds", "_bytes", "_records", "_rows")
BARE = re.compile(
    "vaart_(build_info|committed_offset|hot_key_share|lane_stopped|lanes_open|queue_depth|sink_paused|table_entries"
    "|request_bytes_in_flight|spooling)"
)
"""Names without a unit at their end: states, shares and counts of what the name says."""


def declared() -> dict[str, object]:
    return {name: value for name, value in vars(metrics).items() if isinstance(value, tuple(KINDS.values()))}


def test_every_metric_is_documented_and_each_once() -> None:
    names = [each.name for each in metrics.DOCUMENTED]
    assert len(names) == len(set(names)) == len(declared())
    for each in metrics.DOCUMENTED:
        assert each.name.startswith("vaart_")
        assert set(each.labels) <= LABELS, each
        assert each.words.endswith((".", ")")), each


def test_names_follow_the_conventions() -> None:
    for each in metrics.DOCUMENTED:
        if each.kind == "counter":
            assert each.name.endswith("_total")
        elif not BARE.fullmatch(each.name):
            assert each.name.endswith(UNITS), each.name


def test_no_metric_is_left_that_nobody_sets() -> None:
    used = {
        node.attr
        for room in ROOMS
        for path in (ROOT / room).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "metrics"
    }
    assert declared().keys() - used == {"BUILD_INFO"}


def test_the_command_prints_them_all() -> None:
    printed = CliRunner().invoke(app, ["docs", "metrics", "--output", "json"])
    assert [row["name"] for row in json.loads(printed.stdout)] == [each.name for each in metrics.DOCUMENTED]
    table = CliRunner().invoke(app, ["docs", "metrics"], env={"COLUMNS": "100"})
    assert all(each.name in table.stdout for each in metrics.DOCUMENTED)
