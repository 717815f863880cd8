"""A demo run: real shop history through the whole pipeline on real servers, then compared with the data set.

A run has a topic prefix, a database and a state folder of its own, so that it starts from nothing and disturbs nothing.
"""

import os
import shutil
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

import psycopg
from psycopg import sql

from connectors.files import complete_journey
from connectors.files.complete_journey import Period, Selection
from connectors.files.events import streams
from connectors.files.mapping import load
from connectors.files.outlet import KafkaOutlet
from connectors.files.replay import INPUTS, Progress, replay
from deploy.demo import selfcheck
from schemas.topics import TOPICS
from sinks.postgres import schema
from sinks.projections import PROJECTIONS
from streams.engine.replay import writers_of
from streams.views import VIEWS
from vaart import addresses, clock, kafka, settings
from vaart.addresses import Addresses
from vaart.cli import schemas, services, topics
from vaart.errors import VaartError
from vaart.settings import Settings
from vaart.supervisor import Supervisor

MAPPING = Path(__file__).parent / "complete_journey.yaml"
TABLES_LEVEL_S_MAX = 1_800.0
NOTIFICATIONS_TOLD_S_MAX = 120.0
POLL_S = 0.5


class TablesBehind(VaartError):
    """The tables did not reach the end of the replay in time."""


class Show(Protocol):
    """What a run tells while it goes."""

    def stage(self, text: str) -> None:
        """What begins now."""

    def sent(self, progress: Progress) -> None:
        """How far the replay is."""

    def level(self, reached: int, records: int, behind: int) -> None:
        """The moment the tables have reached, records written, and clocks that are not there yet."""

    def note(self, text: str) -> None:
        """Something that happened."""


@dataclass(slots=True)
class Report:
    """What a run measured: seconds per stage, totals, events and lines a second, peak memory per process."""

    weeks: str
    seconds: dict[str, float] = field(default_factory=dict)
    totals: dict[str, Any] = field(default_factory=dict)
    rates: dict[str, float] = field(default_factory=dict)
    peak_mb: dict[str, int] = field(default_factory=dict)
    restarts: dict[str, int] = field(default_factory=dict)
    findings: list[selfcheck.Finding] = field(default_factory=list)

    @property
    def is_equal(self) -> bool:
        """Whether the self-check found no difference."""
        return bool(self.findings) and not any(finding.differences for finding in self.findings)


@dataclass(frozen=True, slots=True)
class Run:
    """One run: its settings, the variables that hand them to child processes, and where its tables are."""

    name: str
    settings: Settings
    addresses: Addresses
    environment: dict[str, str]

    @property
    def dsn(self) -> str:
        """The run's own database."""
        return self.addresses.postgres


def prepare(base: Settings) -> Run:
    """After this the run has topics, registered schemas and an empty, migrated database."""
    name = f"demo_{uuid.uuid4().hex[:8]}"
    there = addresses.resolve(base)
    kafka.wait_until_reachable(base, there)
    with psycopg.connect(there.postgres_owner, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    environment = {
        "VAART_KAFKA__BOOTSTRAP_SERVERS": there.kafka,
        "VAART_KAFKA__TOPIC_PREFIX": f"{name}.",
        "VAART_REGISTRY__URL": there.registry,
        "VAART_POSTGRES__DSN": urlsplit(there.postgres_owner)._replace(path=f"/{name}").geturl(),
        "VAART_STATE_DIR": str((base.state_dir / name).resolve()),
        "VAART_CLOCK": "replay",
    }
    own = settings.load({**os.environ, **environment})
    own_addresses = addresses.resolve(own)
    topics.ensure(own)
    schemas.ensure(own)
    schema.upgrade(own_addresses.postgres_owner)
    return Run(name, own, own_addresses, environment)


def perform(run: Run, period: Period, show: Show) -> Report:
    """Sends the weeks, waits until the tables hold all of them, and compares the tables with the data set."""
    report = Report(str(period))
    state = run.settings.state_dir
    supervisor = Supervisor(services.pipeline(), state / "logs", run.environment)
    try:
        supervisor.start()
        with _timed(report, "load"):
            show.stage("loading The Complete Journey")
            selection = complete_journey.select(period)
        with _timed(report, "send"):
            show.stage("sending what each shelf holds, then what happened, in the order of time")
            sent = _send(run, selection, supervisor, show)
        until = max(period.end, sent.at)
        with _timed(report, "drain"):
            show.stage("waiting for the tables")
            _wait(run, until, supervisor, show)
        with _timed(report, "check"):
            show.stage("comparing every total, shelf and stage with the data set")
            report.findings = selfcheck.check(selection.transactions, until, run.dsn)
        _fill(report, sent, selection)
    finally:
        supervisor.stop()
        report.peak_mb = {service.name: service.peak_bytes >> 20 for service in supervisor.services}
        report.restarts = {service.name: service.restarts for service in supervisor.services}
    return report


def discard(run: Run) -> None:
    """After this the run's topics, database and state are gone."""
    client = kafka.admin(run.settings, run.addresses)
    own = [name for name in client.list_topics(timeout=30).topics if name.startswith(f"{run.name}.")]
    for future in client.delete_topics(own).values():
        future.result()
    server = urlsplit(run.addresses.postgres_owner)._replace(path="/postgres").geturl()
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(
            sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(run.name))
        )
    shutil.rmtree(run.settings.state_dir, ignore_errors=True)


