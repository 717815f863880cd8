"""A real registry: ids, rules, what may follow what, and what happens while it is away."""

import copy
import json
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner

from schemas import topics as t
from schemas.avsc import schema_of
from schemas.codec import Codec, Reason, Undecodable, frame, subject_of
from schemas.compatibility import BACKWARD, FULL, faults
from schemas.events.stock import StockSold
from schemas.meta import Meta
from schemas.registry import Registry, RegistryAway, SchemaRefused, SchemaUnknown
from vaart.addresses import Addresses
from vaart.cli import schemas as command
from vaart.cli.main import app
from vaart.errors import DependencyAway
from vaart.settings import Settings

SOLD = StockSold(
    meta=Meta(event_id="e", occurred_at=1, received_at=2, channel="store", source="till"),
    sku="dress",
    location_id="haarlem",
    owner="us",
    quantity=1,
    document_id="r-1",
    line_id="1",
)


@pytest.fixture
def registry(servers: Addresses) -> Iterator[Registry]:
    with Registry(servers.registry) as opened:
        yield opened


@pytest.fixture
def dead_url() -> str:
    """An address at which nothing listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{probe.getsockname()[1]}"


def changed(**fields: Any) -> dict[str, Any]:
    """StockSold with other types for some fields, or without them (None)."""
    schema = copy.deepcopy(schema_of(StockSold))
    schema["fields"] = [each for each in schema["fields"] if fields.get(each["name"], "kept") is not None]
    for each in schema["fields"]:
        each["type"] = fields.get(each["name"], each["type"])
    return schema


@pytest.mark.servers
def test_a_registered_schema_has_one_id_and_its_rule(registry: Registry, prefix: str) -> None:
    subject = subject_of(t.STOCK, StockSold, prefix)
    schema = schema_of(StockSold)
    with pytest.raises(SchemaUnknown, match="vaart schemas register"):
        registry.id_of(subject, schema)
    with ThreadPoolExecutor(4) as writers:
        ids = set(writers.map(lambda _: registry.register(subject, schema, FULL), range(4)))
    assert ids == {registry.id_of(subject, schema)}
    assert registry.compatibility(subject) == FULL
    assert registry.schema(ids.pop())["name"] == "StockSold"
    assert len(registry.versions(subject)) == 1


@pytest.mark.servers
def test_a_break_is_refused(registry: Registry, prefix: str) -> None:
    subject = subject_of(t.STOCK, StockSold, prefix)
    registry.register(subject, schema_of(StockSold), FULL)
    broken = changed(quantity="string")
    assert registry.refusals(subject, broken)
    with pytest.raises(SchemaRefused, match="StockSold"):
        registry.register(subject, broken, FULL)


@pytest.mark.servers
def test_an_unknown_id_is_a_fault_of_the_record(registry: Registry) -> None:
    with pytest.raises(Undecodable) as found:
        Codec(registry).decoder(t.STOCK)(b"\0\x7f\xff\xff\xff\0")
    assert found.value.reason is Reason.UNKNOWN_SCHEMA_ID


@pytest.mark.servers
def test_a_schema_that_is_no_avro_is_a_fault_of_the_record(
    registry: Registry, prefix: str, tmp_path: Path
) -> None:
    body = {"schemaType": "PROTOBUF", "schema": 'syntax = "proto3"; message Sold { string sku = 1; }'}
    answer = httpx.post(f"{registry.url}/subjects/{prefix}protobuf/versions", json=body)
    value = frame(answer.raise_for_status().json()["id"]) + b"\0"
    with Registry(registry.url, cache_dir=tmp_path) as asked:
        decode = Codec(asked).decoder(t.STOCK)
        for _ in "twice":
            with pytest.raises(Undecodable, match="not written in JSON") as found:
                decode(value)
            assert found.value.reason is Reason.UNREADABLE_SCHEMA


@pytest.mark.servers
def test_a_registry_that_is_away_is_waited_for(
    servers: Addresses, prefix: str, dead_url: str, tmp_path: Path
) -> None:
    with Registry(servers.registry) as there:
        there.register(subject_of(t.STOCK, StockSold, prefix), schema_of(StockSold), FULL)
        value = Codec(there, prefix).encoder(t.STOCK, StockSold)(SOLD)

    with Registry(dead_url, cache_dir=tmp_path) as registry:
        decode = Codec(registry).decoder(t.STOCK)
        with pytest.raises(RegistryAway, match="gives no answer"):
            decode(value)
        with pytest.raises(RegistryAway):
            Codec(registry, prefix).encoder(t.STOCK, StockSold)
        with relay(dead_url, servers.registry):
            assert decode(value) == SOLD

    with Registry(dead_url, cache_dir=tmp_path) as restarted:
        assert Codec(restarted).decoder(t.STOCK)(value) == SOLD


@pytest.mark.parametrize("status", [401, 403, 429, 500, 503])
def test_no_good_answer_is_no_answer(status: int, dead_url: str) -> None:
    with answering(dead_url, status), Registry(dead_url) as registry, pytest.raises(RegistryAway):
        registry.schema(1)


def test_a_password_in_the_address_is_not_shown(dead_url: str) -> None:
    secret = dead_url.replace("http://", "http://vaart:hunter2@")
    with Registry(secret) as registry, pytest.raises(RegistryAway, match="gives no answer") as away:
        registry.schema(1)
    assert "hunter2" not in str(away.value)


def test_something_else_at_the_address_is_no_registry(dead_url: str) -> None:
    away = pytest.raises(RegistryAway, match="not a schema registry")
    with answering(dead_url, 200), Registry(dead_url) as registry, away:
        registry.schema(1)


def test_a_torn_copy_on_disk_is_not_read(dead_url: str, tmp_path: Path) -> None:
    with Registry(dead_url, cache_dir=tmp_path) as registry:
        registry._keep("1.json", '"string"')
        assert registry.schema(1) == "string"
    next(tmp_path.rglob("1.json")).write_text('{"type": "rec')
    with Registry(dead_url, cache_dir=tmp_path) as registry, pytest.raises(RegistryAway):
        registry.schema(1)


MICROS = {"type": "long", "logicalType": "timestamp-micros"}
MILLIS = {"type": "long", "logicalType": "timestamp-millis"}


def decimal_of(scale: int) -> dict[str, Any]:
    return {"type": "bytes", "logicalType": "decimal", "precision": 18, "scale": scale}


def record(*fields: dict[str, Any]) -> dict[str, Any]:
    return {"type": "record", "name": "R", "fields": [*fields]}


@pytest.mark.parametrize(
    ("older", "newer", "what"),
    [
        ("long", "string", "the writer has long, ours is string"),
        (decimal_of(4), decimal_of(2), "decimal of scale 4"),
        (MICROS, MILLIS, "timestamp-micros"),
        (["null", "long"], "long", "null"),
        ({"type": "array", "items": "long"}, {"type": "array", "items": "string"}, "string"),
    ],
)
def test_a_break_names_field_and_reason(older: Any, newer: Any, what: str) -> None:
    found = faults(record({"name": "x", "type": older}), record({"name": "x", "type": newer}), BACKWARD)
    assert len(found) == 1
    assert found[0].startswith("x: ")
    assert what in found[0]


def test_full_looks_both_ways_and_backward_one_way() -> None:
    one = record()
    more = record({"name": "x", "type": "long"})
    assert faults(one, more, BACKWARD) == [
        "x: readers of the new schema cannot read old records: it is missing there and has no default; give it one"
    ]
    assert faults(more, one, BACKWARD) == []
    assert faults(more, one, FULL) != []
    assert faults(one, record({"name": "x", "type": "long", "default": 0}), FULL) == []


@pytest.mark.servers
def test_the_command_registers_everything_once_and_names_a_break(
    environment: dict[str, str], settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "catalogue", lambda: [t.STOCK, t.ROUTED])
    run = CliRunner(env=environment).invoke
    assert states(run(app, ["schemas", "check", "-o", "json"]).output) == {"new"}
    assert states(run(app, ["schemas", "register", "--yes", "-o", "json"]).output) == {"new"}
    assert states(run(app, ["schemas", "register", "--yes", "-o", "json"]).output) == {"same"}

    broken = copy.deepcopy(changed(quantity="string", line_id=None))
    monkeypatch.setattr(
        "schemas.avsc.schema_of", lambda kind: broken if kind is StockSold else schema_of(kind)
    )
    checked = run(app, ["schemas", "check"])
    assert checked.exit_code == 1
    assert f"{subject_of(t.STOCK, StockSold, settings.kafka.topic_prefix)}: quantity: " in checked.output
    refused = run(app, ["schemas", "register", "--yes"]).exception
    assert isinstance(refused, command.SchemasDiffer)
    assert "quantity" in str(refused)
    assert "add a new field with a default" in str(refused)


@pytest.mark.servers
def test_an_unreachable_registry_is_named(environment: dict[str, str], dead_url: str) -> None:
    away = environment | {"VAART_REGISTRY__URL": dead_url}
    found = CliRunner(env=away).invoke(app, ["schemas", "check"]).exception
    assert isinstance(found, DependencyAway)
    assert dead_url in str(found)
    assert "VAART_REGISTRY__URL" in str(found)


def states(output: str) -> set[str]:
    return {each["state"] for each in json.loads(output)["subjects"]}


@contextmanager
def answering(url: str, status: int) -> Iterator[None]:
    """Whoever asks at the address gets this status and some text."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.end_headers()
            self.wfile.write(b"hello")

        def log_message(self, *_: Any) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", int(url.rpartition(":")[2])), Answer)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}).start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()


@contextmanager
def relay(url: str, behind: str) -> Iterator[None]:
    """The registry behind stands at the address, too."""

    class Relay(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answer = httpx.get(behind + self.path)
            self.send_response(answer.status_code)
            self.end_headers()
            self.wfile.write(answer.content)

        def log_message(self, *_: Any) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", int(url.rpartition(":")[2])), Relay)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}).start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
