"""From an event to its row in Postgres: the stock view and the sink behind each other, at full speed and at half.

Full speed is measured on topics that are full already. Then sales come at half that rate, and each one's latency is
the time between the moment it was handed to a Kafka client and the moment its ledger row was committed, which
Postgres notes for every transaction (track_commit_timestamp). All clocks are this machine's.
"""

import time
from collections.abc import Iterator

import psycopg

from schemas.codec import Codec, Encode
from schemas.events.stock import StockCounted, StockSold
from schemas.ids import event_id
from schemas.meta import Meta
from schemas.topics import STOCK
from tests.bench.figures import Figure
from tests.bench.ground import OURS, Ground, Service, on, running, wait_for
from tests.bench.outputs import warm
from tests.bench.page_views import SECOND, START, publish
from tests.bench.postgres import database, deployment

PREFIX = "chain."
PRODUCTS = 20_000
STOCKED = 1_000_000
STEP_S = 0.005
LOOK_S = 0.5
TOP = "sales through the stock view and the sink at once, both on one core; a ledger row and a level each"
SETTLE_S = 3.0
"""Sales of the first seconds are not looked at."""

ARRIVED = """
SELECT (extract(epoch FROM pg_xact_commit_timestamp(xmin)) * 1000)::bigint, count(*)
FROM core.stock_ledger GROUP BY 1
"""
LATE = """
SELECT count(*), percentile_cont(ARRAY[0.5, 0.99, 1]) WITHIN GROUP (ORDER BY took_ms) FROM (
    SELECT extract(epoch FROM pg_xact_commit_timestamp(xmin) - at)::float * 1000 AS took_ms
    FROM core.stock_ledger WHERE at >= to_timestamp(%s)
) AS sales
"""

Connection = psycopg.Connection[tuple[object, ...]]


def run(ground: Ground, sales: int, seconds: float) -> Iterator[Figure]:
    """The top rate, then the latency at half of it."""
    dsn = database(ground, "bench_chain")
    environment = ground.environment(PREFIX, dsn)
    with deployment(ground, environment) as codec:
        sold = codec.encoder(STOCK, StockSold)
        with on(OURS):
            publish(ground, PREFIX + STOCK.name, _opening(codec))
            publish(ground, PREFIX + STOCK.name, (_sale(sold, number) for number in range(sales)))
        with (
            running(ground, "worker-stock", ("-m", "vaart.cli", "worker", "stock"), environment) as worker,
            running(ground, "sink-chain", ("-m", "vaart.cli", "sink", "postgres"), environment) as sink,
            psycopg.connect(dsn, autocommit=True) as connection,
        ):
            _wait(connection, PRODUCTS + sales, worker, sink)
            top = warm([(int(str(at)), int(str(count))) for at, count in connection.execute(ARRIVED)])
            yield top.figure(
                "event to Postgres",
                TOP,
                ground.kafka,
                worker,
                sink,
                worker_cpu_us_per_record=top.cpu_us(worker.meter),
                sink_cpu_us_per_record=top.cpu_us(sink.meter),
            )
            rate = top.records / top.seconds / 2
            began = time.time()
            sent = _feed(ground, sold, sales, rate, seconds)
            _wait(connection, PRODUCTS + sales + sent, worker, sink)
            yield _latency(connection, began + SETTLE_S, seconds - SETTLE_S)


def _opening(codec: Codec) -> Iterator[tuple[str, bytes]]:
    """Every shelf is counted once."""
    encode = codec.encoder(STOCK, StockCounted)
    for product in range(PRODUCTS):
        sku = f"sku-{product:05}"
        meta = _meta("StockCounted", sku, START)
        yield (
            sku,
            encode(
                StockCounted(
                    meta=meta,
                    sku=sku,
                    location_id="store-1",
                    quantities={"available": STOCKED},
                    as_of=START,
                    count_id=sku,
                )
            ),
        )


def _sale(encode: Encode, number: int, at: int | None = None) -> tuple[str, bytes]:
    """Sales go round all products, so that no shelf is hot."""
    sku = f"sku-{number % PRODUCTS:05}"
    meta = _meta("StockSold", str(number), START + (number + 1) * SECOND if at is None else at)
    sold = StockSold(
        meta=meta, sku=sku, location_id="store-1", quantity=1, document_id=f"receipt-{number}", line_id="1"
    )
    return sku, encode(sold)


def _meta(kind: str, business_id: str, at: int) -> Meta:
    return Meta(
        event_id=event_id("till", kind, business_id),
        occurred_at=at,
        received_at=at,
        channel="store",
        source="till",
        source_event_id=business_id,
    )


def _feed(ground: Ground, encode: Encode, first: int, rate: float, seconds: float) -> int:
    """Sales at `rate` a second, each stamped when it is handed over; says how many."""

    def paced() -> Iterator[tuple[str, bytes]]:
        began, sent = time.monotonic(), 0
        while (passed := time.monotonic() - began) < seconds:
            for _ in range(int(rate * passed) - sent):
                yield _sale(encode, first + sent, time.time_ns() // 1_000)
                sent += 1
            time.sleep(STEP_S)

    return publish(ground, PREFIX + STOCK.name, paced())


def _wait(connection: Connection, rows: int, *services: Service) -> None:
    """Counting rows costs Postgres something, so it is not done often."""
    wait_for("the chain", lambda: _rows(connection) >= rows, services, every_s=LOOK_S)


def _rows(connection: Connection) -> int:
    found = connection.execute("SELECT count(*) FROM core.stock_ledger").fetchone()
    return int(str(found[0])) if found else 0


def _latency(connection: Connection, since: float, seconds: float) -> Figure:
    found = connection.execute(LATE, (since,)).fetchone()
    assert found is not None
    count, (half, most, worst) = int(str(found[0])), list(found[1])  # type: ignore[call-overload]
    how = f"p50 {half:.0f} ms, p99 {most:.0f} ms: from the client that sends a sale to the commit of its row"
    return Figure(
        "latency at half that rate",
        count,
        seconds,
        how,
        more={"p50_ms": half, "p99_ms": most, "max_ms": worst},
    )
