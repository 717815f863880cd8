"""The same fold by Faust as it ships, on the same records, broker and core; bounded by time, since it is slow."""

import time
from contextlib import closing

from tests.bench import outputs
from tests.bench.figures import Figure
from tests.bench.ground import Ground, Onlooker, running, wait_for
from tests.bench.page_views import FAUST_COUNTS, PREFIX, read_counted

HOW = "the same work by Faust 0.15.3 as it ships (aiokafka, rocksdict, fastavro), at least once, an output per event"


def run(ground: Ground, records: int, seconds: float) -> Figure:
    """Faust's rate over about `seconds` from its first output on, or over all `records` if they take less."""
    topic, count_of = PREFIX + FAUST_COUNTS.name, read_counted()
    command = ("-m", "tests.bench.run_faust", "worker", "--without-web", "--loglevel", "warn")
    with running(ground, "faust", command, ground.environment(PREFIX)) as service:
        with closing(Onlooker(ground, "bench-onlooker", topic)) as outputs_so_far:
            wait_for("Faust's first output", lambda: outputs_so_far.end() > 0, [service])
            until = time.monotonic() + seconds
            wait_for("Faust", lambda: time.monotonic() > until or outputs_so_far.end() >= records, [service])
        arrived = outputs.read(ground, topic)
        arrivals = outputs.growth(arrived, lambda value: int(count_of(value).views))
        return outputs.warm(arrivals).figure("fold by Faust", HOW, ground.kafka, service)
