"""Kafka, the registry and Postgres for one bench, on a core of their own and in a folder that is gone afterwards."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.bench.ground import SERVERS, Ground, Meter, on
from vaart.local import stack
from vaart.local.running import status

COMMIT_TIMES = {"track_commit_timestamp": "on"}


@contextmanager
def started(is_quick: bool) -> Iterator[Ground]:
    """The servers run inside, on their core, and nothing of them is left after."""
    folder = Path(tempfile.mkdtemp(prefix="vaart-bench-"))
    folder.chmod(0o711)  # Postgres runs as another user when we are root, and must be able to enter
    try:
        with on(SERVERS), stack.servers(folder, postgres_settings=COMMIT_TIMES, for_load=True) as addresses:
            (pid,) = (server.pid for server in status(folder) if server.name == "kafka")
            yield Ground(addresses, folder, Meter(pid), is_quick)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
