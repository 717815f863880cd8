"""The schema registry on this machine: Apicurio with Confluent's API; schemas and ids outlive a restart."""

import signal
from pathlib import Path

import httpx

from vaart.local import downloads
from vaart.local.kafka import JAVA_OPTIONS, java
from vaart.local.launch import HOST, Launch, port

HEAP = ("-Xmx384m", "-XX:TieredStopAtLevel=1")
STOP_SIGNAL = signal.SIGTERM
READY_SECONDS = 2


def launch(state_dir: Path, wanted_port: int = 0) -> Launch:
    """A registry that keeps its schemas in `state_dir`."""
    home = state_dir / "registry"
    log = state_dir / "logs" / "registry.log"
    home.mkdir(parents=True, exist_ok=True)
    web, management = port("registry", wanted_port), port("registry", 0)
    application = downloads.unpacked(downloads.pinned("registry")[0])
    options = [*_options(log, web, management), *mark(state_dir)]
    command = [java(), *JAVA_OPTIONS, *HEAP, *options, "-jar", str(application / "quarkus-run.jar")]
    address = f"http://{HOST}:{web}/apis/ccompat/v7"
    return Launch("registry", command, address, lambda: _answers(address), home)


def mark(state_dir: Path) -> tuple[str, ...]:
    """The arguments that only this folder's registry has."""
    return (f"-Dapicurio.datasource.url=jdbc:h2:file:{state_dir / 'registry' / 'schemas'}",)


def _options(log: Path, web: int, management: int) -> list[str]:
    options = {
        "quarkus.http.host": HOST,
        "quarkus.http.port": str(web),
        # The management port listens on every interface unless told.
        "quarkus.management.host": HOST,
        "quarkus.management.port": str(management),
        "apicurio.storage.kind": "sql",
        "apicurio.storage.sql.kind": "h2",
        "quarkus.log.console.enabled": "false",
        "quarkus.log.level": "WARN",
        'quarkus.log.category."io.apicurio".level': "WARN",
        'quarkus.log.category."io.quarkus.http.access-log".level': "OFF",
        "quarkus.log.file.enabled": "true",
        "quarkus.log.file.json.enabled": "false",
        "quarkus.log.file.path": str(log),
        "quarkus.log.file.rotation.max-file-size": "10M",
        "quarkus.log.file.rotation.max-backup-index": "1",
    }
    return [f"-D{name}={value}" for name, value in options.items()]


def _answers(address: str) -> bool:
    try:
        return httpx.get(f"{address}/subjects", timeout=READY_SECONDS, trust_env=False).is_success
    except httpx.HTTPError:
        return False
