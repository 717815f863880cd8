"""The topics of a deployment as an AsyncAPI 3.0 document (asyncapi.com/docs/reference/specification/v3.0.0).

Servers and channels carry the Kafka binding 0.5.0; payloads are the Avro schemas in the Confluent frame.
"""

from collections.abc import Iterable
from typing import Any

from schemas.avsc import schema_of
from schemas.events.clock import ClockAdvanced
from schemas.topic import Topic
from vaart import __version__

VERSION = "3.0.0"
KAFKA_BINDING = "0.5.0"
AVRO = "application/vnd.apache.avro;version=1.9.0"
SCHEMA_ID_BYTES = "4"


def document(topics: Iterable[Topic], prefix: str, partitions: int, replicas: int) -> dict[str, Any]:
    """The document; `prefix` stands before every topic's name, as at the brokers."""
    listed = list(topics)
    structs = {struct.__name__: struct for topic in listed for struct in topic.events}
    return {
        "asyncapi": VERSION,
        "info": {
            "title": "vaart",
            "version": __version__,
            "description": "What stands on the topics of this deployment. Channel teams send to the inputs.",
        },
        "defaultContentType": "application/vnd.confluent.avro",
        "servers": {
            "kafka": {
                "host": "kafka.example:9092",
                "protocol": "kafka",
                "bindings": {
                    "kafka": {
                        "schemaRegistryUrl": "https://registry.example",
                        "schemaRegistryVendor": "confluent",
                        "bindingVersion": KAFKA_BINDING,
                    }
                },
            }
        },
        "channels": {topic.name: _channel(topic, prefix, partitions, replicas) for topic in listed},
        "operations": {
            f"{'send' if topic.is_input else 'receive'}.{topic.name}": _operation(topic) for topic in listed
        },
        "components": {"messages": {name: _message(struct) for name, struct in sorted(structs.items())}},
    }


def _channel(topic: Topic, prefix: str, partitions: int, replicas: int) -> dict[str, Any]:
    settings = topic.config(replicas)
    told: dict[str, Any] = {
        "cleanup.policy": [topic.cleanup],
        "max.message.bytes": int(settings["max.message.bytes"]),
    }
    for name in ("retention.ms", "delete.retention.ms"):
        if name in settings:
            told[name] = int(settings[name])
    return {
        "address": prefix + topic.name,
        "description": "A channel team may send to it." if topic.is_input else "vaart writes it.",
        "messages": {
            struct.__name__: {"$ref": f"#/components/messages/{struct.__name__}"}
            for struct in topic.events
            if struct is not ClockAdvanced
        },
        "bindings": {
            "kafka": {
                "topic": prefix + topic.name,
                "partitions": partitions,
                "replicas": replicas,
                "topicConfiguration": told,
                "bindingVersion": KAFKA_BINDING,
            }
        },
        "x-public": topic.is_public,
    }


def _operation(topic: Topic) -> dict[str, Any]:
    return {
        "action": "send" if topic.is_input else "receive",
        "channel": {"$ref": f"#/channels/{topic.name}"},
    }


def _message(struct: type) -> dict[str, Any]:
    schema = schema_of(struct)
    return {
        "name": struct.__name__,
        "summary": schema["doc"],
        "bindings": {
            "kafka": {
                "key": {"type": "string"},
                "schemaIdLocation": "payload",
                "schemaIdPayloadEncoding": SCHEMA_ID_BYTES,
                "bindingVersion": KAFKA_BINDING,
            }
        },
        "payload": {"schemaFormat": AVRO, "schema": schema},
    }
