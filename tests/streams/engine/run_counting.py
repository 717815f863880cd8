"""A worker of the counting view as a process of its own; INSTANCE names it, ORDERED makes it time-ordered."""

import asyncio
import dataclasses
import os

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
    view = dataclasses.replace(counting.VIEW, is_time_ordered="ORDERED" in os.environ)
    found = addresses.resolve(loaded)
    await Worker(view, (view,), loaded, found, Json(), os.environ.get("INSTANCE", "")).run()


if __name__ == "__main__":
    asyncio.run(main())
