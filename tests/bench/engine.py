"""The engine on a topic that is full already: passing records on, and the whole way of a fold."""

from collections.abc import Iterator
from contextlib import closing, contextmanager

from streams.view import View
from tests.bench import outputs
from tests.bench.figures import Figure
from tests.bench.ground import Failed, Ground, Onlooker, Service, running, wait_for
from tests.bench.page_views import COUNTING, COUNTS, PASSED, PASSING, PREFIX, VIEWS, read_counted


def pass_through(ground: Ground, records: int) -> Figure:
    """Every record goes through the engine and one transaction; nothing is decoded or kept."""
    with _worked_off(ground, PASSING, records) as service:
        arrived = outputs.read(ground, PREFIX + PASSED.name)
        _require(len(arrived), records)
        stretch = outputs.warm(outputs.each_one(arrived))
        return stretch.figure(
            "pass-through",
            "records in, the same records out, exactly once; no Avro, no state",
            ground.kafka,
            service,
        )


def fold(ground: Ground, records: int) -> Figure:
    """Avro in, a count per visitor in RocksDB and its changelog, an Avro snapshot per visitor and commit out."""
    count_of = read_counted()
    with _worked_off(ground, COUNTING, records) as service:
        arrived = outputs.read(ground, PREFIX + COUNTS.name)
        arrivals = outputs.growth(arrived, lambda value: int(count_of(value).views))
        _require(sum(units for _, units in arrivals), records)
        how = "Avro in, RocksDB and changelog, an Avro snapshot per visitor and commit out; exactly once"
        return outputs.warm(arrivals).figure("fold", how, ground.kafka, service, snapshots=len(arrived))


@contextmanager
def _worked_off(ground: Ground, view: View, records: int) -> Iterator[Service]:
    """A worker that has folded all of VIEWS."""
    environment = ground.environment(PREFIX)
    command = ("-m", "tests.bench.run_worker", view.name)
    with running(ground, f"worker-{view.name}", command, environment) as service:
        with closing(Onlooker(ground, PREFIX + view.group, PREFIX + VIEWS.name)) as group:
            wait_for(view.name, lambda: group.committed() >= records, [service])
        yield service


def _require(counted: int, records: int) -> None:
    if counted != records:
        raise Failed(
            f"{counted} records were counted, {records} were sent: the figure would be worth nothing"
        )
