"""The database's schema: brought up to date, taken back, or compared with what this version needs."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine, pool, text

from sinks.postgres import roles
from vaart.errors import ConfigFault, DependencyAway

LOCK_TIMEOUT = "5s"
"""A migration that has to wait for a lock makes every later query wait too: rather give up and try again."""
CONNECT_TIMEOUT_S = 5
VERSION_SCHEMA = "ops"
_ONE_AT_A_TIME = 0x76616172
"""Key of the advisory lock, per database."""


def upgrade(owner_dsn: str, revision: str = "head") -> None:
    """The database has the roles, schemas, tables and views of `revision`. Repeatable; two may run at once."""
    with _migrating(owner_dsn) as config:
        command.upgrade(config, revision)


def downgrade(owner_dsn: str, revision: str) -> None:
    """The database is as it was at `revision` (`base`: empty). Roles stay."""
    with _migrating(owner_dsn) as config:
        command.downgrade(config, revision)


def pending(dsn: str) -> list[str]:
    """The revisions that the database lacks, oldest first, each with its title."""
    script = ScriptDirectory.from_config(_config())
    with _connected(dsn) as connection:
        found = MigrationContext.configure(
            connection, opts={"version_table_schema": VERSION_SCHEMA}
        ).get_current_revision()
    missing = script.iterate_revisions("head", found or "base")
    return [f"{revision.revision} {revision.doc}" for revision in reversed(list(missing))]


def require_current(dsn: str) -> None:
    """Raises DependencyAway when Postgres does not answer, ConfigFault when its schema is older than this version."""
    missing = pending(dsn)
    if missing:
        raise ConfigFault(f"the database lacks {len(missing)} migrations: run `vaart db upgrade`.")


@contextmanager
def _migrating(owner_dsn: str) -> Iterator[Config]:
    with _connected(owner_dsn) as connection:
        connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": _ONE_AT_A_TIME})
        connection.commit()
        _prepare(connection)
        config = _config()
        config.attributes["connection"] = connection
        yield config
        connection.commit()


def _prepare(connection: Connection) -> None:
    """Whoever migrates, vaart_owner owns what is made; the version table is there before the first revision."""
    roles.ensure(connection.connection.driver_connection)  # type: ignore[arg-type]
    connection.execute(text(f"SET ROLE {roles.OWNER}"))
    connection.execute(text(f"SET lock_timeout = '{LOCK_TIMEOUT}'"))
    connection.execute(text(f"CREATE SCHEMA IF NOT EXISTS {VERSION_SCHEMA}"))
    connection.commit()


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    return config


@contextmanager
def _connected(dsn: str) -> Iterator[Connection]:
    def connect() -> psycopg.Connection[object]:
        try:
            return psycopg.connect(dsn, connect_timeout=CONNECT_TIMEOUT_S, application_name="vaart-db")
        except psycopg.OperationalError as error:
            raise away(error) from None

    with create_engine(
        "postgresql+psycopg://", creator=connect, poolclass=pool.NullPool
    ).connect() as connection:
        yield connection


def away(error: psycopg.OperationalError) -> DependencyAway:
    """What to do when Postgres cannot be reached; without the DSN, which holds a password."""
    return DependencyAway(
        f"Postgres does not answer ({type(error).__name__}).\n"
        "Start it (`vaart up` starts a local one), or set VAART_POSTGRES__DSN to where it runs."
    )
