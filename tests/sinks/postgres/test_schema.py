"""The database's schema on a real Postgres: migrations, comments, roles."""

import subprocess
import sys
from typing import Any

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine

from sinks.postgres import schema
from sinks.postgres.ops import OPS
from sinks.projections.projection import METADATA
from vaart.errors import ConfigFault, DependencyAway

UNCOMMENTED = """
SELECT nspname AS name FROM pg_namespace AS n
WHERE nspname IN ('ingest', 'core', 'mart', 'ops') AND obj_description(oid, 'pg_namespace') IS NULL
UNION ALL
SELECT c.oid::regclass::text FROM pg_class AS c
WHERE c.relnamespace::regnamespace::text IN ('ingest', 'core', 'mart', 'ops') AND c.relkind IN ('r', 'p', 'v')
    AND obj_description(c.oid, 'pg_class') IS NULL
UNION ALL
SELECT c.oid::regclass || '.' || attname FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid
WHERE c.relnamespace::regnamespace::text IN ('ingest', 'core', 'mart', 'ops') AND c.relkind IN ('r', 'p', 'v')
    AND NOT c.relispartition AND attnum > 0 AND NOT attisdropped AND col_description(c.oid, attnum) IS NULL
"""
RELATIONS = """
SELECT c.oid::regclass::text FROM pg_class AS c
WHERE c.relnamespace::regnamespace::text IN ('ingest', 'core', 'mart') ORDER BY 1
"""
MART = {
    "profiles": "profile_id merged_into first_seen_at last_seen_at stage order_count revenue returned_revenue "
    "currency last_order_at favourite_channel favourite_location_id traits consents",
    "identities": "kind value profile_id verified first_seen_at",
    "orders": "order_id profile_id channel source location_id status placed_at business_date total discount currency "
    "line_count",
    "order_lines": "order_id line_id sku quantity unit_price total discount status sold_by stock_owner "
    "returned_quantity",
    "stock_levels": "sku location_id owner available held committed picked quality_control damaged safety blocked "
    "on_hand shortage incoming in_transit counted_at",
    "stock_ledger": "sku seq location_id owner event_id line_no kind bucket delta at",
    "products": "sku name category brand owner",
    "journeys": "profile_id journey instance_key version step status entered_at ended_at exit_reason split "
    "converted_at",
    "events": "event_id type channel source source_event_id occurred_at received_at key identifiers context event",
    "notifications": "notification_id profile_id journey step template channel status reason requested_at decided_at "
    "sent_at",
}


PROFILE = """
INSERT INTO core.profiles
SELECT gen_random_uuid(), NULL, now(), now(), 0, 0, 0, 0, NULL, NULL, NULL, NULL,
    '{"age": "35-44", "email": "a@b.example", "last_name": "Jansen", "note": "c@d.example", "second": "06 12345678"}',
    '{}', '[]', '[]', 1, now(), 't', 0, 0
"""
IDENTITIES = """
INSERT INTO core.identities
SELECT kind, kind, value, gen_random_uuid(), true, now(), 1, now(), 't', 0, 0
FROM (VALUES ('email', 'a@b.example'), ('loyalty_card', '1234')) AS given (kind, value)
"""


def one(dsn: str, query: str, role: str = "") -> list[tuple[Any, ...]]:
    with psycopg.connect(dsn, options=f"-c role={role}" if role else "") as connection:
        return connection.execute(query.encode()).fetchall()


def as_user(dsn: str, user: str) -> str:
    return psycopg.conninfo.make_conninfo(dsn, user=user)


def test_up_down_and_up_again_and_nothing_is_left_in_between(database: str) -> None:
    schema.upgrade(database)
    full = one(database, RELATIONS)
    schema.downgrade(database, "base")
    assert one(database, RELATIONS) == []
    schema.upgrade(database)
    schema.upgrade(database)
    assert one(database, RELATIONS) == full
    assert schema.pending(database) == []


