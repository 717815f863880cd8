"""`vaart files`: what a user sees, and what stands on Kafka afterwards."""

import csv
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from schemas.topics import DEAD_LETTERS, ORDERS
from tests.connectors.files.conftest import Wharf
from tests.connectors.files.shop import SALES, SHOP, written

BAD = SALES.replace("pear,1,5", "pear,one,5")


def vaart(
    folder: Path, *words: str, environment: dict[str, str] | None = None
) -> "subprocess.CompletedProcess[str]":
    written(folder, "shop.yaml", SHOP)
    command = [sys.executable, "-m", "vaart.cli", "files", *words]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def test_check_says_what_becomes_of_what_and_finds_missing_columns(tmp_path: Path) -> None:
    written(tmp_path, "sales.csv", SALES)
    right = vaart(tmp_path, "check", "shop.yaml", "sales.csv")
    assert (right.returncode, right.stdout) == (0, "shop.yaml is right: sales → SoldInStore\n")
    written(tmp_path, "sales.csv", SALES.replace("article", "articel"))
    wrong = vaart(tmp_path, "check", "shop.yaml", "sales.csv")
    assert wrong.returncode == 2
    told = "shop.yaml:19: events[0].fields.lines.sku: sales has no column article; did you mean articel?"
    assert told in " ".join(wrong.stderr.split())


def test_a_dry_run_needs_no_server(tmp_path: Path) -> None:
    written(tmp_path, "till.csv", BAD)
    done = vaart(tmp_path, "send", "shop.yaml", "sales=till.csv", "--dry-run", "-o", "json")
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert said["sent"] == [{"event": "SoldInStore", "table": "sales", "rows": 3, "events": 1}]
    assert said["examples"]["SoldInStore"][0]["receipt_id"] == "1"
    assert said["reasons"] == {"SoldInStore: units is not a whole number": 1}


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["none.csv"], "the mapping has no table none"),
        (["sales=none.csv"], "none.csv"),
        ([], "the table sales was not handed in"),
        (["sales.csv", "--limit", "1", "--replay"], "do not go together"),
        (["sales.csv", "--given", "x"], "write it like"),
        (["sales.csv", "--rejects-max", "0"], "more than 0 rows do not fit"),
    ],
)
def test_what_cannot_be_done_is_said(tmp_path: Path, words: list[str], told: str) -> None:
    written(tmp_path, "sales.csv", BAD)
    done = vaart(tmp_path, "send", "shop.yaml", *words, "--dry-run")
    assert done.returncode == 2
    assert told in " ".join(done.stderr.split())


def send(wharf: Wharf, environment: dict[str, str], folder: Path, sales: str, *more: str) -> Any:
    written(folder, "sales.csv", sales)
    return vaart(folder, "send", "shop.yaml", "sales.csv", "-o", "json", *more, environment=environment)


def test_good_rows_are_sent_and_bad_ones_kept_twice(
    wharf: Wharf, environment: dict[str, str], tmp_path: Path
) -> None:
    done = send(wharf, environment, tmp_path, BAD)
    assert done.returncode == 0, done.stderr
    (receipt,) = wharf.records(ORDERS)
    assert (receipt.receipt_id, len(receipt.lines)) == ("1", 2)
    (letter,) = wharf.records(DEAD_LETTERS)
    assert (letter.service, letter.stage, letter.reason, letter.offset) == ("files", "map", "row_misfit", 3)
    assert letter.detail == "sales.csv line 3: SoldInStore: units is not a whole number"
    assert json.loads(letter.value)["units"] == "one"
    with (tmp_path / "rejects" / "sales.csv").open() as file:
        (row,) = csv.DictReader(file)
    assert (row["units"], row["rejected_column"]) == ("one", "units")
    assert (tmp_path / "rejects" / "sales.csv").stat().st_mode & 0o077 == 0


def test_a_mended_reject_can_be_sent_and_a_repeat_has_the_same_ids(
    wharf: Wharf, environment: dict[str, str], tmp_path: Path
) -> None:
    send(wharf, environment, tmp_path, BAD)
    mended = (tmp_path / "rejects" / "sales.csv").read_text().replace(",one,", ",1,")
    for _ in range(2):
        assert send(wharf, environment, tmp_path, mended).returncode == 0
    receipts = wharf.records(ORDERS)
    assert sorted(each.receipt_id for each in receipts) == ["1", "2", "2"]
    assert len({each.meta.event_id for each in receipts}) == 2


def test_of_a_torn_file_what_was_sent_is_told(
    wharf: Wharf, environment: dict[str, str], tmp_path: Path
) -> None:
    done = send(wharf, environment, tmp_path, SALES + '3,"')
    assert done.returncode == 2
    told = " ".join(done.stderr.split())
    assert "sales.csv is cut or damaged in the row that begins on line 5" in told
    assert "Until then: 0 SoldInStore; 0 rows did not fit." in told
    assert wharf.records(ORDERS) == []


def test_a_limit_sends_so_many(wharf: Wharf, environment: dict[str, str], tmp_path: Path) -> None:
    done = send(wharf, environment, tmp_path, SALES, "--limit", "1")
    assert json.loads(done.stdout)["sent"][0]["events"] == 1
    assert len(wharf.records(ORDERS)) == 1
