"""Every route that the OpenAPI document names, sent what it allows and what it does not: no fault of ours.

Each request comes from an address of its own and names a write key, so that it is read and not told to wait.
"""

import os
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import status_code_conformance

from tests.connectors.gateway.running import WRITE_KEY, Ground, running, stranger
from vaart.addresses import Addresses
from vaart.cli.openapi import document

pytestmark = pytest.mark.servers
EXAMPLES = int(os.environ.get("EXAMPLES", "3"))
ROUTES = schemathesis.openapi.from_dict(document())
schemathesis.serializer.alias("application/vnd.confluent.avro", "application/octet-stream")
ADDRESSES = map(stranger, count(1))


@pytest.fixture(scope="module")
def url(servers: Addresses, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    ground = Ground(servers, Path(tmp_path_factory.mktemp("openapi")))
    ground.prepare()
    with running(ground, VAART_GATEWAY__PROXIES="1") as gateway:
        yield gateway.url
        assert gateway.stop() == 0


@ROUTES.parametrize()
@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
def test_no_request_meets_a_fault(case: Any, url: str) -> None:
    answer = case.call(
        base_url=url, headers={"X-Forwarded-For": next(ADDRESSES)}, params={"writeKey": WRITE_KEY}
    )
    case.validate_response(answer, checks=[not_a_server_error, status_code_conformance])
