"""The same Kafka for aiokafka's clients, from what librdkafka's clients are told."""

import ssl
from collections.abc import Mapping
from typing import Any

NAMES = {
    "bootstrap.servers": "bootstrap_servers",
    "sasl.mechanism": "sasl_mechanism",
    "sasl.mechanisms": "sasl_mechanism",
    "sasl.username": "sasl_plain_username",
    "sasl.password": "sasl_plain_password",
}


def asyncio_config(config: Mapping[str, Any]) -> dict[str, Any]:
    """What an aiokafka client needs, from what librdkafka's clients need: the same brokers, the same credentials."""
    found: dict[str, Any] = {ours: config[theirs] for theirs, ours in NAMES.items() if config.get(theirs)}
    protocol = str(config.get("security.protocol", "plaintext")).upper()
    if protocol.endswith("SSL"):
        found["ssl_context"] = _ssl_context(config)
    return {**found, "security_protocol": protocol}


def _ssl_context(config: Mapping[str, Any]) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=config.get("ssl.ca.location"))
    if certificate := config.get("ssl.certificate.location"):
        context.load_cert_chain(certificate, config.get("ssl.key.location"), config.get("ssl.key.password"))
    return context