def _send(run: Run, selection: Selection, supervisor: Supervisor, show: Show) -> Progress:
    kinds = streams(
        load(MAPPING),
        selection.tables,
        received_at=clock.wall(),
        given=selection.period.given,
        by_time=True,
    )

    def tell(progress: Progress) -> None:
        _watch(supervisor, show)
        show.sent(progress)

    with (
        schemas.registry_of(run.settings) as registry,
        KafkaOutlet(run.settings, run.addresses, registry) as outlet,
    ):
        return replay(
            kinds, outlet, INPUTS, start=selection.period.start, end=selection.period.end, progress=tell
        )


def _wait(run: Run, until: int, supervisor: Supervisor, show: Show) -> None:
    """Returns once every clock in the tables stands at `until` and every notification has its outcome."""
    expected = _clocks_expected(run)
    deadline = time.monotonic() + TABLES_LEVEL_S_MAX
    with psycopg.connect(run.dsn, autocommit=True) as connection:
        while True:
            _watch(supervisor, show)
            there, reached, records = connection.execute(CLOCKS, [until]).fetchone() or (0, 0, 0)
            show.level(reached or 0, int(records or 0), expected - there)
            if there >= expected:
                break
            _pause(deadline, f"{expected - there} of {expected} clocks are behind")
        deadline = time.monotonic() + NOTIFICATIONS_TOLD_S_MAX
        while left := (connection.execute(UNDECIDED).fetchone() or (0,))[0]:
            _watch(supervisor, show)
            _pause(deadline, f"{left} notifications have no outcome")


CLOCKS = """
    SELECT count(*) FILTER (WHERE until >= %s), min(until), (SELECT sum(next_offset) FROM ops.sink_offsets)
    FROM ops.clocks
"""
UNDECIDED = "SELECT count(*) FROM mart.notifications WHERE status = 'requested'"


def _clocks_expected(run: Run) -> int:
    """One clock per topic that feeds a table, partition of it, and lane of each of its writers."""
    partitions = run.settings.kafka.partitions
    read = {topic for projection in PROJECTIONS for topic in projection.topics}
    writers = writers_of([topic for topic in TOPICS if topic in read], VIEWS, partitions)
    return sum(partitions * lanes for expected in writers.values() for lanes in expected.values())


def _watch(supervisor: Supervisor, show: Show) -> None:
    for service in supervisor.check():
        show.note(f"{service.name} ended and is started again")


def _pause(deadline: float, what: str) -> None:
    if time.monotonic() > deadline:
        raise TablesBehind(f"gave up waiting: {what}; the services' logs are beside the run's state")
    time.sleep(POLL_S)


def _fill(report: Report, sent: Progress, selection: Selection) -> None:
    busy_s = report.seconds["send"] + report.seconds["drain"]
    report.totals = {
        **selfcheck.totals(selection.transactions),
        "shelves": len(selfcheck.shelves(selection.transactions)),
        "events": sent.events,
        "events by kind": sent.by_kind,
        "rows outside the weeks": dict(selection.left_out),
    }
    report.rates = {
        "events per second": round(sent.events / busy_s),
        "lines per second": round(len(selection.transactions) / busy_s),
    }


@contextmanager
def _timed(report: Report, stage: str) -> Iterator[None]:
    started_at = time.monotonic()
    yield
    report.seconds[stage] = round(time.monotonic() - started_at, 1)
