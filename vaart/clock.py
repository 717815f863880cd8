"""The clock that services are handed, so that a test can move it by hand. Folds have none."""

import time
from collections.abc import Callable

Clock = Callable[[], int]
"""Now, in microseconds since 1970 UTC."""


def wall() -> int:
    """Now by this machine's clock."""
    return time.time_ns() // 1000
