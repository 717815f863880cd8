"""The loop around a source: turn after turn until it is told to stop, longer back-offs with each failure in a row."""

import asyncio
import random
from collections.abc import Callable
from typing import Protocol

import structlog

from connectors.polling.ledger import Replaced
from connectors.polling.waiting import back_off_s
from schemas.registry import RegistryAway, SchemaUnknown
from vaart.errors import VaartError

log = structlog.get_logger()


class Turner(Protocol):
    """Takes records of one source in. `fault` says why it takes none at present, or not all."""

    name: str
    fault: str | None

    async def open(self) -> None:
        """After this the first turn may come; after any failure it is opened again."""

    async def turn(self) -> None:
        """After this what there was is taken in; it waits a little where there is nothing."""

    async def close(self) -> None:
        """After this nothing is connected."""


async def turns(turner: Turner, stopping: asyncio.Event, chance: Callable[[], float] = random.random) -> None:
    """Goes on until `stopping` is set, or another process has taken the source; a turn that began is ended."""
    failures, is_open = 0, False
    try:
        while not stopping.is_set():
            try:
                if not is_open:
                    await turner.open()
                    is_open = True
                await turner.turn()
                failures = 0
            except Replaced:
                turner.fault = f"{turner.name}: another process reads it now"
                log.warning("queue_replaced", source=turner.name)
                return
            except (VaartError, RegistryAway, SchemaUnknown) as error:
                is_open, failures = False, failures + 1
                turner.fault = f"{turner.name}: {error}"
                wait_s = back_off_s(failures, chance)
                log.warning("queue_failed", source=turner.name, error=str(error), wait_s=round(wait_s, 1))
                await _wait(stopping, wait_s)
    finally:
        await turner.close()


async def _wait(stopping: asyncio.Event, wait_s: float) -> None:
    try:
        async with asyncio.timeout(wait_s):
            await stopping.wait()
    except TimeoutError:
        return
