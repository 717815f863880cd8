"""What a worker notices of its own membership: a disturbance passes, its end ends the worker."""

import asyncio
from collections.abc import Iterable
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka import errors

from streams.engine import watch
from streams.engine.watch import DISTURBANCES_MAX, METADATA_AGE_S_MAX, Watch
from tests.streams.engine import counting
from vaart.errors import ConfigFault, DependencyAway
from vaart.health import Health


class Membership:
    """A consumer whose membership raises what a test says, one a look."""

    def __init__(self, found: Iterable[Exception | None]) -> None:
        self._found = [*found, None, None]
        self.ended = asyncio.Event()
        self.silent_s = 0.0

    async def check(self) -> None:
        if not self._found:
            self.ended.set()
            return
        found = self._found.pop(0)
        if found is not None:
            raise found

    def assignment(self) -> set[Any]:
        return set()


async def ended_by(monkeypatch: pytest.MonkeyPatch, *found: Exception | None) -> list[BaseException]:
    """What ends a worker that finds `found`, look by look, and then looks twice more."""
    monkeypatch.setattr(watch, "EVERY_S", 0)
    failures: list[BaseException] = []
    consumer = Membership(found)
    lanes = SimpleNamespace(numbers=[], entries=0, standings=list)
    app: Any = SimpleNamespace(consumer=consumer, lanes=lanes)
    watched = Watch(app, counting.VIEW, "p.", Health(), failures.append)
    watched.is_started = True
    running = asyncio.create_task(watched.run())
    await consumer.ended.wait()
    running.cancel()
    return failures


async def test_a_disturbance_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    again = [errors.KafkaError("loading")] * (DISTURBANCES_MAX - 1)
    assert await ended_by(monkeypatch, *again, None, *again) == []


async def test_one_that_stays_has_ended_the_membership(monkeypatch: pytest.MonkeyPatch) -> None:
    (failure,) = await ended_by(monkeypatch, *[errors.KafkaError("gone")] * DISTURBANCES_MAX)
    assert isinstance(failure, DependencyAway)


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (errors.GroupAuthorizationFailedError("g"), r"grant Read"),
        (errors.InvalidSessionTimeoutError(), r"VAART_KAFKA__SESSION_TIMEOUT_S"),
    ],
)
async def test_what_an_operator_must_mend_ends_the_worker_at_once(
    monkeypatch: pytest.MonkeyPatch, found: Exception, words: str
) -> None:
    (failure,) = await ended_by(monkeypatch, found)
    with pytest.raises(ConfigFault, match=words):
        raise failure


def test_a_worker_whose_broker_is_silent_is_not_ready_and_yet_alive() -> None:
    consumer, health = Membership([]), Health()
    app: Any = SimpleNamespace(consumer=consumer)
    watched = Watch(app, counting.VIEW, "p.", health, lambda _: None)
    assert "broker" in health.faults()
    watched.is_started = True
    assert health.faults() == {}
    consumer.silent_s = METADATA_AGE_S_MAX + 1
    assert health.faults() == {"broker": "Kafka has not answered for 61 s"}
    assert health.is_alive()
