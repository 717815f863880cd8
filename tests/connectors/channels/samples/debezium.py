"""Rows of a shop's orders as Debezium writes them, after its reference and the example that is shipped."""

import json
from pathlib import Path
from typing import Any

import yaml

from connectors.channels.debezium import CHANNEL
from connectors.protocol.channel import Request, Source
from connectors.protocol.records import METHOD
from tests.connectors.channels.sampling import RECEIVED_AT, Sample, Samples, with_headers

SECRET = "a token of ours"
EXAMPLE = Path(__file__).parents[4] / "deploy" / "examples" / "debezium"
TABLES = yaml.safe_load((EXAMPLE / "sources.yaml").read_text())["sources"]["shop-db"]["options"]["tables"]
INSERT: dict[str, Any] = json.loads((EXAMPLE / "order.json").read_text())
ROW: dict[str, Any] = INSERT["after"]
SHIPPED = {**ROW, "status": "shipped", "shipment": "s-1"}
TOPIC = "inventory.public.orders"


def sign(request: Request, secret: str) -> Request:
    return with_headers(request, authorization=f"Bearer {secret}") if secret else request


def record(document: Any, topic: str = TOPIC, **headers: str) -> Request:
    """A record of the table's topic."""
    body = b"" if document is None else json.dumps(document).encode()
    told = {name: (value,) for name, value in headers.items()}
    return Request(METHOD, topic, "", told, (), body, RECEIVED_AT)


def change(op: str, row: Any = ROW, before: Any = None, **source: Any) -> dict[str, Any]:
    after = {"before": before, "after": row} if op != "d" else {"before": row, "after": None}
    return {**INSERT, **after, "op": op, "source": {**INSERT["source"], **source}}


def enveloped(document: dict[str, Any], side: str = "after", **kinds: str) -> dict[str, Any]:
    """With the schema that the JSON converter adds: columns, and the logical types of some."""
    columns = [
        {"type": "int64", "optional": True, "field": name, **({"name": kinds[name]} if name in kinds else {})}
        for name in ROW
    ]
    return {
        "schema": {"type": "struct", "fields": [{"type": "struct", "fields": columns, "field": side}]},
        "payload": document,
    }


def flat(op: str | None, row: dict[str, Any] = ROW, **added: Any) -> dict[str, Any]:
    told = {} if op is None else {"__op": op}
    return {**row, **told, "__source_ts_ms": 1764064710123, "__deleted": "false", **added}


SAMPLES = Samples(
    CHANNEL,
    Source("shop-db", (SECRET,), {"tables": TABLES}),
    SECRET,
    sign,
    (
        Sample("an order", record(change("c")), ("OrderPlaced",)),
        Sample("with its schema", record(enveloped(change("c"))), ("OrderPlaced",)),
        Sample("a row alone", record(flat("c")), ("OrderPlaced",)),
        Sample("a row of a snapshot", record(change("r", snapshot="first"))),
        Sample("a snapshot that calls it created", record(change("c", snapshot=True))),
        Sample("an update", record(change("u", SHIPPED, {"id": 1001})), ("OrderShipped",)),
        Sample(
            "a row that is gone", record(change("d", {**ROW, "status": "cancelled"})), ("OrderCancelled",)
        ),
        Sample(
            "a row alone that is gone",
            record(flat("d", {**ROW, "status": "cancelled"}, __deleted="true")),
            ("OrderCancelled",),
        ),
        Sample("a tombstone", record(None)),
        Sample("an emptied table", record({"source": INSERT["source"], "op": "t", "ts_ms": 1})),
        Sample("a message", record({"source": INSERT["source"], "op": "m", "message": {"prefix": "a"}})),
        Sample("another table", record(change("c", table="baskets")), rejected=1),
        Sample("base64", record(change("c", {**ROW, "total": "EYo="})), rejected=1),
    ),
    covers_body=False,
)
