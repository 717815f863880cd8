"""What goes wrong in a storm, drawn from its seed: crashes, refused transactions, a registry that is away."""

import random
from collections.abc import Callable
from typing import Any

from schemas.registry import RegistryAway
from schemas.topic import Topic
from streams.engine.log import LaneLost
from streams.engine.testing.coding import Plain
from streams.engine.testing.tracing import TRACE

CRASH = 0.08
CRASH_WITHIN = 8
"""A process that is to die does so at one of this many crash points."""
FAULT = 0.01
AWAY = 0.01
MEANWHILE = 0.02
"""How often another worker acts while one stands at a crash point."""


class Crashed(BaseException):
    """The process of a simulated worker is gone."""


class Weather:
    """`chance` is all the chance that there is; `note` is told of what went wrong. In calm weather nothing does."""

    def __init__(self, seed: int, note: Callable[[str], None]) -> None:
        self.chance = random.Random(seed)  # noqa: S311
        self.is_stormy = True
        self._note = note
        self._crash_in = 0

    def begin(self) -> None:
        """From now on a process acts, which may be about to die."""
        self._crash_in = self.chance.randint(1, CRASH_WITHIN) if self._strikes(CRASH) else 0

    def point(self, name: str, meanwhile: Callable[[], None]) -> None:
        """A crash point is reached: the process dies there, or another one acts, or nothing is the matter."""
        self._crash_in -= 1
        if self._crash_in == 0:
            self._note(f"crashed {name}")
            raise Crashed
        if self._strikes(MEANWHILE):
            crash_in = self._crash_in
            meanwhile()
            self._crash_in = crash_in

    def fault(self, step: str) -> None:
        """See streams.engine.testing.MemoryLog."""
        if self._strikes(FAULT):
            self._note(f"fault at {step}")
            raise LaneLost(step)

    def registry(self) -> None:
        """Raises RegistryAway now and then."""
        if self._strikes(AWAY):
            raise RegistryAway("no answer")

    def _strikes(self, likelihood: float) -> bool:
        return self.is_stormy and self.chance.random() < likelihood


class Wavering:
    """A codec whose registry is away now and then."""

    def __init__(self, coding: Plain, registry: Callable[[], None]) -> None:
        self._coding = coding
        self._registry = registry

    def decoder(self, topic: Topic) -> Callable[[bytes], Any]:
        """See streams.engine.testing.driver.Coding."""
        return self._asking(topic, self._coding.decoder(topic))

    def encoder(self, topic: Topic, struct: type) -> Callable[[Any], bytes]:
        """See streams.engine.testing.driver.Coding."""
        return self._asking(topic, self._coding.encoder(topic, struct))

    def _asking(self, topic: Topic, code: Callable[[Any], Any]) -> Callable[[Any], Any]:
        def asking(given: Any) -> Any:
            if topic is not TRACE:
                self._registry()
            return code(given)

        return asking
