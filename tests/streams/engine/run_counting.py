"""A worker of the counting view as a process of its own: `python -m tests.streams.engine.run_counting INSTANCE`."""

import asyncio
import os
import sys

from streams.engine.worker import Worker
from tests.streams.engine import counting
from vaart import addresses, logs, settings


class Json:
    """The counting view's codec."""

    def decoder(self, topic):  # type: ignore[no-untyped-def]
        return counting.decode

    def encoder(self, topic, struct):  # type: ignore[no-untyped-def]
        return counting.encode


async def main() -> None:
    loaded = settings.load()
    logs.configure("worker-counting", loaded.log_level)
    worker = Worker(
        counting.VIEW,
        (counting.VIEW,),
        loaded,
        addresses.resolve(loaded),
        Json(),
        os.environ.get("INSTANCE", ""),
    )
    await worker.run()


if __name__ == "__main__":
    asyncio.run(main())
    sys.exit(0)
