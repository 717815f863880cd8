"""What the local servers are made of: files of a Maven repository, pinned by sha256, kept in a cache."""

import hashlib
import os
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from vaart.errors import DependencyAway

PARALLEL = 6
TIMEOUT_S = 30
CHUNK = 1 << 20

OR_YOURS = (
    "Or set VAART_KAFKA__BOOTSTRAP_SERVERS, VAART_REGISTRY__URL and VAART_POSTGRES__DSN to servers of yours."
)

Advance = Callable[[int], None]
"""Told how many bytes have arrived since it was last called; called from several threads."""


@dataclass(frozen=True, slots=True)
class Artifact:
    """One file, as a line of `deploy/local/artifacts.lock` names it."""

    server: str
    group: str
    name: str
    version: str
    classifier: str
    packaging: str
    size: int
    sha256: str

    @property
    def file_name(self) -> str:
        """Its name in the cache."""
        classifier = f"-{self.classifier}" if self.classifier else ""
        return f"{self.name}-{self.version}{classifier}.{self.packaging}"


def pinned(*servers: str) -> list[Artifact]:
    """The files that these servers are made of, in the order of the lock file."""
    lines = (files("deploy") / "local" / "artifacts.lock").read_text().splitlines()
    found = [_artifact(line) for line in lines if line and not line.startswith("#")]
    return [artifact for artifact in found if artifact.server in servers]


def cache() -> Path:
    """The folder that downloads are kept in: `vaart` in XDG_CACHE_HOME, which is `~/.cache` when unset."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "vaart"


def path(artifact: Artifact) -> Path:
    """Where the file is once fetched."""
    return cache() / "artifacts" / artifact.file_name


def missing(*servers: str) -> list[Artifact]:
    """Those of these servers' files that are not in the cache, or there with another size."""
    return [artifact for artifact in pinned(*servers) if not _is_there(artifact)]


def fetch(artifacts: list[Artifact], advance: Advance = lambda _: None) -> None:
    """Every file is in the cache, its sum checked. Raises DependencyAway, naming the file."""
    if not artifacts:
        return
    folder = cache() / "artifacts"
    folder.mkdir(parents=True, exist_ok=True)
    # A file enters the cache whole or not at all: it is moved there once its sum is right.
    with (
        tempfile.TemporaryDirectory(prefix="fetching-", dir=cache()) as staging,
        ThreadPoolExecutor(PARALLEL) as pool,
    ):
        fetched = [pool.submit(_fetch, artifact, Path(staging), advance) for artifact in artifacts]
        try:
            for one in fetched:
                one.result()
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def unpacked(artifact: Artifact) -> Path:
    """The folder that the archive was unpacked to; unpacked now if it was not."""
    folder = cache() / f"{artifact.name}-{artifact.version}-{artifact.sha256[:12]}"
    if folder.exists():
        return folder
    with tempfile.TemporaryDirectory(prefix="unpacking-", dir=cache()) as staging:
        whole = Path(staging) / "whole"
        with tarfile.open(path(artifact)) as archive:
            # Python before 3.11.4 knows no filters. The archive is the one whose sum we pinned.
            archive.extraction_filter = getattr(tarfile, "data_filter", None)
            archive.extractall(whole)  # noqa: S202
        # Another start may have unpacked the same archive at the same moment.
        if not folder.exists():
            whole.rename(folder)
    return folder


def sha256(file: Path) -> str:
    """The file's sum, in hexadecimal."""
    digest = hashlib.sha256()
    with file.open("rb") as content:
        while chunk := content.read(CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def _artifact(line: str) -> Artifact:
    server, coordinate, size, digest = line.split()
    group, name, version, classifier, packaging = coordinate.split(":")
    return Artifact(server, group, name, version, classifier, packaging, int(size), digest)


def _is_there(artifact: Artifact) -> bool:
    try:
        return path(artifact).stat().st_size == artifact.size
    except FileNotFoundError:
        return False


def _fetch(artifact: Artifact, staging: Path, advance: Advance) -> None:
    try:
        file = download(artifact, staging, advance)
    except (RuntimeError, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        raise DependencyAway(_away(artifact, error)) from error
    if (found := sha256(file)) != artifact.sha256:
        raise DependencyAway(
            f"{artifact.file_name} arrived with sha256 {found}, expected {artifact.sha256}: "
            "it was damaged on the way, or the repository serves another file. Nothing was kept; try again."
        )
    file.replace(path(artifact))


def download(artifact: Artifact, staging: Path, advance: Advance) -> Path:
    """The file, fetched into a folder of `staging`, its sum not checked. Raises RuntimeError or OSError."""
    from jgo.config import GlobalSettings
    from jgo.constants import MAVEN_CENTRAL_URL
    from jgo.maven import MavenContext, PythonResolver

    @contextmanager
    def progress(_name: str, _size: int) -> Iterator[Advance]:
        yield advance

    context = MavenContext(
        resolver=PythonResolver(progress_callback=progress),
        repo_cache=staging,
        local_repos=[],
        remote_repos={"central": MAVEN_CENTRAL_URL} | GlobalSettings.load().repositories,
        timeout=TIMEOUT_S,
    )
    component = context.project(artifact.group, artifact.name).at_version(artifact.version)
    found: Path = component.artifact(artifact.classifier, artifact.packaging).resolve()
    return found


def _away(artifact: Artifact, error: Exception) -> str:
    return (
        f"cannot download {artifact.file_name} ({error.__class__.__name__}: {str(error)[:300]}).\n"
        "Check the network and try again: what has arrived is kept. A mirror can be named as "
        f"`central` in the [repositories] section of ~/.config/jgo.conf.\n{OR_YOURS}"
    )
