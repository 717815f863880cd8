"""The Postgres sink beside a raw COPY and upsert of the same rows, ready as tuples, into the same tables.

The sink reads Kafka, decodes Avro, makes rows, keeps one of each key, moves its offsets and writes. Raw does the last
step alone, with the sink's own statements and batch size.
"""

import random
import time
from collections.abc import Iterable, Iterator
from itertools import cycle, islice

import psycopg

from schemas.codec import Codec
from schemas.events.states import StockLedgerEntry, StockLevel
from schemas.ids import event_id
from schemas.meta import Entry, Snapshot
from schemas.topics import LEDGER, LEVELS
from sinks.postgres.reader import RECORDS_MAX
from sinks.postgres.session import SETTINGS
from sinks.postgres.statements import statements
from sinks.projections import stock_ledger, stock_levels
from sinks.projections.projection import Projection, Row
from streams.views.stock import level_key
from tests.bench.figures import Figure
from tests.bench.ground import OURS, POLL_S, Failed, Ground, on, running, wait_for
from tests.bench.outputs import Stretch
from tests.bench.page_views import SECOND, SEED, START, publish
from tests.bench.postgres import applied, database, deployment

PREFIX = "sink."
SHELVES = 50_000
PRODUCTS = 10_000
TABLES = (stock_ledger.PROJECTION, stock_levels.PROJECTION)


def run(ground: Ground, movements: int) -> Iterator[Figure]:
    """Each movement is one ledger row and one stock level, and so two records."""
    dsn = database(ground, "bench_sink")
    environment = ground.environment(PREFIX, dsn)
    with deployment(ground, environment) as codec, on(OURS):
        _fill(ground, codec, movements)
    yield _by_sink(ground, dsn, environment, 2 * movements)
    raw_dsn = database(ground, "bench_raw")
    with on(OURS):
        yield _raw(raw_dsn, movements)
    _require_equal(dsn, raw_dsn)


def _fill(ground: Ground, codec: Codec, movements: int) -> None:
    for topic, struct, records in (
        (LEDGER, StockLedgerEntry, _ledger(movements)),
        (LEVELS, StockLevel, _levels(movements)),
    ):
        encode = codec.encoder(topic, struct)
        publish(ground, PREFIX + topic.name, ((key, encode(record)) for key, record in records))


def _by_sink(ground: Ground, dsn: str, environment: dict[str, str], records: int) -> Figure:
    names = tuple(projection.name for projection in TABLES)
    seen: list[tuple[float, int]] = []
    with (
        psycopg.connect(dsn, autocommit=True) as connection,
        running(ground, "sink", ("-m", "vaart.cli", "sink", "postgres"), environment) as service,
    ):

        def is_done() -> bool:
            seen.append((time.time(), applied(connection, names)))
            return seen[-1][1] >= records

        wait_for("the sink", is_done, [service])
        stretch = _warm(seen)
        return stretch.figure(
            "Postgres sink", "ledger rows and stock levels from Kafka, exactly once", ground.kafka, service
        )


def _warm(seen: list[tuple[float, int]]) -> Stretch:
    """From the first look at which a tenth was in the tables, to the first at which everything was."""
    total = seen[-1][1]
    start, before = next((at, done) for at, done in seen if done >= total / 10)
    if before == total:
        raise Failed(f"the sink was done within {POLL_S} s: too few records to measure a rate")
    return Stretch(total - before, start, seen[-1][0])


def _raw(dsn: str, movements: int) -> Figure:
    """Ready tuples in batches as large as the sink's, a transaction each, the two tables by turns."""
    ledger = _tuples(stock_ledger.PROJECTION, _ledger(movements))
    levels = _tuples(stock_levels.PROJECTION, _levels(movements))
    batches = [
        (projection, rows[at : at + RECORDS_MAX])
        for at in range(0, movements, RECORDS_MAX)
        for projection, rows in ((stock_ledger.PROJECTION, ledger), (stock_levels.PROJECTION, levels))
    ]
    warm_up = len(batches) // 10
    with psycopg.connect(dsn, autocommit=True) as connection:
        for setting in SETTINGS:
            connection.execute(setting.encode())
        for projection in TABLES:
            connection.execute(statements(projection).stage)
        for batch in islice(batches, warm_up):
            _write(connection, batch)
        began, cpu = time.perf_counter(), time.process_time()
        for batch in batches[warm_up:]:
            _write(connection, batch)
        seconds, used = time.perf_counter() - began, time.process_time() - cpu
    records = sum(len(rows) for _, rows in batches[warm_up:])
    how = "the same rows as ready tuples, no Kafka, no Avro, no offsets"
    return Figure("raw COPY and upsert", records, seconds, how, used / records * 1e6)


def _write(connection: psycopg.Connection[tuple[object, ...]], batch: tuple[Projection, list[Row]]) -> None:
    projection, rows = batch
    prepared = statements(projection)
    with connection.transaction(), connection.cursor() as cursor:
        with cursor.copy(prepared.copy) as copy:
            for row in rows:
                copy.write_row(row)
        cursor.execute(prepared.put)


def _tuples(projection: Projection, records: Iterable[tuple[str, Entry | Snapshot]]) -> list[Row]:
    """Rows as the sink's own writer gets them: with where they came from."""
    return [
        (*row, "raw", 0, offset)
        for offset, (key, record) in enumerate(records)
        for row in projection.rows(key, record)
    ]


def _ledger(movements: int) -> Iterator[tuple[str, StockLedgerEntry]]:
    seqs = dict.fromkeys(range(PRODUCTS), 0)
    for number, shelf in enumerate(_shelves(movements)):
        product = shelf % PRODUCTS
        seqs[product] += 1
        entry = StockLedgerEntry(
            sku=f"sku-{product:05}",
            seq=seqs[product],
            location_id=f"store-{shelf // PRODUCTS}",
            event_id=event_id("till", "StockSold", str(number)),
            line_no=0,
            kind="sold",
            bucket="available",
            delta=-1,
            at=START + number * SECOND,
        )
        yield entry.sku, entry


def _levels(movements: int) -> Iterator[tuple[str, StockLevel]]:
    for number, shelf in enumerate(_shelves(movements)):
        left = 1_000 - number // SHELVES
        level = StockLevel(
            sku=f"sku-{shelf % PRODUCTS:05}",
            location_id=f"store-{shelf // PRODUCTS}",
            available=left,
            on_hand=left,
            counted_at=START,
            seq=number + 1,
            updated_at=START + number * SECOND,
        )
        yield level_key(level.sku, level.location_id, level.owner), level


def _shelves(movements: int) -> Iterator[int]:
    """Every shelf once, in an order that a seed fixed, and again: the first round inserts levels, the next update."""
    order = list(range(SHELVES))
    random.Random(SEED).shuffle(order)
    return islice(cycle(order), movements)


def _require_equal(dsn: str, raw_dsn: str) -> None:
    if _totals(dsn) != _totals(raw_dsn):
        raise Failed("the sink and the raw copy left different tables: their rates cannot be compared")


def _totals(dsn: str) -> list[tuple[object, ...]]:
    with psycopg.connect(dsn) as connection:
        return connection.execute(
            "SELECT (SELECT (count(*), sum(delta))::text FROM core.stock_ledger), "
            "(SELECT (count(*), sum(on_hand))::text FROM core.stock_levels)"
        ).fetchall()
