"""Stands between a service and a server of ours: what goes through it can be cut off, or hang, and go on again."""

import contextlib
import select
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

CHUNK_BYTES = 65_536
TURN_S = 0.05


class Relay:
    """Passes on what comes to `port` while it `passes`; hangs while it does not. `cut` hangs up, and refuses."""

    def __init__(self, url: str) -> None:
        at = urlsplit(url)
        self._target = (at.hostname or "", at.port or 80)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self.url = at._replace(netloc=f"127.0.0.1:{self.port}").geturl()
        self._open: list[socket.socket] = []
        self._passes = threading.Event()
        self.pass_on()
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def pass_on(self) -> None:
        """After this it lets through what comes, and what waited."""
        self._passes.set()

    def hang(self) -> None:
        """After this connections are taken, and nothing comes back."""
        self._passes.clear()

    def cut(self) -> None:
        """After this connections are refused, and those that were open are gone."""
        for each in (self._listener, *self._open):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def mend(self) -> None:
        """After this connections are taken again, at the same port."""
        self._listener = socket.create_server(("127.0.0.1", self.port))
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def _accept(self, listener: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = listener.accept()
                far = socket.create_connection(self._target)
                self._open += [near, far]
                threading.Thread(target=self._carry, args=(near, far), daemon=True).start()

    def _carry(self, near: socket.socket, far: socket.socket) -> None:
        with contextlib.suppress(OSError, ValueError), near, far:
            while True:
                ready, _, _ = select.select([near, far], [], [], TURN_S)
                self._passes.wait()
                for one in ready:
                    chunk = one.recv(CHUNK_BYTES)
                    if not chunk:
                        return
                    (far if one is near else near).sendall(chunk)


@contextmanager
def relayed(url: str) -> Iterator[Relay]:
    """A relay before the server at `url`."""
    relay = Relay(url)
    try:
        yield relay
    finally:
        relay.pass_on()
        relay.cut()
