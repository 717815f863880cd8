"""A Kafka of one test's own, which can die and come back with its topics, on its port."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from vaart.local import stack
from vaart.local.running import status

ENDED_WITHIN_S = 60


class Broker:
    """Runs from the start. `address` stays the same over its lives."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._port = 0
        self.start()

    def start(self) -> None:
        """It runs, on what it kept."""
        stack.start(self._folder, stack.Options(names=("kafka",), kafka_port=self._port))
        (self.address,) = (server.address for server in status(self._folder) if server.name == "kafka")
        self._port = int(self.address.rpartition(":")[2])

    def signal(self, number: int) -> None:
        """It got the signal; and is gone, if that ends it."""
        (pid,) = (server.pid for server in status(self._folder) if server.name == "kafka")
        process = psutil.Process(pid)
        process.send_signal(number)
        if number in (signal.SIGTERM, signal.SIGKILL):
            process.wait(ENDED_WITHIN_S)


@contextmanager
def own_broker(folder: Path) -> Iterator[Broker]:
    """A broker that leaves nothing behind."""
    broker = Broker(folder)
    try:
        yield broker
    finally:
        stack.stop(folder, erase=True)
