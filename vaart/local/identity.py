"""Who Postgres runs as: it refuses to run as root, so that root hands it to a user with fewer rights."""

import os
import pwd
import subprocess
from dataclasses import dataclass
from pathlib import Path

from vaart.errors import DependencyAway

CANDIDATES = ("postgres", "nobody")


@dataclass(frozen=True, slots=True)
class Identity:
    """A user of this machine."""

    user: int
    group: int


def lesser() -> Identity | None:
    """The user to run Postgres as; None: as we are, since we are not root."""
    if os.geteuid() != 0:
        return None
    for name in CANDIDATES:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Identity(entry.pw_uid, entry.pw_gid)
    raise DependencyAway(
        f"Postgres does not run as root, and there is no user {' or '.join(CANDIDATES)} to run it as. "
        "Start as another user, or set VAART_POSTGRES__DSN."
    )


def reaches(identity: Identity | None, folder: Path) -> bool:
    """Whether that user may enter the folder, whatever stands above it."""
    if identity is None:
        return True
    test = ["test", "-x", str(folder)]
    done = subprocess.run(
        test, cwd="/", user=identity.user, group=identity.group, extra_groups=[], check=False, timeout=10
    )
    return done.returncode == 0
