"""The engines that are compared, and how each is set up. deploy/decisions/ says why so."""

import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from schemas.avsc import schema_of
from schemas.events.activity import PageViewed
from streams.engine.heads import YOUNG_BYTES_MAX
from tests.bench.engines import jars, quix_environment, restores
from tests.bench.engines.load import Site
from tests.bench.page_views import COUNTED_SCHEMA, COUNTING, COUNTS, FAUST_COUNTS, without_units
from vaart.local.kafka import java

HERE = Path(__file__).parent
COMMIT_MS = 100
"""How often peers commit: the default of Kafka Streams when it is exact."""
LINGER_MS = 1
TRUSTED = "-Dorg.apache.avro.SERIALIZABLE_PACKAGES=vaart,vaart.bench,vaart.customer"
JAVA_OPTIONS = (
    "-XX:+UseSerialGC",
    "-Xms512m",
    "-Xmx512m",
    "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
    "-Dorg.apache.avro.SERIALIZABLE_PACKAGES=vaart,vaart.bench,vaart.customer",
)
CACHE_BYTES = 10 << 20
"""The default of Kafka Streams."""
FAUST_GROUP = "faust"
OURS = "vaart"
FAUST = "Faust 0.15.3"
QUIX = "Quix Streams 3.28.1"
STREAMS = "Kafka Streams 4.3.1"
EXACTLY, AT_LEAST, EXACTLY_V2 = "exactly once", "at least once", "exactly once v2"
ROCKSDB, MEMORY = "RocksDB", "memory"
CACHE_ON = f"{CACHE_BYTES >> 20} MB"


@dataclass(frozen=True, slots=True)
class Process:
    """How an engine is started at a site, and by what names Kafka knows its group and its topics."""

    program: str
    command: tuple[str, ...]
    environment: Mapping[str, str]
    group: str
    output: str
    changelog: str


@dataclass(frozen=True, slots=True)
class Contestant:
    """One row: an engine in one of its settings. `restored` reads a restore's seconds from what it printed."""

    name: str
    engine: str
    guarantee: str
    store: str
    cache: str | None
    how: str
    process: Callable[[Site], Process]
    restored: Callable[[str], float | None]
    is_slow: bool = False


def _ours(store: str) -> Contestant:
    def process(at: Site) -> Process:
        told = at.environment | {"VAART_STORE": store.lower(), "VAART_LOG_LEVEL": "info"}
        command = ("-m", "tests.bench.run_worker", COUNTING.name)
        group, changelog = at.prefix + COUNTING.group, at.prefix + COUNTING.changelog
        return Process(sys.executable, command, told, group, at.prefix + COUNTS.name, changelog)

    return Contestant(
        f"vaart-{store.lower()}",
        OURS,
        EXACTLY,
        store,
        f"{2 * YOUNG_BYTES_MAX >> 20} MB a lane",
        f"a transaction per batch, at least {COUNTING.commit_interval_ms} ms apart; restore: its line lanes_ready",
        process,
        restores.ours,
    )


def _faust() -> Contestant:
    def process(at: Site) -> Process:
        command = ("-m", "tests.bench.run_faust", "worker", "--without-web", "--loglevel", "info")
        group = at.prefix + FAUST_GROUP
        changelog = f"{group}-visitors-changelog"
        return Process(
            sys.executable, command, at.environment, group, at.prefix + FAUST_COUNTS.name, changelog
        )

    return Contestant(
        "faust",
        FAUST,
        AT_LEAST,
        ROCKSDB,
        None,
        "as it ships: rocksdict, fastavro, an output and a changelog record per event; fewer records, "
        "since it is slow; restore: from its log",
        process,
        restores.faust,
        is_slow=True,
    )


def _quix(guarantee: str) -> Contestant:
    def process(at: Site) -> Process:
        group, output = at.prefix + "quix", at.prefix + COUNTS.name
        told = _told(at, group, output, guarantee.replace(" ", "-"))
        schemas = at.ground.folder / f"{group}.json"
        schemas.write_text(json.dumps(list(_schemas().values())))
        told["BENCH_SCHEMAS"] = str(schemas)
        changelog = f"changelog__{group}--{at.input}--default"
        return Process(
            quix_environment.python(), (str(HERE / "run_quix.py"),), told, group, output, changelog
        )

    return Contestant(
        f"quix-{guarantee.replace(' ', '-')}",
        QUIX,
        guarantee,
        ROCKSDB,
        None,
        f"a commit every {COMMIT_MS} ms; an output per event (it can do no other), a changelog record per key and "
        "commit; restore: from its log",
        process,
        restores.quix,
    )


def _streams(guarantee: str, setting: str, cache: str) -> Contestant:
    def process(at: Site) -> Process:
        group, output = at.prefix + "streams", at.prefix + COUNTS.name
        told = _told(at, group, output, setting)
        told["BENCH_CACHE_BYTES"] = str(CACHE_BYTES if cache == CACHE_ON else 0)
        command = (*JAVA_OPTIONS, "-cp", jars.classpath(_schemas()), "Counting")
        return Process(java(), command, told, group, output, f"{group}-visitors-changelog")

    rule = "per key and commit" if cache == CACHE_ON else "per event"
    return Contestant(
        f"streams-{setting.replace('_', '-')}-cache-{'on' if cache == CACHE_ON else 'off'}",
        STREAMS,
        guarantee,
        ROCKSDB,
        cache,
        f"a commit every {COMMIT_MS} ms; an output and a changelog record {rule}; restore: its StateRestoreListener",
        process,
        restores.streams,
    )


def _told(at: Site, group: str, output: str, guarantee: str) -> dict[str, str]:
    return at.environment | {
        "BENCH_BROKER": at.ground.addresses.kafka,
        "BENCH_GROUP": group,
        "BENCH_INPUT": at.input,
        "BENCH_OUTPUT": output,
        "BENCH_SCHEMA_ID": str(at.counted_id),
        "BENCH_GUARANTEE": guarantee,
        "BENCH_COMMIT_MS": str(COMMIT_MS),
        "BENCH_LINGER_MS": str(LINGER_MS),
        "BENCH_STATE": str(Path(at.state) / "store"),
    }


def _schemas() -> dict[str, Any]:
    """Without logical types, whose conversion costs time and changes no byte."""
    return {
        "PageViewed": without_units(schema_of(PageViewed)),
        "VisitorCounted": without_units(COUNTED_SCHEMA),
    }


CONTESTANTS = (
    _ours(ROCKSDB),
    _ours(MEMORY),
    _faust(),
    _quix(AT_LEAST),
    _quix(EXACTLY),
    _streams(AT_LEAST, "at_least_once", CACHE_ON),
    _streams(AT_LEAST, "at_least_once", "off"),
    _streams(EXACTLY_V2, "exactly_once_v2", CACHE_ON),
    _streams(EXACTLY_V2, "exactly_once_v2", "off"),
)
