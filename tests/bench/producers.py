"""What a transactional producer per lane costs: threads, memory, connections, and how fast so many of them commit.

`python -m tests.bench.producers KAFKA COUNT` is the measured process: it makes COUNT writers, lets each commit a small
transaction after the other for SECONDS, and prints what it took as JSON.
"""

import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from statistics import median
from typing import Any

import psutil
from confluent_kafka.admin import AdminClient, NewTopic

from streams.engine.kafka_log import KafkaLog
from streams.engine.log import Outgoing, Writer
from tests.bench.figures import Figure
from tests.bench.ground import OURS, Failed, Ground, on

COUNTS, COUNTS_QUICK = (1, 8, 16, 64), (1, 8)
SECONDS = 6.0
RECORDS = 10
"""Of a transaction, besides the last one: half to an output, half to a changelog."""
OUTPUT, CHANGELOG = "bench-producers.out.v1", "bench-producers.changelog"
MIB = 1 << 20


def run(ground: Ground) -> Iterator[Figure]:
    """A figure per number of producers in one process."""
    counts = COUNTS_QUICK if ground.is_quick else COUNTS
    admin = AdminClient({"bootstrap.servers": ground.addresses.kafka})
    for made in admin.create_topics(
        [NewTopic(name, max(counts), 1) for name in (OUTPUT, CHANGELOG)]
    ).values():
        made.result()
    for count in counts:
        with on(OURS):
            done = subprocess.run(
                [sys.executable, "-m", "tests.bench.producers", ground.addresses.kafka, str(count)],
                capture_output=True,
                text=True,
                check=False,
            )
        if done.returncode:
            raise Failed(f"{count} producers: {done.stderr[-2_000:]}")
        found = json.loads(done.stdout)
        how = (
            f"opened in {found['opened_s']:.1f} s; {found['threads']} threads, {found['connections']} connections and "
            f"{found['memory_mb']:.0f} MB more; a commit of {RECORDS + 1} records {found['commit_ms']:.1f} ms at p50"
        )
        yield Figure(
            f"{count} producers", found["commits"], found["seconds"], how, found["cpu_us"], more=found
        )


def measured(kafka: str, count: int) -> dict[str, Any]:
    """What `count` writers took of this process."""
    there: dict[str, Any] = {"bootstrap.servers": kafka}
    reading = {**there, "group.id": "bench-producers", "isolation.level": "read_committed"}
    log = KafkaLog("", count, {**there, "partitioner": "murmur2_random"}, reading, there)
    process = psutil.Process()
    before = _taken(process)
    began = time.monotonic()
    with ThreadPoolExecutor(count) as pool:
        writers = list(pool.map(log.writer, [f"bench-producers-{count}-{number}" for number in range(count)]))
    opened_s = time.monotonic() - began
    began, used = time.monotonic(), time.process_time()
    spent: list[float] = []
    threads = [threading.Thread(target=_commit, args=(*each, spent)) for each in enumerate(writers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds = time.monotonic() - began
    after = _taken(process)
    return {
        "opened_s": opened_s,
        "threads": after[0] - before[0],
        "connections": after[1] - before[1],
        "memory_mb": (after[2] - before[2]) / MIB,
        "commit_ms": median(spent) * 1_000,
        "commits": len(spent),
        "seconds": seconds,
        "cpu_us": (time.process_time() - used) / len(spent) * 1e6,
    }


def _commit(number: int, writer: Writer, spent: list[float]) -> None:
    deadline = time.monotonic() + SECONDS
    value = b"-" * 200
    while time.monotonic() < deadline:
        began = time.monotonic()
        writer.begin()
        for each in range(RECORDS):
            writer.send(Outgoing(OUTPUT if each % 2 else CHANGELOG, b"key-%d" % each, value, number))
        writer.commit(Outgoing(CHANGELOG, b"position", value, number))
        spent.append(time.monotonic() - began)


def _taken(process: psutil.Process) -> tuple[int, int, int]:
    return process.num_threads(), len(process.net_connections("tcp")), process.memory_info().rss


if __name__ == "__main__":
    print(json.dumps(measured(sys.argv[1], int(sys.argv[2]))))
