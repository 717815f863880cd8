"""A worker of one of the benches' views as a process of its own: `python -m tests.bench.run_worker count|pass`."""

import asyncio
import sys

from schemas.registry import Registry
from streams.engine.assembly import Coding
from streams.engine.worker import Worker
from tests.bench.page_views import COUNTING, PASSING, Avro, Unread
from vaart import addresses, collector, logs, settings


async def main(name: str) -> None:
    """Runs until SIGTERM."""
    loaded = settings.load()
    logs.configure(f"bench-{name}", loaded.log_level)
    found = addresses.resolve(loaded)
    view = {view.name: view for view in (COUNTING, PASSING)}[name]
    codec: Coding = Unread() if view is PASSING else Avro(Registry(found.registry), loaded.kafka.topic_prefix)
    collector.calm()
    await Worker(view, (view,), loaded, found, codec).run()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
