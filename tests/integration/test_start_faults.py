"""What an operator sees when a service cannot start: which server or setting, where, and what to do."""

import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest

from sinks.postgres import schema
from vaart.cli import topics
from vaart.settings import Settings

NOWHERE = "127.0.0.1:1"
SERVICES = (("worker", "stock"), ("sink", "postgres"), ("sink", "notifications"), ("serve", "gateway"))
Ended = dict[tuple[str, ...], tuple[int, str]]


def start(commands: Iterable[tuple[str, ...]], **variables: str) -> Ended:
    """What each command exits with and says. They run side by side, since most of them wait."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("VAART_")}
    started = {
        command: subprocess.Popen(
            [sys.executable, "-m", "vaart.cli", *command],
            env={**environment, **variables},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for command in commands
    }
    said = {command: process.communicate(timeout=120)[0] for command, process in started.items()}
    return {command: (process.returncode, said[command]) for command, process in started.items()}


def test_without_kafka() -> None:
    ended = start(
        [*SERVICES, ("demo",), ("topics", "plan")],
        VAART_KAFKA__BOOTSTRAP_SERVERS=NOWHERE,
        VAART_REGISTRY__URL=f"http://{NOWHERE}",
        VAART_POSTGRES__DSN=f"postgresql://{NOWHERE}/none",
    )
    for command, (code, said) in ended.items():
        assert code == 69, (command, said)
        assert all(word in said for word in ("Kafka", NOWHERE, "vaart up")), (command, said)
        assert "Traceback" not in said, command


def test_only_addresses_that_a_service_uses_are_asked_for(tmp_path: Path) -> None:
    way_in = [("serve", name) for name in ("gateway", "poller", "queues", "drops")]
    for command, (code, said) in start([*way_in, ("worker", "stock")], VAART_STATE_DIR=str(tmp_path)).items():
        assert code == 69, (command, said)
        assert "VAART_KAFKA__BOOTSTRAP_SERVERS" in said
        assert "VAART_REGISTRY__URL" in said
        assert ("VAART_POSTGRES__DSN" in said) == (command[0] == "worker")


@pytest.mark.servers
def test_without_the_registry(settings: Settings, environment: dict[str, str]) -> None:
    topics.ensure(settings)
    schema.upgrade(environment["VAART_POSTGRES__DSN"])
    ended = start(
        [*SERVICES, ("schemas", "check")], **{**_own(environment), "VAART_REGISTRY__URL": f"http://{NOWHERE}"}
    )
    for command, (code, said) in ended.items():
        assert code == 69, (command, said)
        assert all(word in said for word in ("registry", f"http://{NOWHERE}", "vaart up")), (command, said)


@pytest.mark.servers
def test_without_postgres(environment: dict[str, str]) -> None:
    dsn = f"postgresql://someone:hidden@{NOWHERE}/none"
    ended = start(
        [("sink", "postgres"), ("sink", "notifications"), ("db", "upgrade")],
        **{**_own(environment), "VAART_POSTGRES__DSN": dsn},
    )
    for command, (code, said) in ended.items():
        assert code == 69, (command, said)
        assert all(word in said for word in ("Postgres", "VAART_POSTGRES__DSN")), (command, said)
        assert "hidden" not in said, command


def test_wrong_settings_are_all_listed() -> None:
    wrong = {
        "VAART_KAFKA__PARTITIONS": "many",
        "VAART_CLOCK": "sundial",
        "VAART_KAFKA__SERVRS": "a",
        "VAART_X": "1",
    }
    for command, (code, said) in start([*SERVICES, ("demo",), ("up",), ("status",)], **wrong).items():
        assert code == 78, (command, said)
        assert all(name in said for name in wrong), (command, said)
        assert "sundial" not in said, command


def test_an_unknown_view_names_the_known_ones() -> None:
    ((code, said),) = start([("worker", "stok")]).values()
    assert code == 2
    assert "stock" in said


def _own(environment: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in environment.items() if name.startswith("VAART_")}
