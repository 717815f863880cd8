"""The Postgres benches' ground: databases with every table, and the topics and schemas of a whole deployment."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from urllib.parse import urlsplit

import psycopg

from schemas.codec import Codec
from schemas.registry import Registry
from sinks.postgres import schema
from tests.bench.ground import Ground
from vaart.cli import schemas, topics
from vaart.settings import load


def database(ground: Ground, name: str) -> str:
    """The DSN of a new database with all tables."""
    with psycopg.connect(ground.addresses.postgres_owner, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
    dsn = urlsplit(ground.addresses.postgres_owner)._replace(path=f"/{name}").geturl()
    schema.upgrade(dsn)
    return dsn


@contextmanager
def deployment(ground: Ground, environment: Mapping[str, str]) -> Iterator[Codec]:
    """All topics and schemas of the catalogue are there, under the environment's prefix."""
    settings = load(environment)
    topics.ensure(settings, ground.addresses)
    schemas.ensure(settings, ground.addresses)
    with Registry(ground.addresses.registry) as registry:
        yield Codec(registry, settings.kafka.topic_prefix)


def applied(connection: psycopg.Connection[tuple[object, ...]], projections: tuple[str, ...]) -> int:
    """How many records of their topics these tables hold."""
    row = connection.execute(
        "SELECT coalesce(sum(next_offset), 0)::bigint FROM ops.sink_offsets WHERE projection = ANY(%s)",
        (list(projections),),
    ).fetchone()
    assert row is not None
    return int(str(row[0]))
