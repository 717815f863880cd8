"""A worker at a broker that lets in only whom it knows."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.streams.engine.counting import PASSED
from tests.streams.engine.rig import Rig
from tests.streams.engine.test_worker import some_events
from vaart.local import kafka, processes

pytestmark = pytest.mark.servers
READY_S = 60
SECRET = "a-secret-of-the-broker"
CREDENTIALS = {
    "security.protocol": "SASL_PLAINTEXT",
    "sasl.mechanism": "PLAIN",
    "sasl.username": "vaart",
    "sasl.password": SECRET,
}
LOCKED = {
    "listener.security.protocol.map": "PLAINTEXT:SASL_PLAINTEXT,CONTROLLER:PLAINTEXT",
    "sasl.enabled.mechanisms": "PLAIN",
    "sasl.mechanism.inter.broker.protocol": "PLAIN",
    "listener.name.plaintext.plain.sasl.jaas.config": (
        "org.apache.kafka.common.security.plain.PlainLoginModule required "
        f'username="vaart" password="{SECRET}" user_vaart="{SECRET}";'
    ),
}


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    """Of a broker that asks for a password."""
    launch = kafka.launch(tmp_path / "broker", properties=LOCKED)
    running = processes.spawn(launch, tmp_path / "broker.log")
    yield launch.address
    running.kill()
    running.wait()


def test_a_worker_has_the_credentials_that_all_clients_have(
    address: str, prefix: str, tmp_path: Path
) -> None:
    rig = _rig(address, prefix, tmp_path)
    names = {
        f"VAART_KAFKA__EXTRA__{name.upper().replace('.', '_')}": each for name, each in CREDENTIALS.items()
    }
    try:
        rig.start("a", **names)
        rig.send(some_events(100, keys=10, seed=41))
        assert len(rig.wait_for(PASSED.name, 100)) == 100
        assert SECRET not in rig.log("a")
    finally:
        rig.close()


def _rig(address: str, prefix: str, folder: Path) -> Rig:
    """Once the broker answers."""
    deadline = time.monotonic() + READY_S
    while True:
        try:
            return Rig(address, prefix, folder, credentials=CREDENTIALS)
        except Exception:
            if time.monotonic() > deadline:
                raise
