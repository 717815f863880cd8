"""A worker of the counting view as a process of its own; the environment says which.

INSTANCE names it, ORDERED makes it time-ordered, VERSION and FOLLOWS are the view's; HANGS makes its fold never return.
"""

import asyncio
import dataclasses
import os
import time

from streams.engine.worker import Worker
from tests.streams.engine import counting
from vaart import addresses, logs, settings


class Json:
    """The counting view's codec."""

    def decoder(self, topic):  # type: ignore[no-untyped-def]
        return counting.decode

    def encoder(self, topic, struct):  # type: ignore[no-untyped-def]
        return counting.encode


def hang(state, event):  # type: ignore[no-untyped-def]
    print("hangs", flush=True)
    time.sleep(3600)


async def main() -> None:
    loaded = settings.load()
    logs.configure("worker-counting", loaded.log_level)
    version = int(os.environ.get("VERSION", "1"))
    view = dataclasses.replace(
        counting.VIEW, is_time_ordered="ORDERED" in os.environ, version=version, epoch=version
    )
    if "HANGS" in os.environ:
        view = dataclasses.replace(view, fold=hang)
    found = addresses.resolve(loaded)
    instance, follows = os.environ.get("INSTANCE", ""), int(os.environ.get("FOLLOWS", "0"))
    await Worker(view, (view,), loaded, found, Json(), instance, follows).run()


if __name__ == "__main__":
    asyncio.run(main())
