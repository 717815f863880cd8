"""Crash points for tests: `VAART_FAILPOINT=after_commit:3` kills the process at the third pass of that point."""

import os
import signal
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

VARIABLE = "VAART_FAILPOINT"
_point, _, _pass = os.environ.get(VARIABLE, "").partition(":")
_passes: Counter[str] = Counter()
_hook: Callable[[str], None] | None = None


def failpoint(name: str) -> None:
    """Does nothing, unless the environment names this point: then the process dies here, as by kill -9."""
    if _hook is not None:
        _hook(name)
    if name != _point:
        return
    _passes[name] += 1
    if _passes[name] == int(_pass or 1):
        os.kill(os.getpid(), signal.SIGKILL)


@contextmanager
def hooked(hook: Callable[[str], None]) -> Iterator[None]:
    """Inside, `hook` is called at every crash point of this process; what it raises stands for the crash."""
    global _hook
    before, _hook = _hook, hook
    try:
        yield
    finally:
        _hook = before
