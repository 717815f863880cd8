"""What an operator sees when a service cannot start: which server or setting, where, and what to do."""

import os
import subprocess
import sys

import pytest

NOWHERE = "127.0.0.1:1"


def start(*command: str, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("VAART_")}
    return subprocess.run(
        [sys.executable, "-m", "vaart.cli", *command],
        env={**environment, **variables},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


SERVICES = [
    ("worker", "stock"),
    ("sink", "postgres"),
    ("sink", "notifications"),
    ("serve", "gateway"),
    ("demo",),
]


@pytest.mark.parametrize("command", SERVICES, ids=" ".join)
def test_without_kafka(command: tuple[str, ...]) -> None:
    ended = start(
        *command,
        VAART_KAFKA__BOOTSTRAP_SERVERS=NOWHERE,
        VAART_REGISTRY__URL=f"http://{NOWHERE}",
        VAART_POSTGRES__DSN=f"postgresql://{NOWHERE}/none",
    )
    assert ended.returncode == 69, ended.stderr
    said = ended.stdout + ended.stderr
    assert "Kafka" in said
    assert NOWHERE in said
    assert "vaart up" in said
    assert "Traceback" not in said


@pytest.mark.servers
@pytest.mark.parametrize("command", SERVICES[:-1], ids=" ".join)
def test_without_the_registry(command: tuple[str, ...], environment: dict[str, str]) -> None:
    ended = start(*command, **{**_own(environment), "VAART_REGISTRY__URL": f"http://{NOWHERE}"})
    assert ended.returncode == 69, ended.stdout + ended.stderr
    assert f"http://{NOWHERE}" in ended.stdout + ended.stderr


@pytest.mark.servers
@pytest.mark.parametrize("name", ["postgres", "notifications"])
def test_without_postgres(name: str, environment: dict[str, str]) -> None:
    dsn = f"postgresql://someone:hidden@{NOWHERE}/none"
    ended = start("sink", name, **{**_own(environment), "VAART_POSTGRES__DSN": dsn})
    assert ended.returncode == 69, ended.stdout + ended.stderr
    said = ended.stdout + ended.stderr
    assert "Postgres" in said
    assert "VAART_POSTGRES__DSN" in said
    assert "hidden" not in said


@pytest.mark.parametrize("command", [*SERVICES, ("up",), ("status",)], ids=" ".join)
def test_wrong_settings_are_all_listed(command: tuple[str, ...]) -> None:
    ended = start(
        *command, VAART_KAFKA__PARTITIONS="many", VAART_CLOCK="sundial", VAART_KAFKA__SERVRS="a", VAART_X="1"
    )
    assert ended.returncode == 78
    for name in ("VAART_KAFKA__PARTITIONS", "VAART_CLOCK", "VAART_KAFKA__SERVRS", "VAART_X"):
        assert name in ended.stderr
    assert "sundial" not in ended.stderr


def test_an_unknown_view_names_the_known_ones() -> None:
    ended = start("worker", "stok")
    assert ended.returncode == 2
    assert "stock" in ended.stderr


def _own(environment: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in environment.items() if name.startswith("VAART_")}
