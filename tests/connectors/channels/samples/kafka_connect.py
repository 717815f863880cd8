"""Records of a source connector that knows visits to stores."""

import json
from typing import Any

from connectors.channels.kafka_connect import CHANNEL
from connectors.protocol.channel import Source
from tests.connectors.channels.samples.debezium import SECRET, record, sign
from tests.connectors.channels.sampling import Sample, Samples

TOPIC = "doors.visits"
VISIT: dict[str, Any] = {"visit": 7, "store": 12, "card": "c-1", "at": 1764064710123}
RULE = {
    "event": "StoreVisited",
    "id": ["/visit"],
    "occurred_at": "millis /at",
    "customer": {"loyalty_card": "/card"},
    "fields": {"store_id": "text /store", "method": "=door"},
    "medium": "store",
}


def enveloped(value: dict[str, Any]) -> dict[str, Any]:
    at = {"type": "int64", "field": "at", "name": "org.apache.kafka.connect.data.Timestamp", "version": 1}
    return {"schema": {"type": "struct", "fields": [at]}, "payload": value}


SAMPLES = Samples(
    CHANNEL,
    Source("doors", (SECRET,), {"topics": {TOPIC: [RULE], "doors.beats": []}}),
    SECRET,
    sign,
    (
        Sample("a visit", record(VISIT, TOPIC), ("StoreVisited",)),
        Sample("with its schema", record(enveloped(VISIT), TOPIC), ("StoreVisited",)),
        Sample("no value", record(None, TOPIC)),
        Sample("a schema around nothing", record({"schema": None, "payload": None}, TOPIC)),
        Sample("a topic to pass over", record(VISIT, "doors.beats")),
        Sample("a topic without rules", record(VISIT, "doors.faults"), rejected=1),
        Sample("no visit", record(json.dumps("x"), TOPIC), rejected=1),
    ),
    covers_body=False,
)
