"""The gateway's routes as an OpenAPI 3.1 document (spec.openapis.org/oas/v3.1.0)."""

import re
from typing import Any

from connectors.channels import CHANNELS
from connectors.protocol.channel import Channel
from vaart import __version__

VERSION = "3.1.0"
_PATTERN = re.compile(r"\{(\w+)(?::([^}]*))?\}")


def document() -> dict[str, Any]:
    """Every route that a sender may call. What a vendor's body holds is the vendor's to say."""
    paths: dict[str, Any] = {"/v1/events": {"post": _events()}}
    for channel in CHANNELS:
        secret = "/{secret}" if channel.proof == "secret address" else ""
        for route in (f"/in/{channel.name}/{{source}}{secret}", *channel.routes):
            path = _PATTERN.sub(r"{\1}", route)
            methods = paths.setdefault(path, {})
            for method in channel.methods:
                methods.setdefault(method.lower(), _operation(channel, route, method))
    return {
        "openapi": VERSION,
        "info": {"title": "vaart gateway", "version": __version__},
        "paths": dict(sorted(paths.items())),
    }


def _events() -> dict[str, Any]:
    answers = {
        "202": "every event is kept",
        "207": "some events are kept: each item says",
        "400": "it is not JSON",
        "413": "the body, or one event, is too large",
        "415": "it is neither JSON nor Avro",
        "422": "no event fits its schema",
        "503": "nothing is kept; send it again",
    }
    return {
        "operationId": "sendEvents",
        "summary": "Send one event of ours, or a list",
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {"schema": {"type": ["object", "array"]}},
                "application/vnd.confluent.avro": {"schema": {"type": "string", "format": "binary"}},
            },
        },
        "responses": {status: {"description": words} for status, words in answers.items()},
    }


def _operation(channel: Channel, route: str, method: str) -> dict[str, Any]:
    answers = channel.answers
    told = {
        answers.ok.status: "taken, or kept to be looked at",
        answers.malformed.status: "not readable",
        answers.refused.status: "no such source, or not its proof",
        answers.too_large.status: "too large",
        answers.overloaded.status: "not kept; send it again",
        429: "too many requests; send it again after Retry-After seconds",
    }
    parameters = _PATTERN.findall(route)
    if any(pattern for _, pattern in parameters):
        told.setdefault(404, "no such path")
    named = re.sub(r"\W+", "_", f"{channel.name}_{method.lower()}_{route}").strip("_")
    found: dict[str, Any] = {
        "operationId": named,
        "summary": channel.title,
        "description": f"Proof: {channel.proof}. Known from: {channel.evidence.origin}.",
        "tags": [channel.name],
        "parameters": [_parameter(*each) for each in parameters],
        "responses": {str(status): {"description": words} for status, words in sorted(told.items())},
    }
    if method == "POST":
        found["requestBody"] = {"content": {"*/*": {"schema": {"type": "string", "format": "binary"}}}}
    return found


def _parameter(name: str, pattern: str) -> dict[str, Any]:
    schema = {"type": "string"} | ({"pattern": f"^({pattern})$"} if pattern else {})
    return {"name": name, "in": "path", "required": True, "schema": schema}
