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


def test_only_what_joins_on_to_what_came_before_is_taken() -> None:
    intake = Intake(0, ["source"], "", Broker())
    assert intake.joins("source", 7, next_offset=7)
    assert intake.joins("source", 5, next_offset=7)
    assert not intake.joins("source", 8, next_offset=7)
    assert not intake.joins("source", -1, next_offset=7)
    intake.add("source", [], 9)
    assert intake.joins("source", 9, next_offset=7)
    assert not intake.joins("source", 10, next_offset=7)
    assert not intake.joins("source", 8, next_offset=7)
