"""Settings: from the environment (`VAART_KAFKA__BOOTSTRAP_SERVERS=...`), every fault reported at once.

A name that ends in `_FILE` reads the value from that file, for mounted secrets:
`VAART_POSTGRES__DSN_FILE=/run/secrets/dsn`.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError

from vaart.errors import ConfigFault

PREFIX = "VAART_"
NOT_SETTINGS = frozenset({"VAART_FAILPOINT"})
"""Variables with our prefix that are read elsewhere."""


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Kafka(_Section):
    """Where Kafka is. Without `bootstrap_servers` the local server is used (`vaart up`).

    A worker that is back within `session_timeout_s` keeps its lanes; of one that is not, others take them over.
    """

    bootstrap_servers: str = ""
    topic_prefix: str = Field("", pattern=r"^[a-zA-Z0-9._-]*$")
    partitions: int = Field(4, ge=1, le=1024)
    replication_factor: int = Field(1, ge=1, le=9)
    session_timeout_s: float = Field(10, ge=6, le=60)
    extra: dict[str, str] = Field(default_factory=dict)


class Registry(_Section):
    """Where the schema registry (Confluent API) is."""

    url: str = ""
    username: str = ""
    password: SecretStr = SecretStr("")


class Postgres(_Section):
    """Where Postgres is. `owner_dsn` is for migrations; without it `dsn` serves both."""

    dsn: SecretStr = SecretStr("")
    owner_dsn: SecretStr = SecretStr("")


class Notifications(_Section):
    """How notifications leave. Without an SMTP host and a webhook address they are logged."""

    smtp_host: str = ""
    smtp_port: int = Field(587, ge=1, le=65535)
    smtp_username: str = ""
    smtp_password: SecretStr = SecretStr("")
    smtp_security: Literal["starttls", "tls", "none"] = "starttls"
    sender: str = ""
    webhook_url: str = ""
    webhook_secret: SecretStr = SecretStr("")


class Gateway(_Section):
    """Where the way in listens, who may send (`sources`: a YAML file), and how much the disk takes for Kafka.

    `public_url` is the address that senders know: some sign it. `proxies` of our own stand before the gateway.
    `shares_port` with other gateways of this machine: `vaart serve gateway --procs` sets it.
    """

    host: str = "127.0.0.1"
    port: int = Field(8080, ge=0, le=65535)
    sources: Path | None = None
    public_url: str = Field("", pattern=r"^(https?://.+)?$")
    proxies: int = Field(0, ge=0, le=10)
    spool_bytes_max: int = Field(3 << 30, ge=1 << 20)
    shares_port: bool = False


class Management(_Section):
    """Where a service answers /livez, /readyz and /metrics. Port 0 takes a free one and logs it."""

    host: str = "127.0.0.1"
    port: int = Field(0, ge=0, le=65535)


class Settings(_Section):
    """All settings of one deployment. `instance` names this process among its kind; the machine's name otherwise."""

    kafka: Kafka = Kafka()
    registry: Registry = Registry()
    postgres: Postgres = Postgres()
    notifications: Notifications = Notifications()
    gateway: Gateway = Gateway()
    management: Management = Management()
    state_dir: Path = Path(".vaart")
    instance: str = Field("", pattern=r"^[a-zA-Z0-9._-]*$", max_length=200)
    clock: Literal["wall", "replay"] = "wall"
    store: Literal["rocksdb", "memory"] = "rocksdb"
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    identifier_secret: SecretStr = SecretStr("")


def load(environment: Mapping[str, str] | None = None) -> Settings:
    """The settings that the environment asks for. Raises ConfigFault with every fault, and no value, in its text."""
    tree, faults = _tree(os.environ if environment is None else environment)
    try:
        settings = Settings.model_validate(tree)
    except ValidationError as error:
        faults += [
            f"{_name(e['loc'])}: {e['msg']}" for e in error.errors(include_input=False, include_url=False)
        ]
    if faults:
        raise ConfigFault("these settings are wrong:\n" + "\n".join(f"  {fault}" for fault in faults))
    return settings


def _tree(environment: Mapping[str, str]) -> tuple[dict[str, Any], list[str]]:
    tree: dict[str, Any] = {}
    faults: list[str] = []
    for name, value in sorted(environment.items()):
        if not name.startswith(PREFIX) or name in NOT_SETTINGS:
            continue
        path = name.removeprefix(PREFIX)
        if path.endswith("_FILE"):
            path = path.removesuffix("_FILE")
            try:
                value = Path(value).read_text().strip()
            except OSError as error:
                faults.append(f"{name}: cannot be read: {error.strerror}")
                continue
        _put(tree, path.lower().split("__"), value)
    return tree, faults


def _put(tree: dict[str, Any], path: list[str], value: str) -> None:
    if path[:2] == ["kafka", "extra"]:
        path = [*path[:2], ".".join(path[2:]).replace("_", ".")]
    for part in path[:-1]:
        inner: Any = tree.setdefault(part, {})
        if not isinstance(inner, dict):
            return  # VAART_KAFKA=... beside VAART_KAFKA__...: validation reports the first
        tree = inner
    tree[path[-1]] = value


def _name(location: tuple[int | str, ...]) -> str:
    return PREFIX + "__".join(str(part).upper() for part in location)
