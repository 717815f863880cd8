"""What waits for a lane, and a lane's task that waits for it."""

import asyncio

from streams.engine.intake import Intake

LONG_S = 60


class Broker:
    """A flow that nothing comes from."""

    def pause(self, topic: str, partition: int) -> None:
        """See streams.engine.intake.Flow."""

    def resume(self, topic: str, partition: int) -> None:
        """See streams.engine.intake.Flow."""

    def rewind(self) -> None:
        """See streams.engine.intake.Flow."""

    def end(self, topic: str, partition: int) -> int | None:
        """See streams.engine.intake.Flow."""


async def test_a_lane_that_is_cancelled_while_something_arrives_ends() -> None:
    intake = Intake(0, ["source"], "", Broker())

    async def turns() -> None:
        while True:
            await intake.wait(LONG_S)

    task = asyncio.create_task(turns())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    intake.arrived.set()
    await asyncio.sleep(0)
    task.cancel()
    ended, _ = await asyncio.wait([task], timeout=5)
    assert ended
