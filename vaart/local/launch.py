"""One local server, ready to be started: its command, where it will answer, how to ask whether it does."""

import secrets
import socket
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from vaart.errors import DependencyAway
from vaart.local.identity import Identity

# Below the range of outgoing connections, so that a free port stays free until it is bound.
PORTS = range(20_000, 32_000)
PORT_TRIES = 200
HOST = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Launch:
    """`identity` None: run as we are. The process is known again by its module's `mark`."""

    name: str
    command: list[str]
    address: str
    is_ready: Callable[[], bool]
    folder: Path
    identity: Identity | None = None


def port(server: str, wanted: int) -> int:
    """`wanted`, or a free one when that is 0. Raises DependencyAway when it is taken."""
    if wanted:
        if not _is_free(wanted):
            raise DependencyAway(
                f"{server}: port {wanted} of {HOST} is taken. Stop what listens there, or give another with "
                f"--{server}-port (0 takes a free one)."
            )
        return wanted
    for _ in range(PORT_TRIES):
        candidate = PORTS[secrets.randbelow(len(PORTS))]
        if _is_free(candidate):
            return candidate
    raise DependencyAway(
        f"{server}: no free port of {HOST} was found between {PORTS.start} and {PORTS.stop}."
    )


def _is_free(candidate: int) -> bool:
    with socket.socket() as probe:
        # As the servers themselves do; else a port that was closed a moment ago counts as taken.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, candidate))
        except OSError:
            return False
    return True