def test_the_tables_are_those_that_the_projections_declare(migrated: str) -> None:
    both: Any = [METADATA, OPS]
    with create_engine(migrated.replace("postgresql://", "postgresql+psycopg://")).connect() as connection:
        context = MigrationContext.configure(
            connection,
            opts={
                "include_schemas": True,
                "compare_server_default": True,
                "include_name": lambda name, kind, _: kind != "schema" or name in {"core", "ops", "ingest"},
                "include_object": lambda table, name, kind, *_: kind != "table" or not is_apart(str(name)),
            },
        )
        differences = compare_metadata(context, both)
    assert differences == []


def is_apart(name: str) -> bool:
    """Partitions, Alembic's own table, and tables of other sinks."""
    return name.startswith(("stock_ledger_", "notification_", "events_")) or name == "alembic_version"


def test_everything_has_a_comment(migrated: str) -> None:
    assert one(migrated, UNCOMMENTED) == []


def test_the_mart_has_the_columns_that_analysts_rely_on(migrated: str) -> None:
    found = set(
        one(
            migrated,
            "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'mart'",
        )
    )
    lineage = ("src_topic", "src_partition", "src_offset", "ingested_at")
    assert {(view, column) for view in MART for column in (*MART[view].split(), *lineage)} <= found


def test_a_reader_reads_the_mart_alone_and_changes_nothing(migrated: str) -> None:
    reader = as_user(migrated, "vaart_reader")
    assert one(reader, "SELECT count(*) FROM mart.profiles") == [(0,)]
    assert one(
        reader,
        "SELECT current_setting('statement_timeout'), current_setting('default_transaction_read_only')",
    ) == [("1min", "on")]
    for forbidden in (
        "SELECT * FROM core.profiles",
        "SELECT * FROM ingest.events",
        "SELECT ingest.make_month_of_events(now())",
        "SELECT * FROM ops.sink_offsets",
        "DELETE FROM mart.products",
    ):
        with pytest.raises((psycopg.errors.InsufficientPrivilege, psycopg.errors.ReadOnlySqlTransaction)):
            one(reader, forbidden)


def test_a_reader_sees_personal_data_masked(migrated: str) -> None:
    with psycopg.connect(migrated) as connection:
        connection.execute(PROFILE)
        connection.execute(IDENTITIES)
    reader = as_user(migrated, "vaart_reader")
    masked = {"age": "35-44", "email": "***", "last_name": "***", "note": "***", "second": "***"}
    assert one(reader, "SELECT traits FROM mart.profiles") == [(masked,)]
    assert one(reader, "SELECT kind, value FROM mart.identities ORDER BY 1") == [
        ("email", "***"),
        ("loyalty_card", "1234"),
    ]


def test_the_sink_writes_rows_and_makes_no_tables(migrated: str) -> None:
    with psycopg.connect(as_user(migrated, "vaart_sink")) as connection:
        connection.execute(
            "INSERT INTO core.products VALUES ('sku', 'n', 'c', 'b', 'o', 1, now(), 't', 0, 0)"
        )
        for forbidden in ("CREATE TABLE core.mine ()", "DROP TABLE core.orders", "CREATE SCHEMA mine"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege), connection.transaction():
                connection.execute(forbidden.encode())


def test_two_databases_and_two_callers_may_migrate_at_once(
    database: str, environment: dict[str, str]
) -> None:
    other = database + "b"
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {other.rsplit('/', 1)[1]}".encode())
        try:
            callers = [
                subprocess.Popen(
                    [sys.executable, "-m", "vaart.cli", "db", "upgrade"],
                    env=environment | {"VAART_POSTGRES__DSN": dsn},
                )
                for dsn in (database, other, database)
            ]
            assert [caller.wait(60) for caller in callers] == [0, 0, 0]
            assert schema.pending(database) == schema.pending(other) == []
        finally:
            connection.execute(f"DROP DATABASE {other.rsplit('/', 1)[1]} WITH (FORCE)".encode())


def test_an_old_schema_is_told_with_what_to_do(database: str) -> None:
    with pytest.raises(ConfigFault, match="vaart db upgrade"):
        schema.require_current(database)


def test_no_postgres_is_told_without_the_password() -> None:
    with pytest.raises(DependencyAway, match="VAART_POSTGRES__DSN") as caught:
        schema.require_current("postgresql://vaart:sesame@127.0.0.1:1/vaart")
    assert "sesame" not in str(caught.value)
