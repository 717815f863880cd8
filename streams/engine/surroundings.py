"""What the lanes of one worker share."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from streams.engine.log import Log
from streams.engine.position import Writers
from streams.engine.work import Encoders
from streams.view import View
from vaart.clock import Clock


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the lanes of one worker share. Topic names in `decoders` and `writers` carry no prefix.

    `decoders`: of the view's sources, of the dead letters and of the settled ones.

    `writers`: per source, who writes ClockAdvanced into it. `is_replay`: only ClockAdvanced moves the clock of silent
    keys, and a view that is_time_ordered holds events back until then. `turn`: one lane computes at a time, while
    others wait for the broker; threads that take the interpreter from each other at every call cost twice the time.
    `large_restore`: one at a time, for the same reason, and since each holds a piece of its changelog in memory.
    `follows`: a lane that has no state yet is muted and follows this older version of the view; 0 for none.
    """

    view: View
    log: Log
    prefix: str
    partitions: int
    decoders: Mapping[str, Callable[[bytes], Any]]
    encoders: Encoders
    writers: Writers
    clock: Clock
    is_replay: bool
    follows: int = 0
    turn: threading.Lock = field(default_factory=threading.Lock)
    large_restore: threading.Lock = field(default_factory=threading.Lock)
