"""Crash points for tests: `VAART_FAILPOINT=after_commit:3` kills the process at the third pass of that point."""

import os
import signal
from collections import Counter

VARIABLE = "VAART_FAILPOINT"
_point, _, _pass = os.environ.get(VARIABLE, "").partition(":")
_passes: Counter[str] = Counter()


def failpoint(name: str) -> None:
    """Does nothing, unless the environment names this point: then the process dies here, as by kill -9."""
    if name != _point:
        return
    _passes[name] += 1
    if _passes[name] == int(_pass or 1):
        os.kill(os.getpid(), signal.SIGKILL)
