"""What the lanes of one worker share, and the one way in which a lane fails."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from streams.engine.position import Writers
from streams.engine.work import Encoders
from streams.view import View
from vaart.clock import Clock


class LaneLost(Exception):
    """A transaction failed or another owner took over: the lane must be opened again, or dropped."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the lanes of one worker share. Topic names in `decoders` and `writers` carry no prefix.

    `writers`: per source, who writes ClockAdvanced into it. `is_replay`: only ClockAdvanced moves the clock of silent
    keys, and a view that is_time_ordered holds events back until then. `turn`: one lane computes at a time, while
    others wait for the broker; threads that take the interpreter from each other at every call cost twice the time.
    """

    view: View
    prefix: str
    partitions: int
    decoders: Mapping[str, Callable[[bytes], Any]]
    encoders: Encoders
    writers: Writers
    clock: Clock
    is_replay: bool
    producer_config: Mapping[str, Any]
    consumer_config: Mapping[str, Any]
    admin_config: Mapping[str, Any]
    turn: threading.Lock = field(default_factory=threading.Lock)
