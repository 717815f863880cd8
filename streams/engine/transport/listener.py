"""What aiokafka tells of rebalances; a member whose name another process has taken does not join again."""

import asyncio
from collections.abc import Iterable
from typing import Any

from faust.transport.drivers import aiokafka as driver


class RebalanceListener(driver.ConsumerRebalanceListener):
    """Faust's listener. The app has `is_replaced(member_id)`: whether another process holds our name in the group.

    aiokafka sends no name with its heartbeats, so the broker answers a replaced member only that it does not know it;
    that member would join again and replace the other in its turn, without end.
    """

    _thread: Any
    _member_id = ""

    async def on_partitions_revoked(self, revoked: Iterable[Any]) -> None:
        """Before each join. Ends the coordination instead where the name is taken; the app ends itself then."""
        self._thread.is_joining = True
        self._thread.forget_positions()
        async with self._membership._commit_lock:  # a commit that is on its way has been answered
            pass
        is_forgotten = not self._membership.member_id
        if self._member_id and is_forgotten and await self._thread.app.is_replaced(self._member_id):
            self._thread.is_replaced = True
            raise asyncio.CancelledError
        await super().on_partitions_revoked(revoked)

    async def on_partitions_assigned(self, assigned: Iterable[Any]) -> None:
        """After each join."""
        self._thread.is_joining = False
        self._thread.forget_positions()
        self._member_id = self._membership.member_id
        await super().on_partitions_assigned(assigned)

    @property
    def _membership(self) -> Any:
        return self._thread._ensure_consumer()._coordinator
