"""Services as child processes: started, watched, started again when they crash, ended together.

For a laptop, a small shop and the demo. Children die with this process, whatever ends it.
"""

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import structlog

from vaart.errors import ConfigFault, DependencyAway, UsageFault, VaartError

BACKOFF_S = 1.0
BACKOFF_S_MAX = 30.0
HEALTHY_AFTER_S = 60.0
RESTARTS_MAX = 5
STOP_S_MAX = 25.0
CHECK_EVERY_S = 0.2
PERMANENT = {2: UsageFault, 78: ConfigFault}
_PR_SET_PDEATHSIG = 1

log = structlog.get_logger()


class ServiceFailing(VaartError):
    """A service ends as often as it is started."""


@dataclass(slots=True)
class Service:
    """A `vaart` command that runs until it is ended, such as `("worker", "stock")`. Its log is `<logs>/<name>.log`.

    `environment` is added to what all services get. `exit_code` is that of its last death; below 0 it is the signal's.
    """

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None
    restarts: int = 0
    was_healthy: bool = False
    exit_code: int = 0
    started_at: float = 0.0
    start_again_at: float = 0.0
    peak_bytes: int = 0


class Supervisor:
    """Keeps `services` running, with `environment` on top of our own. Without `logs` they write to our stdout."""

    def __init__(
        self, services: Sequence[Service], logs: Path | None, environment: Mapping[str, str]
    ) -> None:
        self.services = services
        self._logs = logs
        self._environment = {**os.environ, **environment}

    def serve(self, tell: Callable[[Service], None]) -> None:
        """Runs the services until SIGTERM or Ctrl-C; `tell` hears of each that died. After this none runs.

        A second signal ends this process at once, and the services with it.
        Raises what `check` raises, and ServiceFailing where one had to be killed in the end.
        """
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        killed: list[Service] = []
        try:
            self.start()
            while True:
                for service in self.check():
                    tell(service)
                time.sleep(CHECK_EVERY_S)
        except KeyboardInterrupt:
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, signal.SIG_DFL)
            log.info("services_drain", services=[service.name for service in self.services])
            killed = self.stop()
        finally:
            self.stop()
        if killed:
            names = ", ".join(service.name for service in killed)
            raise ServiceFailing(f"killed, since it did not stop within {STOP_S_MAX:.0f} s: {names}")

    def start(self) -> None:
        """After this every service has a process."""
        if self._logs is not None:
            self._logs.mkdir(parents=True, exist_ok=True)
        for service in self.services:
            self._spawn(service)

    def check(self) -> list[Service]:
        """Starts crashed services again, each after a pause that doubles. Returns those found dead in this call.

        Raises the error of a service whose settings or words are wrong, or that ended RESTARTS_MAX times before it was
        healthy: starting it again cannot mend that. One that was healthy and misses a server tries for ever.
        """
        found_dead = []
        for service in self.services:
            if service.process is None:
                if time.monotonic() >= service.start_again_at:
                    self._spawn(service)
                continue
            service.peak_bytes = max(service.peak_bytes, _peak_bytes(service.process.pid))
            code = service.process.poll()
            if code is not None:
                self._note_death(service, code)
                found_dead.append(service)
        return found_dead

    def stop(self) -> list[Service]:
        """After this no service runs: each was asked by SIGTERM, and killed after STOP_S_MAX. Returns those killed."""
        killed = []
        running = [service for service in self.services if service.process is not None]
        for service in running:
            assert service.process is not None
            service.peak_bytes = max(service.peak_bytes, _peak_bytes(service.process.pid))
            service.process.terminate()
        deadline = time.monotonic() + STOP_S_MAX
        for service in running:
            assert service.process is not None
            try:
                service.process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                killed.append(service)
                service.process.kill()
                service.process.wait()
            service.process = None
        return killed

    def _spawn(self, service: Service) -> None:
        output = None if self._logs is None else open(self._log_of(self._logs, service), "ab")  # noqa: SIM115
        parent = os.getpid()
        service.process = subprocess.Popen(
            [sys.executable, "-m", "vaart.cli", *service.command],
            stdout=output,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            env={**self._environment, **service.environment},
            process_group=0,  # Ctrl-C comes to us alone, so that each service is told once
            preexec_fn=lambda: _die_with(parent),
        )
        if output is not None:
            output.close()
        service.started_at = time.monotonic()

    def _note_death(self, service: Service, code: int) -> None:
        service.exit_code = code
        permanent: type[VaartError] | None = PERMANENT.get(code)
        if permanent is not None:
            raise permanent(f"{service.name} cannot start{self._tail(service)}")
        if time.monotonic() - service.started_at > HEALTHY_AFTER_S:
            service.restarts, service.was_healthy = 0, True
        is_waiting = service.was_healthy and code == DependencyAway.exit_code
        if service.restarts >= RESTARTS_MAX and not is_waiting:
            raise ServiceFailing(
                f"{service.name} ends again and again, last with {code}{self._tail(service)}"
            )
        service.start_again_at = time.monotonic() + min(BACKOFF_S * 2**service.restarts, BACKOFF_S_MAX)
        service.restarts += 1
        service.process = None

    def _tail(self, service: Service) -> str:
        if self._logs is None:
            return "; what it said stands above"
        lines = self._log_of(self._logs, service).read_text(errors="replace").splitlines()
        return ":\n" + "\n".join(lines[-10:])

    def _log_of(self, logs: Path, service: Service) -> Path:
        return logs / f"{service.name}.log"


def _die_with(parent: int) -> None:
    """The kernel ends this process when its parent dies, even by SIGKILL."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:
        os._exit(1)


def _peak_bytes(pid: int) -> int:
    """The most memory that the process has had resident; 0 once it is gone, or where the system does not say."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmHWM")), 0)
