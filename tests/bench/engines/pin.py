"""Write `artifacts.lock` anew, after a version was changed: `python -m tests.bench.engines.pin`."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.bench.engines.jars import LOCK, RUN, TOOLS
from vaart.local import downloads
from vaart.local.downloads import Artifact

WANTED = {
    RUN: (
        "org.apache.kafka:kafka-streams:4.3.1",
        "org.apache.avro:avro:1.12.2",
        "org.slf4j:slf4j-simple:1.7.36",
    ),
    TOOLS: ("org.eclipse.jdt:ecj:3.46.100", "org.apache.avro:avro-compiler:1.12.2"),
}
"""Where two of a line need the same library, the first decides: the Kafka client keeps what it was tested with."""
HEADER = (
    "# server  group:name:version:classifier:packaging  bytes  sha256; "
    "written by python -m tests.bench.engines.pin\n"
)


def main() -> None:
    """The lock file names every jar that the versions above need, with its size and sum."""
    with tempfile.TemporaryDirectory() as staging:
        lines = [_line(artifact, Path(staging)) for artifact in _needed(Path(staging))]
    LOCK.write_text(HEADER + "".join(lines))


def _needed(staging: Path) -> Iterator[Artifact]:
    import jgo

    known: set[tuple[str, str]] = set()
    for purpose, coordinates in WANTED.items():
        for coordinate in coordinates:
            # Each alone: jgo picks other versions when several stand in one call.
            environment = jgo.build(coordinate, cache_dir=staging / "environments")
            assert environment.lockfile is not None
            for found in environment.lockfile.dependencies:
                if (found.groupId, found.artifactId) not in known:
                    known.add((found.groupId, found.artifactId))
                    yield Artifact(purpose, found.groupId, found.artifactId, found.version, "", "jar", 0, "")


def _line(wanted: Artifact, staging: Path) -> str:
    file = downloads.download(wanted, staging / "files", lambda _: None)
    coordinate = ":".join((wanted.group, wanted.name, wanted.version, wanted.classifier, wanted.packaging))
    return f"{wanted.server} {coordinate} {file.stat().st_size} {downloads.sha256(file)}\n"


if __name__ == "__main__":
    main()
