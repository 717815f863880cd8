"""Every command of the README runs as it stands there."""

import os
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path

import httpx
import psycopg
import pytest

pytestmark = pytest.mark.servers
ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"^```sh\n(.*?)^```", re.MULTILINE | re.DOTALL)
RUNNING_S_MAX = 120
TOLD_BY_CI = ("make demo", "make test", "export VAART_KAFKA__BOOTSTRAP_SERVERS")
"""The first two have runs of their own; the third shows addresses that are nobody's."""


def blocks() -> list[str]:
    found = BLOCK.findall((ROOT / "README.md").read_text())
    return [block for block in found if not block.startswith(TOLD_BY_CI)]


def test_every_command_runs(environment: dict[str, str], tmp_path: Path, unused_tcp_port: int) -> None:
    variables = {**environment, "VAART_GATEWAY__PORT": str(unused_tcp_port)}
    variables |= {"VAART_GATEWAY__SOURCES": "deploy/examples/sources.yaml", "SHOP_NL_SECRET": "hush"}
    variables["PATH"] = f"{ROOT / '.venv/bin'}{os.pathsep}{environment['PATH']}"
    prepare, *others = blocks()
    commands = [line.partition("#")[0].strip() for line in prepare.splitlines()]
    assert commands[-1] == "vaart run"
    run("\n".join(commands[:-1]), variables)
    log = (tmp_path / "run.txt").open("wb")
    services = subprocess.Popen(["vaart", "run"], cwd=ROOT, env=variables, stdout=log, stderr=log)
    try:
        await_gateway(unused_tcp_port, services)
        for block in others:
            run(block.replace("8080", str(unused_tcp_port)), variables)
        await_rows(variables["VAART_POSTGRES__DSN"])
        for source in ("corner-shop", "shop-nl", "web-shop"):
            await_archived(variables["VAART_POSTGRES__DSN"], source)
            run(f"vaart events find --source {source}", variables)
    finally:
        services.send_signal(signal.SIGINT)
        assert services.wait(60) == 0
        log.close()
        shutil.rmtree(ROOT / "rejects", ignore_errors=True)


def run(script: str, variables: dict[str, str]) -> None:
    ended = subprocess.run(
        ["bash", "-euc", script], cwd=ROOT, env=variables, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, f"{script}\n{ended.stdout[-2000:]}{ended.stderr[-2000:]}"


def await_gateway(port: int, services: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + RUNNING_S_MAX
    while time.monotonic() < deadline:
        assert services.poll() is None
        try:
            httpx.get(f"http://127.0.0.1:{port}/v1/events")
        except httpx.TransportError:
            time.sleep(0.2)
        else:
            return
    pytest.fail("the gateway does not answer")


def await_archived(dsn: str, source: str) -> None:
    """What it sent, in the archive."""
    deadline = time.monotonic() + RUNNING_S_MAX
    with psycopg.connect(dsn, autocommit=True) as connection:
        while not connection.execute(
            "SELECT 1 FROM mart.events WHERE source = %s LIMIT 1", [source]
        ).fetchone():
            assert time.monotonic() < deadline, source
            time.sleep(0.2)


def await_rows(dsn: str) -> None:
    """What the README sent, in the tables: two receipts, an order, and a shelf that was counted and sold from."""
    deadline = time.monotonic() + RUNNING_S_MAX
    expected = ([("2001",), ("2002",), ("820982911946154508",)], [(11,)])
    found = None
    with psycopg.connect(dsn, autocommit=True) as connection:
        while found != expected:
            assert time.monotonic() < deadline, found
            time.sleep(0.2)
            orders = connection.execute(
                "SELECT split_part(order_id, ':', 2) FROM mart.orders ORDER BY 1"
            ).fetchall()
            shelf = connection.execute("SELECT on_hand FROM mart.stock_levels WHERE sku = 'pear'").fetchall()
            found = (orders, shelf)
        for view in re.findall(r"mart\.\w+", (ROOT / "README.md").read_text()):
            connection.execute(f"SELECT * FROM {view} LIMIT 1")
