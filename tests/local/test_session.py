"""The session's servers answer, each test with a prefix and a database of its own."""

import httpx
import psycopg
import pytest

from vaart.addresses import resolve
from vaart.settings import Settings

pytestmark = pytest.mark.servers


def test_a_test_has_real_servers_and_an_empty_database(settings: Settings) -> None:
    from confluent_kafka.admin import AdminClient

    at = resolve(settings)
    assert AdminClient({"bootstrap.servers": at.kafka}).list_topics(timeout=10).brokers
    assert httpx.get(f"{at.registry}/subjects", timeout=10).is_success
    with psycopg.connect(at.postgres) as connection:
        tables = connection.execute(
            "SELECT count(*) FROM information_schema.tables WHERE table_schema = 'public'"
        )
        assert tables.fetchone() == (0,)
