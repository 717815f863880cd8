"""Who may start and stop the servers of a state folder, and what happens when that one goes away."""

import contextlib
import errno
import fcntl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from vaart.errors import DependencyAway, StorageFault
from vaart.local import guard, running

LOCK_SECONDS = 20
GUARD_SECONDS = 60
POLL_SECONDS = 0.1
DISK_FAULTS = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM, errno.EIO}


@contextlib.contextmanager
def locked(state_dir: Path) -> Iterator[int]:
    """Nobody else starts or stops its servers inside. Raises DependencyAway when others hold it for long."""
    with disk(state_dir):
        state_dir.mkdir(parents=True, exist_ok=True)
        lock = (state_dir / "lock").open("w")
    deadline = time.monotonic() + LOCK_SECONDS
    with lock:
        while not _is_taken(lock.fileno()):
            if time.monotonic() > deadline:
                raise DependencyAway(
                    f"another command is starting, using or stopping the servers of {state_dir}."
                )
            time.sleep(POLL_SECONDS)
        yield lock.fileno()


@contextlib.contextmanager
def guarded(state_dir: Path, lock: int) -> Iterator[Callable[[], None]]:
    """No server runs after, also when this process dies, unless the function it gives was called."""
    command = [sys.executable, "-m", guard.__name__, str(state_dir)]
    # Out of reach of Ctrl-C. It inherits the lock, so that nobody gets it before the guard is done.
    child = subprocess.Popen(command, stdin=subprocess.PIPE, pass_fds=(lock,), start_new_session=True)
    pipe = child.stdin
    assert pipe is not None

    def keep() -> None:
        pipe.write(guard.KEEP)
        pipe.flush()

    try:
        yield keep
    finally:
        pipe.close()
        if child.wait(GUARD_SECONDS) != 0:
            running.stop(state_dir)


@contextlib.contextmanager
def disk(state_dir: Path) -> Iterator[None]:
    """A disk that is full or cannot be written raises StorageFault inside."""
    try:
        yield
    except OSError as error:
        if error.errno not in DISK_FAULTS:
            raise
        raise StorageFault(
            f"{error.filename or state_dir} cannot be written: {error.strerror}. Free some space or mend its "
            "rights, or name another folder with VAART_STATE_DIR (downloads are kept in XDG_CACHE_HOME)."
        ) from error


def _is_taken(lock: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
