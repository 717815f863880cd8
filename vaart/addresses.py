"""Where the three servers are: the settings' addresses, else the local servers that `vaart up` started."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vaart.errors import DependencyAway
from vaart.settings import Settings

STATE_FILE = "servers.json"
"""In the state folder: `{"kafka": {"address": "127.0.0.1:9092", "pid": 1}, "registry": {...}, "postgres": {...}}`."""

KAFKA, REGISTRY, POSTGRES = EVERY = ("Kafka", "registry", "Postgres")


@dataclass(frozen=True, slots=True)
class Addresses:
    """Kafka's bootstrap servers, the registry's URL, the Postgres DSNs. DSNs are secret: never log one."""

    kafka: str
    registry: str
    postgres: str
    postgres_owner: str


def resolve(settings: Settings, *needed: str) -> Addresses:
    """The addresses to use. Raises DependencyAway, naming each of the `needed` servers, or of all, that has none."""
    local = _local(settings.state_dir / STATE_FILE)
    dsn = settings.postgres.dsn.get_secret_value() or local.get("postgres", {}).get("address", "")
    found = Addresses(
        kafka=settings.kafka.bootstrap_servers or local.get("kafka", {}).get("address", ""),
        registry=settings.registry.url or local.get("registry", {}).get("address", ""),
        postgres=dsn,
        postgres_owner=settings.postgres.owner_dsn.get_secret_value() or dsn,
    )
    missing = [
        f"  {server}: set {variable}"
        for server, variable, address in (
            (KAFKA, "VAART_KAFKA__BOOTSTRAP_SERVERS", found.kafka),
            (REGISTRY, "VAART_REGISTRY__URL", found.registry),
            (POSTGRES, "VAART_POSTGRES__DSN", found.postgres),
        )
        if not address and server in (needed or EVERY)
    ]
    if missing:
        raise DependencyAway(
            "no address is known for these servers:\n"
            + "\n".join(missing)
            + f"\nor start local ones with `vaart up` (looked in {settings.state_dir / STATE_FILE})"
        )
    return found


def _local(path: Path) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads(path.read_text())
    except FileNotFoundError:
        return {}
    return found
