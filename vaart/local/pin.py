"""Write `deploy/local/artifacts.lock` anew, after a version was changed: `python -m vaart.local.pin`."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

from vaart.local import downloads
from vaart.local.downloads import Artifact

KAFKA = "org.apache.kafka:kafka_2.13:4.4.0"
REGISTRY = ("io.apicurio", "apicurio-registry-app", "3.3.3", "all", "tar.gz")
LOCK = Path(__file__).parents[2] / "deploy" / "local" / "artifacts.lock"
HEADER = (
    "# server  group:name:version:classifier:packaging  bytes  sha256; written by python -m vaart.local.pin\n"
)


def main() -> None:
    """The lock file names every file that the versions above need, with its size and sum."""
    with tempfile.TemporaryDirectory() as staging:
        lines = [
            _line(*wanted, Path(staging)) for wanted in [*_kafka(Path(staging)), ("registry", *REGISTRY)]
        ]
    LOCK.write_text(HEADER + "".join(sorted(lines)))


def _kafka(staging: Path) -> Iterator[tuple[str, str, str, str, str, str]]:
    import jgo

    # Resolved alone: jgo 3.2 picks another kafka-clients when a logging binding stands in the same call.
    environment = jgo.build(KAFKA, cache_dir=staging / "environments")
    assert environment.lockfile is not None
    for dependency in environment.lockfile.dependencies:
        yield ("kafka", dependency.groupId, dependency.artifactId, dependency.version, "", "jar")
        if dependency.artifactId == "log4j-core":
            yield ("kafka", dependency.groupId, "log4j-slf4j-impl", dependency.version, "", "jar")


def _line(
    server: str, group: str, name: str, version: str, classifier: str, packaging: str, staging: Path
) -> str:
    wanted = Artifact(server, group, name, version, classifier, packaging, 0, "")
    file = downloads.download(wanted, staging / "files", lambda _: None)
    coordinate = ":".join((group, name, version, classifier, packaging))
    return f"{server} {coordinate} {file.stat().st_size} {downloads.sha256(file)}\n"


if __name__ == "__main__":
    main()
