"""A look at a running worker, once a second: its main loop beats, it is a member of its group, how far it is behind."""

import asyncio
from collections.abc import Callable
from typing import cast

import structlog
from aiokafka import errors
from faust.types import TP

from streams.engine.app import LaneApp
from streams.engine.lag import Lag, Standing
from streams.engine.transport.consumer import Consumer
from streams.view import View
from vaart import metrics
from vaart.errors import ConfigFault, DependencyAway
from vaart.health import Health

EVERY_S = 1.0
METADATA_AGE_S_MAX = 60.0
DISTURBANCES_MAX = 5
"""aiokafka goes on after a disturbance that was noticed; one that is there again each time has ended the membership."""

log = structlog.get_logger()


class Watch:
    """Watches `app` and its lanes, beats for `health`. What ends the worker goes to `fail`."""

    def __init__(
        self, app: LaneApp, view: View, prefix: str, health: Health, fail: Callable[[BaseException], None]
    ) -> None:
        self._app = app
        self._view = view
        self._prefix = prefix
        self._group = prefix + view.group
        self._health = health
        self._fail = fail
        self._lag = Lag(view.group)
        self._disturbances = 0
        self.is_started = False
        """Set once the app has started: from then on its consumer is asked, too."""
        health.check("broker", self._broker_fault)

    async def run(self) -> None:
        """Goes on until it is cancelled."""
        await asyncio.gather(self._beat(), self._look_on())

    async def _beat(self) -> None:
        """Apart from the looks, which wait for a broker: a broker that is away is no reason to restart a worker."""
        while True:
            self._health.beat()
            await asyncio.sleep(EVERY_S)

    async def _look_on(self) -> None:
        while True:
            await asyncio.sleep(EVERY_S)
            if self.is_started:
                await self._look_at_membership()
                await self._look_at_lanes()

    async def _look_at_membership(self) -> None:
        """Faust never asks, and would wait for ever in silence."""
        try:
            await self._consumer.check()
        except errors.GroupAuthorizationFailedError:
            self._fail(ConfigFault(f"Kafka forbids joining the group {self._group}: grant Read on it"))
        except errors.InvalidSessionTimeoutError:
            self._fail(
                ConfigFault(
                    "Kafka does not take VAART_KAFKA__SESSION_TIMEOUT_S: it must lie between the brokers' "
                    "group.min.session.timeout.ms and group.max.session.timeout.ms"
                )
            )
        except errors.KafkaError as error:
            self._disturbances += 1
            log.warning("membership_disturbed", reason=type(error).__name__, times=self._disturbances)
            if self._disturbances == DISTURBANCES_MAX:
                self._fail(DependencyAway(f"Kafka has ended our membership of {self._group}: {error}"))
        else:
            self._disturbances = 0

    async def _look_at_lanes(self) -> None:
        lanes = self._app.lanes
        metrics.LANES_OPEN.labels(self._view.group).set(len(lanes.numbers))
        metrics.TABLE_ENTRIES.labels(self._view.group).set(lanes.entries)
        standings = lanes.standings()
        try:
            self._lag.tell(standings, await self._ends(standings))
        except errors.KafkaError as error:
            log.warning("lag_unknown", reason=type(error).__name__)

    async def _ends(self, standings: list[Standing]) -> dict[tuple[str, int], int]:
        """As the last fetch told. What is not fetched now, because it waits for its lane, is asked for."""
        consumer, lanes = self._consumer, self._app.lanes
        held = consumer.assignment()
        places = {TP(self._prefix + each.topic, each.partition): each for each in standings}
        known = {tp: consumer.highwater(tp) for tp in places if tp in held}
        resting = [tp for tp in known if lanes.is_resting(tp.topic, tp.partition)]
        if resting:
            known.update(await consumer.highwaters(*resting))
        return {(places[tp].topic, places[tp].partition): end for tp, end in known.items() if end is not None}

    def _broker_fault(self) -> str | None:
        if not self.is_started:
            return "the worker has not reached its group yet"
        age = self._consumer.silent_s
        return f"Kafka has not answered for {age:.0f} s" if age > METADATA_AGE_S_MAX else None

    @property
    def _consumer(self) -> Consumer:
        return cast(Consumer, self._app.consumer)
