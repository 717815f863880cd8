"""The local servers start, keep what they were given, say what is wrong, and leave nothing behind."""

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest

from vaart.local import postgres, processes, running

pytestmark = pytest.mark.servers

ELSEWHERE = {"VAART_KAFKA__BOOTSTRAP_SERVERS": "127.0.0.1:1", "VAART_REGISTRY__URL": "http://127.0.0.1:1"}
"""Settings that leave only Postgres to start."""

OWNER = """
import sys, time
from pathlib import Path
from vaart.local.stack import servers
with servers(Path(sys.argv[1])):
    print("up", flush=True)
    time.sleep(600)
"""


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    """A state folder; whatever a failing test leaves in it is stopped and deleted."""
    yield tmp_path / "state"
    vaart("down", "--erase", home=tmp_path / "state")


@pytest.fixture
def small_disk() -> Iterator[Path]:
    """A state folder on a disk too small for Postgres, whose user may enter it."""
    folder = Path(tempfile.mkdtemp(prefix="vaart-small-"))
    mount = ["mount", "-t", "tmpfs", "-o", "size=24m,mode=711", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mount, check=False).returncode != 0:
        folder.rmdir()
        pytest.skip("a small disk needs the right to mount one")
    yield folder
    vaart("down", home=folder)
    subprocess.run(["umount", folder], check=True)
    folder.rmdir()


def vaart(*words: str, home: Path, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(*words), env=environment(home, **more), capture_output=True, text=True, check=False
    )


def command(*words: str) -> list[str]:
    return [sys.executable, "-m", "vaart.cli", *words]


def environment(home: Path, **more: str) -> dict[str, str]:
    others = {name: value for name, value in os.environ.items() if not name.startswith("VAART_")}
    return others | {"VAART_STATE_DIR": str(home), "COLUMNS": "200"} | more


def left(home: Path) -> list[int]:
    """What still runs of the folder's servers."""
    return [
        process.pid for server in running.SERVERS.values() for process in processes.marked(server.mark(home))
    ]


def gone(home: Path) -> bool:
    """Whether nothing of them runs, now or soon."""
    deadline = time.monotonic() + 30
    while left(home) and time.monotonic() < deadline:
        time.sleep(0.1)
    return not left(home)


def servers_of(answer: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    assert answer.returncode == 0, answer.stderr
    return {server["name"]: server for server in json.loads(answer.stdout)["servers"]}


def test_what_they_were_given_outlives_a_restart_and_down_leaves_nothing(home: Path) -> None:
    up = servers_of(vaart("up", "--output", "json", home=home))
    register(up["registry"]["address"], "First")
    schema_id = register(up["registry"]["address"], "Kept")
    make_topic(up["kafka"]["address"])
    with psycopg.connect(up["postgres"]["address"], autocommit=True) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 7 AS n")

    again = servers_of(vaart("up", "--output", "json", home=home))
    assert {name: server["pid"] for name, server in again.items()} == {n: s["pid"] for n, s in up.items()}
    assert json.loads(vaart("down", "--output", "json", home=home).stdout)["stopped"] == list(up)
    assert not left(home)
    assert all(
        server["pid"] == 0 for server in servers_of(vaart("status", "--output", "json", home=home)).values()
    )

    back = servers_of(vaart("up", "--output", "json", home=home))
    assert register(back["registry"]["address"], "Kept") == schema_id
    assert "kept" in topics(back["kafka"]["address"])
    with psycopg.connect(back["postgres"]["address"]) as connection:
        assert connection.execute("SELECT n FROM kept").fetchone() == (7,)

    assert vaart("down", "--erase", home=home).returncode == 0
    assert not left(home)
    assert not postgres.home_of(home).exists()
    assert {path.name for path in home.iterdir()} == {"lock"}


def test_a_killed_owner_takes_its_servers_with_it(home: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", OWNER, str(home)], stdout=subprocess.PIPE) as owner:
        assert owner.stdout is not None
        assert owner.stdout.readline() == b"up\n"
        assert len(left(home)) == len(running.SERVERS)
        owner.kill()
    assert gone(home)


@pytest.mark.parametrize("sign", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_a_start_that_is_cut_off_leaves_nothing(home: Path, sign: signal.Signals) -> None:
    with subprocess.Popen(
        command("up"), env=environment(home), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as starting:
        while not left(home):
            assert starting.poll() is None
            time.sleep(0.01)
        starting.send_signal(sign)
    assert starting.returncode != 0
    assert gone(home)
    assert vaart("status", home=home).stdout.count("stopped") == len(running.SERVERS)


def test_a_taken_port_is_named(home: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        answer = vaart("up", "--kafka-port", str(port), home=home)
    assert answer.returncode == 69
    assert f"port {port} of 127.0.0.1 is taken" in answer.stderr
    assert "--kafka-port" in answer.stderr
    assert not left(home)


def test_a_server_whose_address_is_set_is_not_started(home: Path) -> None:
    servers_of(vaart("up", "--output", "json", home=home, **ELSEWHERE))
    status = servers_of(vaart("status", "--output", "json", home=home))
    assert [name for name, server in status.items() if server["pid"]] == ["postgres"]


def test_a_server_that_dies_at_its_start_is_named_with_its_last_words(home: Path) -> None:
    vaart("up", home=home, **ELSEWHERE)
    vaart("down", home=home)
    (postgres.home_of(home) / "cluster" / "postgresql.conf").write_text("no_such_setting = 1\n")
    answer = vaart("up", home=home, **ELSEWHERE)
    assert answer.returncode == 69
    assert "postgres ended with code 1" in answer.stderr
    assert "no_such_setting" in answer.stderr
    assert not left(home)


def test_a_full_disk_is_named(small_disk: Path) -> None:
    answer = vaart("up", home=small_disk)
    assert answer.returncode == 74, answer.stderr
    assert str(small_disk) in answer.stderr
    assert "No space left" in answer.stderr
    assert not left(small_disk)


def register(address: str, name: str) -> int:
    schema = json.dumps({"type": "record", "name": name, "fields": [{"name": "n", "type": "int"}]})
    answer = httpx.post(f"{address}/subjects/{name}/versions", json={"schema": schema}, timeout=10)
    return int(answer.raise_for_status().json()["id"])


def make_topic(address: str) -> None:
    from confluent_kafka.admin import AdminClient
    from confluent_kafka.cimpl import NewTopic

    admin = AdminClient({"bootstrap.servers": address})
    admin.create_topics([NewTopic("kept", 2)])["kept"].result(10)


def topics(address: str) -> set[str]:
    from confluent_kafka.admin import AdminClient

    return set(AdminClient({"bootstrap.servers": address}).list_topics(timeout=10).topics)
