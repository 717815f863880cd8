"""How much one source, and one address of strangers, may send: buckets that fill again at a steady rate."""

import math
from collections import OrderedDict
from collections.abc import Callable

BUCKETS_MAX = 50_000
"""Of addresses that are remembered; the one that was idle longest is forgotten first, and is full then anyway."""


class Limits:
    """`seconds` is a clock that never goes back."""

    def __init__(self, seconds: Callable[[], float], buckets_max: int = BUCKETS_MAX) -> None:
        self._seconds = seconds
        self._buckets_max = buckets_max
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, name: str, per_second: float, burst: int, count: int = 1) -> int:
        """0 where `name` may send `count` more now; else after how many whole seconds it may try again."""
        now = self._seconds()
        left, since = self._buckets.get(name, (float(burst), now))
        left = min(float(burst), left + (now - since) * per_second)
        is_there = left >= min(count, burst)
        self._buckets[name] = (left - count if is_there else left, now)
        self._buckets.move_to_end(name)
        if len(self._buckets) > self._buckets_max:
            self._buckets.popitem(last=False)
        return 0 if is_there else max(1, math.ceil((min(count, burst) - left) / per_second))
