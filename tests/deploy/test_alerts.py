"""Alert rules: they ask for metrics that there are, and Prometheus' own tool takes them and their tests."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from vaart import metrics

FOLDER = Path(__file__).parents[2] / "deploy" / "alerts"
RULES = sorted(FOLDER.glob("*.rules.yaml"))
KNOWN = {each.name: set(each.labels) for each in metrics.DOCUMENTED}
OF_A_RULE = {"alert", "expr", "for", "labels", "annotations"}
OF_PROMETHEUS = {"instance"}


def rules(path: Path) -> list[dict[str, Any]]:
    return [rule for group in yaml.safe_load(path.read_text())["groups"] for rule in group["rules"]]


def test_there_are_rules() -> None:
    assert RULES


@pytest.mark.parametrize("path", RULES, ids=lambda path: path.name)
def test_a_rule_asks_for_metrics_and_labels_that_there_are(path: Path) -> None:
    for rule in rules(path):
        names = re.findall(r"vaart_\w+", rule["expr"])
        assert names, rule
        assert set(names) <= KNOWN.keys(), rule
        labels = set().union(*(KNOWN[name] for name in names)) | OF_PROMETHEUS
        asked = re.findall(r"(?:by|on|without) \(([^)]*)\)", rule["expr"])
        assert {label.strip() for each in asked for label in each.split(",")} <= labels, rule
        assert set(re.findall(r"\$labels\.(\w+)", str(rule["annotations"]))) <= labels, rule


@pytest.mark.parametrize("path", RULES, ids=lambda path: path.name)
def test_a_rule_has_what_people_need(path: Path) -> None:
    found = rules(path)
    assert len({rule["alert"] for rule in found}) == len(found)
    for rule in found:
        assert rule.keys() == OF_A_RULE, rule
        assert rule["labels"]["severity"] in ("info", "warning", "critical")
        assert "summary" in rule["annotations"]


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool (Debian's prometheus) is not here")
@pytest.mark.parametrize("path", RULES, ids=lambda path: path.name)
def test_promtool_takes_them_and_their_tests(path: Path) -> None:
    tests = path.name.replace(".rules.", ".test.")
    for words in (("check", "rules", path.name), ("test", "rules", tests)):
        told = subprocess.run(["promtool", *words], cwd=FOLDER, capture_output=True, text=True, check=False)
        assert told.returncode == 0, told.stdout + told.stderr
