"""The management port of a service: /livez, /readyz, /metrics and /version, never on a public port."""

import json
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import structlog
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, generate_latest

from vaart import __version__
from vaart.errors import ConfigFault
from vaart.settings import Settings

BEAT_S_MAX = 60.0
"""A main loop that does not beat for this long hangs: whoever supervises should start it again."""
READ_TIMEOUT_S = 5.0
_JSON = "application/json"

log = structlog.get_logger()

Check = Callable[[], str | None]
"""None when all is well, else a few words on what is not. It must not wait and must not tell a secret."""


class Health:
    """What a service says of itself: alive while its main loop calls `beat`, ready while all checks pass."""

    def __init__(self, beat_s_max: float = BEAT_S_MAX, clock: Callable[[], float] = time.monotonic) -> None:
        self._checks: dict[str, Check] = {}
        self._excuses: list[Check] = []
        self._beat_s_max = beat_s_max
        self._clock = clock
        self._last_beat = clock()

    def check(self, name: str, check: Check, *, is_excuse: bool = False) -> None:
        """From now on the service is ready only while `check` passes too.

        With `is_excuse` a main loop that waits for this to pass is alive: a restart would mend nothing.
        """
        self._checks[name] = check
        if is_excuse:
            self._excuses.append(check)

    def beat(self) -> None:
        """The main loop still turns. Cheap: call it on every turn."""
        self._last_beat = self._clock()

    def is_alive(self) -> bool:
        """Whether the main loop has turned lately."""
        beats = self._clock() - self._last_beat <= self._beat_s_max
        return beats or any(check() is not None for check in self._excuses)

    def faults(self) -> dict[str, str]:
        """The checks that fail, each with its reason; empty when the service is ready."""
        found = {name: check() for name, check in self._checks.items()}
        return {name: reason for name, reason in found.items() if reason is not None}


class HealthServer:
    """Serves `health` from a thread of its own until `close`."""

    def __init__(self, settings: Settings, health: Health) -> None:
        """Raises ConfigFault when the address is taken."""
        host, port = settings.management.host, settings.management.port
        try:
            self._server = _Server((host, port), _Handler)
        except OSError as error:
            raise ConfigFault(
                f"the management port {host}:{port} cannot be opened ({error.strerror}): "
                "set VAART_MANAGEMENT__PORT to a free one, or to 0 for any."
            ) from error
        self._server.health = health
        self.address = "http://{}:{}".format(*self._server.server_address[:2])
        self._thread = threading.Thread(target=self._server.serve_forever, name="management", daemon=True)
        self._thread.start()
        log.info("management_listens", address=self.address)

    def close(self) -> None:
        """After this the port is free again."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    health: Health


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    timeout = READ_TIMEOUT_S
    server_version = "vaart"
    sys_version = ""

    def do_GET(self) -> None:
        routes: dict[str, Callable[[], tuple[int, str, bytes]]] = {
            "/livez": self._livez,
            "/readyz": self._readyz,
            "/metrics": lambda: (200, CONTENT_TYPE_LATEST, generate_latest(REGISTRY)),
            "/version": lambda: (200, _JSON, json.dumps({"version": __version__}).encode()),
        }
        route = routes.get(self.path.partition("?")[0])
        self._answer(*(route() if route else (404, _JSON, b'{"status":"not found"}')))

    def log_message(self, *_: object) -> None:
        """No access log: probes come every few seconds."""

    def _livez(self) -> tuple[int, str, bytes]:
        if self.server.health.is_alive():
            return 200, _JSON, b'{"status":"alive"}'
        return 503, _JSON, b'{"status":"hangs"}'

    def _readyz(self) -> tuple[int, str, bytes]:
        faults = self.server.health.faults()
        body = {"status": "not ready", "faults": faults} if faults else {"status": "ready"}
        return (503 if faults else 200), _JSON, json.dumps(body).encode()

    def _answer(self, status: int, kind: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
