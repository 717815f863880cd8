"""The real servers that tests run on: those that the settings name, else one private stack a session."""

import os
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import hypothesis
import pytest

from vaart.addresses import Addresses
from vaart.settings import Settings, load

# Compaction, and the end of deleted topics' files, within seconds.
BROKER = {"log.cleaner.backoff.ms": "500", "log.segment.delete.delay.ms": "1000"}
# `make test` tries the same examples each time; `make torture` looks for new ones.
hypothesis.settings.register_profile("same", derandomize=True)
# What a crash of the machine would lose is no matter here.
DATABASE = {"fsync": "off", "full_page_writes": "off"}


@pytest.fixture(scope="session")
def servers() -> Iterator[Addresses]:
    """Kafka, the registry and Postgres, running."""
    from vaart.addresses import resolve

    named = load()
    if named.kafka.bootstrap_servers and named.registry.url and named.postgres.dsn.get_secret_value():
        yield resolve(named)
        return
    with _private_stack() as folder:
        yield resolve(named.model_copy(update={"state_dir": folder}))


@pytest.fixture
def prefix() -> str:
    """A topic prefix that no other test has."""
    return f"t{uuid.uuid4().hex[:12]}."


@pytest.fixture
def database(servers: Addresses) -> Iterator[str]:
    """The DSN of an empty database that no other test has; it is dropped after the test."""
    import psycopg

    name = f"t{uuid.uuid4().hex[:12]}"
    with psycopg.connect(servers.postgres_owner, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
        yield urlsplit(servers.postgres_owner)._replace(path=f"/{name}").geturl()
        connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


@pytest.fixture
def environment(servers: Addresses, prefix: str, database: str, tmp_path: Path) -> dict[str, str]:
    """The variables for a command that a test starts: its own prefix, database and state folder."""
    others = {name: value for name, value in os.environ.items() if not name.startswith("VAART_")}
    return others | {
        "VAART_KAFKA__BOOTSTRAP_SERVERS": servers.kafka,
        "VAART_KAFKA__TOPIC_PREFIX": prefix,
        "VAART_REGISTRY__URL": servers.registry,
        "VAART_POSTGRES__DSN": database,
        "VAART_STATE_DIR": str(tmp_path),
    }


@pytest.fixture
def settings(environment: dict[str, str]) -> Settings:
    """What those variables say."""
    return load(environment)


@contextmanager
def _private_stack() -> Iterator[Path]:
    from vaart.local import stack

    # Postgres runs as another user when we are root, and must be able to enter.
    folder = Path(tempfile.mkdtemp(prefix="vaart-tests-"))
    folder.chmod(0o711)
    try:
        with stack.servers(folder, kafka_properties=BROKER, postgres_settings=DATABASE):
            yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
