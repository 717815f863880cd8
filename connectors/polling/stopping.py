"""A service's main loop while others do its work: it beats until it is told to stop."""

import asyncio
import signal

from vaart.health import Health

BEAT_S = 1.0


async def until_stopped(health: Health) -> None:
    """Returns on SIGTERM or SIGINT."""
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    while not stopping.is_set():
        health.beat()
        try:
            async with asyncio.timeout(BEAT_S):
                await stopping.wait()
        except TimeoutError:
            continue
