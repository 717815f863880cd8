"""Only rubbish on one partition of the real Kafka: its lane stops, the others go on, and only an operator lifts it."""

import json
import signal
import socket
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from schemas.events.dead_letters import DeadLettered
from schemas.topics import DEAD_LETTERS
from streams.engine import stops
from streams.engine.limit import IN_A_ROW_MAX
from tests.streams.engine import counting
from tests.streams.engine.counting import COUNTED, PASSED, VIEW, Counted, event
from tests.streams.engine.rig import PATIENCE_S, Rig, keys_of
from vaart.addresses import Addresses

pytestmark = pytest.mark.servers
BAD = 1
"""The lane that gets the rubbish."""
RUBBISH = 2 * IN_A_ROW_MAX - 500


@pytest.fixture
def rig(servers: Addresses, prefix: str, tmp_path: Path) -> Iterator[Rig]:
    made = Rig(servers.kafka, prefix, tmp_path)
    yield made
    made.close()


def test_rubbish_stops_its_lane_alone_until_an_operator_lifts_it(rig: Rig) -> None:
    address = f"127.0.0.1:{free_port()}"
    log = rig.log_of()
    rig.start("a", VAART_MANAGEMENT__PORT=address.split(":")[1])
    send(rig, BAD, [b"rubbish %d" % number for number in range(RUBBISH)])
    until(lambda: stops.of(log, VIEW, BAD) is not None)
    send(rig, BAD, good("late", 50))
    for lane in (0, 2, 3):
        send(rig, lane, good(f"lane-{lane}", 50))
    assert Counter(passed(rig, 150)) == ids(good("lane-0", 50), good("lane-2", 50), good("lane-3", 50))
    until(lambda: "vaart dlq resume counting" in faults(address).get("dead_letters", ""))
    assert f'vaart_lane_stopped{{app="{VIEW.group}",lane="{BAD}"}} 1.0' in metrics_of(address)
    assert "vaart dlq resume counting --lane 1" in rig.log("a")

    rig.start("b")
    until(lambda: "lanes_ready" in rig.log("b"))
    assert rig.kill("a", signal.SIGTERM) == 0
    until(lambda: lanes_of(rig, "b") == [0, 1, 2, 3])
    rig.kill("b")
    rig.start("c")
    send(rig, 0, good("more", 20))
    passed(rig, 170)
    assert stops.of(log, VIEW, BAD) is not None

    stops.lift(log, VIEW, BAD)
    assert Counter(passed(rig, 220)) == ids(
        *(good(name, 50) for name in ("lane-0", "lane-2", "lane-3", "late")), good("more", 20)
    )
    letters = [record for _, record, _ in rig.wait_for(DEAD_LETTERS.name, RUBBISH)]
    values = Counter(letter.value for letter in letters if isinstance(letter, DeadLettered))
    assert values == Counter(b"rubbish %d" % number for number in range(RUBBISH))

    again = [b"rubbish again"] * IN_A_ROW_MAX
    send(rig, BAD, [*again, *map(counting.encode, good("last", 10))])  # both in one fetch
    until(lambda: stops.of(log, VIEW, BAD) is not None)
    stops.lift(log, VIEW, BAD)
    passed(rig, 230)
    assert "rubbish" not in rig.log("a") + rig.log("b") + rig.log("c")


def good(name: str, count: int) -> list[Counted]:
    return [event(1, event_id=f"{name}-{number}") for number in range(count)]


def ids(*events: list[Counted]) -> Counter[str]:
    return Counter(each.meta.event_id for some in events for each in some)


def send(rig: Rig, lane: int, values: "list[Counted] | list[bytes]") -> None:
    for each in values:
        value = each if isinstance(each, bytes) else counting.encode(each)
        rig.producer.produce(rig.prefix + COUNTED.name, value, keys_of(lane, 1)[0].encode(), lane)
    assert rig.producer.flush(30) == 0


def passed(rig: Rig, count: int) -> list[str]:
    found = [record for _, record, _ in rig.wait_for(PASSED.name, count)]
    return [record.meta.event_id for record in found if isinstance(record, Counted)]


def until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.2)


def lanes_of(rig: Rig, name: str) -> list[int]:
    """The lanes that a worker has, by its log."""
    lines = [json.loads(line) for line in rig.log(name).splitlines() if line.startswith("{")]
    found: list[list[int]] = [line["lanes"] for line in lines if line["event"] == "lanes_ready"]
    return found[-1]


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


def faults(address: str) -> dict[str, str]:
    try:
        with urllib.request.urlopen(f"http://{address}/readyz", timeout=10) as answer:
            said = answer.read()
    except urllib.error.HTTPError as error:
        said = error.read()
    found: dict[str, str] = json.loads(said).get("faults", {})
    return found


def metrics_of(address: str) -> str:
    with urllib.request.urlopen(f"http://{address}/metrics", timeout=10) as answer:
        text: str = answer.read().decode()
        return text
