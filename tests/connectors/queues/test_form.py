"""The `queue` section: every fault is said at once, and what is left out stays out."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from connectors.queues.form import QueueForm
from connectors.sources import load
from tests.connectors.channels.samples.debezium import EXAMPLE, TABLES
from vaart.cli.main import app
from vaart.errors import ConfigFault

URL = "https://sqs.eu-west-1.amazonaws.com/123456789012/orders"
SASL = {"protocol": "SASL_SSL", "mechanism": "PLAIN", "username": "vaart", "password": {"env": "HUSH"}}


def written(folder: Path, **queues: Any) -> Path:
    path = folder / "sources.yaml"
    form = {"channel": "debezium", "options": {"tables": TABLES}}
    path.write_text(
        json.dumps({"sources": {name: {**form, "queue": queue} for name, queue in queues.items()}})
    )
    return path


@pytest.mark.parametrize(
    ("queue", "fault"),
    [
        ({}, "takes topics or sqs"),
        ({"topics": ["a"], "sqs": {"queue_url": URL}}, "takes topics or sqs"),
        ({"topics": ["a b"]}, "a topic's name has at most 249"),
        ({"topics": ["a", "a"]}, "a topic is there twice"),
        ({"topics": ["a"], "security": SASL}, "security is for another Kafka"),
        ({"sqs": {"queue_url": URL}, "bootstrap": "k:9093"}, "bootstrap and security are of topics"),
        ({"topics": ["a"], "bootstrap": "k:1", "security": {"protocol": "SASL_SSL"}}, "takes mechanism"),
        ({"topics": ["a"], "bootstrap": "k:1", "security": {**SASL, "protocol": "SSL"}}, "is SASL_SSL meant"),
        ({"topics": ["a"], "bootstrap": "k:1", "security": {**SASL, "protocol": "SASL_PLAINTEXT"}}, "PLAIN without"),
        ({"topics": ["a"], "bootstrap": "k:1", "security": {"protocol": "SSL", "ca": "/no/ca"}}, "/no/ca is no file"),
        ({"sqs": {"queue_url": "orders"}}, "queue_url is an address"),
        ({"sqs": {"queue_url": "http://127.0.0.1/1/orders", "region": "eu-west-1"}}, "without TLS"),
        ({"sqs": {"queue_url": "https://queue.example/1/orders"}}, "names no region"),
        ({"sqs": {"queue_url": URL, "access_key_id": "A"}}, "both or neither"),
        ({"sqs": {"queue_url": URL, "unwrap": "sqs"}}, "'sns' or 'eventbridge'"),
        ({"topics": ["a"], "group": "g"}, "Extra inputs are not permitted"),
        ({"topics": ["a"], "bootstrap": "k:1", "security": SASL}, "the variable HUSH is not set"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said(tmp_path: Path, queue: Any, fault: str) -> None:
    with pytest.raises(ConfigFault, match="first") as raised:
        load(written(tmp_path, first=queue), {})
    assert fault in str(raised.value)


def test_the_region_stands_in_the_address() -> None:
    form = QueueForm.model_validate({"sqs": {"queue_url": URL}}).sqs
    assert form is not None
    assert (form.region_name, form.name) == ("eu-west-1", "orders")


def test_a_source_that_is_read_for_needs_no_secret_and_its_own_stay_apart(tmp_path: Path) -> None:
    queue = {"topics": ["a"], "bootstrap": "k:1", "security": SASL}
    found = load(written(tmp_path, first=queue), {"HUSH": "hush"}).by_name["first"]
    assert (found.source.secrets, found.queue_secrets) == ((), {"password": "hush"})


def test_a_mapping_is_checked_with_the_file(tmp_path: Path) -> None:
    path = tmp_path / "sources.yaml"
    tables = {"orders": [{"event": "OrderEaten", "id": ["/id"], "fields": {}}]}
    form = {"channel": "debezium", "options": {"tables": tables}, "queue": {"topics": ["a"]}}
    path.write_text(json.dumps({"sources": {"first": form}}))
    with pytest.raises(ConfigFault, match="first: the option tables: orders: OrderEaten is no event"):
        load(path, {})


def test_the_example_can_be_tried() -> None:
    words = ["channels", "try", "debezium", "--sources", str(EXAMPLE / "sources.yaml"), "--source", "shop-db"]
    record = [
        "--method",
        "MESSAGE",
        "--route",
        "inventory.public.orders",
        "--body",
        str(EXAMPLE / "order.json"),
    ]
    told = CliRunner().invoke(app, [*words, *record])
    assert told.exit_code == 0, told.output
    assert [each["type"] for each in json.loads(told.output)["events"]] == ["OrderPlaced"]


def test_sources_that_are_read_for_show_what_is_read() -> None:
    told = CliRunner().invoke(
        app, ["sources", "check", "--sources", str(EXAMPLE / "sources.yaml"), "--output", "json"]
    )
    assert [each["address"] for each in json.loads(told.output)] == ["inventory.public.orders"]


def test_there_must_be_something_to_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (
        ("KAFKA__BOOTSTRAP_SERVERS", "k:1"),
        ("REGISTRY__URL", "http://r"),
        ("POSTGRES__DSN", "p"),
    ):
        monkeypatch.setenv(f"VAART_{name}", value)
    monkeypatch.setenv("VAART_GATEWAY__SOURCES", str(written(tmp_path)))
    told = CliRunner().invoke(app, ["serve", "queues"])
    assert told.exit_code != 0
    assert "no source has a queue" in (told.output + str(told.exception))
