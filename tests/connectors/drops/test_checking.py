"""Every fault of a drop is said before a file is touched: what is written, and what this machine has not."""

import json
from pathlib import Path
from typing import Any

import asyncssh
import pytest
from typer.testing import CliRunner

from connectors.sources import load
from tests.connectors.drops.conftest import MAPPING, TILL
from vaart.cli.main import app
from vaart.errors import ConfigFault

KEY = asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode().strip()
SFTP = {"host": "h", "username": "u", "password": {"env": "TILL"}, "host_key": KEY}


def written(home: Path, channel: str = "files", **drop: Any) -> Path:
    path = home / "sources.yaml"
    form = {"folder": "till", "mapping": "mapping.yaml", **drop}
    source = {"channel": channel, "drop": {name: value for name, value in form.items() if value is not None}}
    path.write_text(json.dumps({"sources": {TILL: source}}))
    return path


def checked(path: Path) -> str:
    return " ".join(
        str(CliRunner().invoke(app, ["sources", "check", "--sources", str(path)]).exception).split()
    )


def test_a_drop_that_is_right_is_listed_with_its_folder(home: Path) -> None:
    told = CliRunner().invoke(app, ["sources", "check", "--sources", str(written(home)), "--output", "json"])
    assert json.loads(told.output) == [
        {"name": TILL, "channel": "files", "address": "till", "secrets": 0, "paused": False, "plan": ""}
    ]


def test_every_fault_is_said_at_once(home: Path) -> None:
    path = written(home, folder="nowhere")
    (home / "mapping.yaml").write_text(
        MAPPING.replace("quantity: units", "amount: units").replace("id: receipt", "id: [1]")
    )
    told = checked(path)
    assert "drop.folder:" in told
    assert "nowhere is no folder here: make it or mount it" in told
    assert told.count(f"{TILL}: drop.mapping: ") > 2
    assert "mapping.yaml:8" in told


@pytest.mark.parametrize(
    ("mapping", "fault"),
    [
        (MAPPING.replace("source: till-haarlem", "source: other"), "says source: other: name both alike"),
        (
            MAPPING + MAPPING[MAPPING.index("  - event") :].replace("table: sales", "table: more"),
            "several tables (more, sales)",
        ),
        (MAPPING + "tables: {sales: {join: {shops: shop}}}\n", "needs shops beside each file"),
        (MAPPING + "given: [start]\n", "start"),
        ("source: [", "not YAML"),
    ],
)
def test_a_mapping_that_no_file_can_be_read_by(home: Path, mapping: str, fault: str) -> None:
    path = written(home)
    (home / "mapping.yaml").write_text(mapping)
    assert fault in checked(path)


@pytest.mark.parametrize(
    ("channel", "drop", "fault"),
    [
        ("files", {"mapping": None}, "drop: needs mapping"),
        ("poslog", {}, "poslog reads its files itself"),
        ("shopify", {"mapping": None}, "shopify does not come in files"),
        ("files", {"sftp": {**SFTP, "host_key": ()}}, "needs host_key: the server's public key"),
        ("files", {"sftp": {**SFTP, "host_key": "SHA256:abc"}}, "is no public key: write it like"),
        ("files", {"sftp": {**SFTP, "private_key": {"env": "TILL"}}}, "takes password or private_key"),
        ("files", {"sftp": {**SFTP, "password": {"env": "NOT_SET"}}}, "the variable NOT_SET is not set"),
        ("files", {"pattern": "../*"}, "drop.pattern"),
        ("files", {"whole": "perhaps"}, "drop.whole"),
    ],
)
def test_a_drop_that_cannot_be_is_said(home: Path, channel: str, drop: dict[str, Any], fault: str) -> None:
    with pytest.raises(ConfigFault, match=fault.replace("(", r"\(")) as told:
        load(written(home, channel, **drop), {"TILL": "hush"})
    assert "hush" not in str(told.value)


def test_a_private_key_that_cannot_be_read_is_said_and_not_shown(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TILL", "hush")
    path = written(home, sftp={**SFTP, "password": None, "private_key": {"env": "TILL"}})
    assert "drop.sftp.private_key: is no private key that can be read" in checked(path)
    assert "hush" not in checked(path)


def test_a_source_with_files_needs_no_secret_and_takes_no_request(home: Path) -> None:
    found = load(written(home, "poslog", mapping=None), {}).by_name[TILL]
    assert found.source.secrets == ()


def test_a_source_without_a_place_for_its_files_is_said(home: Path) -> None:
    path = home / "sources.yaml"
    path.write_text(json.dumps({"sources": {TILL: {"channel": "files", "secrets": [{"env": "TILL"}]}}}))
    with pytest.raises(ConfigFault, match="files needs a drop section"):
        load(path, {"TILL": "hush"})
