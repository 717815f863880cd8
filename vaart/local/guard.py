"""The guard: a small process that stops the local servers when their owner goes away, however that is.

Run as `python -m vaart.local.guard STATE_DIR`, its standard input a pipe from the owner, who writes KEEP to
leave them running. It holds the state folder's lock, which it inherits, for as long as it lives.
"""

import os
import select
import sys
from pathlib import Path

KEEP = b"keep"
POLL_SECONDS = 0.5


def main() -> None:
    """The servers of the state folder run on if the owner said so, else they are stopped."""
    owner = os.getppid()
    if _last_word(owner) != KEEP:
        from vaart.local.running import stop

        stop(Path(sys.argv[1]))


def _last_word(owner: int) -> bytes:
    # A child of the owner may hold the pipe open after the owner's death, hence the look at our own parent.
    while os.getppid() == owner:
        if select.select([0], [], [], POLL_SECONDS)[0]:
            return os.read(0, len(KEEP))
    return b""


if __name__ == "__main__":
    main()
