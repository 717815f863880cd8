"""The documents of topics and routes, held against the schemas of AsyncAPI and OpenAPI."""

import json
from typing import Any

from jsonschema import Draft7Validator
from openapi_spec_validator import validate
from typer.testing import CliRunner

from connectors.channels import CHANNELS
from schemas.topics import TOPICS
from tests.connectors.clients.installing import Clients
from vaart.cli.main import app


def printed(verb: str) -> Any:
    told = CliRunner().invoke(app, ["docs", verb])
    assert told.exit_code == 0, told.output
    return json.loads(told.output)


def test_topics_as_asyncapi(clients: Clients, monkeypatch: Any) -> None:
    monkeypatch.setenv("VAART_KAFKA__TOPIC_PREFIX", "shop.")
    found = printed("asyncapi")
    schema = json.loads((clients.node_modules / "@asyncapi/specs/schemas/3.0.0.json").read_text())
    assert [error.message[:300] for error in Draft7Validator(schema).iter_errors(found)] == []
    assert {channel["address"] for channel in found["channels"].values()} == {
        f"shop.{topic.name}" for topic in TOPICS
    }
    named = {ref["$ref"] for channel in found["channels"].values() for ref in channel["messages"].values()}
    assert named == {f"#/components/messages/{name}" for name in found["components"]["messages"]}


def test_routes_as_openapi() -> None:
    found = printed("openapi")
    validate(found)
    told = {tag for path in found["paths"].values() for verb in path.values() for tag in verb.get("tags", ())}
    assert told == {channel.name for channel in CHANNELS}
